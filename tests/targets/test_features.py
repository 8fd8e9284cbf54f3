from __future__ import annotations

from pathlib import Path

from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.targets.features import features
from nb2pipe.targets.model import Feature
from nb2pipe.targets.reads import cell_that_reads, reads_of_steps

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"


def test_what_a_pipeline_asks_for_is_named_with_the_steps() -> None:
    found = features(compile_notebook(EXAMPLES / "tour.ipynb"))
    assert found[Feature.RETRY] == ("scale",)
    assert found[Feature.NESTED] == ("halving",)
    assert found[Feature.SECRETS] == ("load",)
    assert Feature.SCHEDULE not in found


def test_files_that_a_step_makes_are_not_missing(tmp_path: Path) -> None:
    text = """\
# %% tags=["step:load"]
import pandas as pd
table = pd.read_csv("data/train.csv")
other = open("/etc/hosts").read() + open("../x.txt").read()
table.to_csv("clean.csv")
# %% tags=["step:use"]
again = pd.read_csv("clean.csv")
more = pd.read_csv("data/test.csv")
"""
    (tmp_path / "n.py").write_text(text, "utf-8")
    pipeline = compile_notebook(tmp_path / "n.py")
    assert reads_of_steps(pipeline) == {"load": ("data/train.csv",), "use": ("data/test.csv",)}
    assert cell_that_reads(pipeline, "use", "data/test.csv") == 2


def test_words_of_commands_are_no_files(tmp_path: Path) -> None:
    text = '# %% tags=["step:a"]\n# !pip install seaborn "pandas>=2"\nx = open("in.csv").read()\n'
    (tmp_path / "n.py").write_text(text, "utf-8")
    assert reads_of_steps(compile_notebook(tmp_path / "n.py")) == {"a": ("in.csv",)}
