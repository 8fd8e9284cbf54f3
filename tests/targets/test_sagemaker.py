"""The text of the target `sagemaker`; what its jobs make is in `tests/engines`."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

import nb2pipe
from nb2pipe.notebook.settings import checked_schedule
from nb2pipe.targets.sagemaker.events import cron_of
from nb2pipe.targets.sagemaker.layout import MOST, layout_of
from nb2pipe.targets.sagemaker.sizes import instance_for, sizes

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from nb2pipe.targets.model import Bundle


def emitted(folder: Path, text: str, **options: Any) -> Bundle:
    (folder / "n.py").write_text(dedent(text), "utf-8")
    return nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="sagemaker", **options)


def definition(bundle: Bundle) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bundle.text("sagemaker/pipeline.json"))
    return content


def told(bundle: Bundle, code: str) -> list[str]:
    return [each.message for each in bundle.diagnostics if each.code == code]


PARAMETERS = """
# %% tags=["parameters"]
import os
rate = 0.5
count = 3
big = 2**40
flag = False
text = "it's"
names = ["a"]
pair = (1, 2)
nothing = None
endless = float("inf")
größe = 1
RoleArn = "mine"
lines = "a\\nb"
long = "x" * 300
odd = {1: 2}
workers = os.getpid()

# %% tags=["step:use"]
print(rate, count, big, flag, text, names, pair, nothing, endless, größe, RoleArn, lines, long, odd, workers)
"""


def test_parameters_have_the_types_of_the_platform_and_others_are_told(tmp_path: Path) -> None:
    bundle = emitted(tmp_path, PARAMETERS)
    rows = {each["Name"]: (each["Type"], each.get("DefaultValue")) for each in definition(bundle)["Parameters"]}
    assert rows["rate"] == ("Float", 0.5)
    assert rows["count"] == ("Integer", 3)
    assert rows["flag"] == ("Boolean", False)
    assert rows["text"] == ("String", "it's")
    assert rows["names"] == ("String", '["a"]')
    assert rows["pair"] == ("String", "[1, 2]")
    assert rows["nothing"] == ("String", "null")
    assert rows["groe"] == ("Integer", 1)  # names have no umlauts there
    assert rows["RoleArn"] == ("String", "mine")
    assert rows["RoleArn2"] == ("String", None)  # ours, which gives way
    assert not {"lines", "odd", "workers"} & rows.keys()
    messages = " ".join(told(bundle, "NB410"))
    assert all(f"`{name}`" in messages for name in ("lines", "odd", "workers"))


ASKING = """
# %% tags=["step:a", "label:odd:${x}", "limit:nvidia.com/gpu:64", "limit:example.com/tpu:1"]
x = 1
# %% tags=["step:b", "annotation:sagemaker/step:traning", "annotation:sagemaker/model-package-group:_bad_"]
open("m.txt", "w").write(str(x))
# %% tags=["step:c", "annotation:sagemaker/step:training", "gate:s > 0", "annotation:sagemaker/cache-expiry:soon"]
s = x
# %% tags=["pipeline-metrics"]
print(s)
# %% tags=["step:d", "annotation:sagemaker/model-package-group:good"]
y = s
"""


def test_what_has_no_place_is_told_with_its_step(tmp_path: Path) -> None:
    messages = told(emitted(tmp_path, ASKING), "NB411")
    wanted = {
        "the label `odd` of the step `a`": "tags have letters",
        "the limits of the step `a`": "no instance type",
        "the limit of `example.com/tpu` of the step `a`": "an instance type has",
        "`sagemaker/step` of the step `b`": "neither `training` nor `processing`",
        "`sagemaker/model-package-group` of the step `b`": "names of groups",
        "`sagemaker/step` of the step `c`": "only processing jobs",
        "`sagemaker/cache-expiry` of the step `c`": "no duration",
        "`sagemaker/model-package-group` of the step `d`": "which file is the model",
    }
    for what, reason in wanted.items():
        assert any(each.startswith(what) and reason in each for each in messages), what
    assert len(messages) == len(wanted)


TRAINING = """
# %% tags=["imports"]
import torch.optim as o
from torch.optim import SGD
from torch import optim, nn
from nb2pipe import track
# %% tags=["functions"]
def fit(net):
    return SGD(net.parameters(), lr=0.1)
# %% tags=["step:a"]
optimizer = optim = "no optimizer of torch's: a name is only a name"
net = nn.Linear(1, 1)
# %% tags=["step:b"]
one = o.Adam(net.parameters())
# %% tags=["step:c"]
two = fit(net)
# %% tags=["step:d"]
training = track.training(net, one)
# %% tags=["step:e", "annotation:sagemaker/step:training"]
three = 3
# %% tags=["step:f", "annotation:sagemaker/step:processing"]
four = o.SGD(net.parameters(), lr=1)
# %% tags=["step:g"]
five = net
"""


def kinds(bundle: Bundle) -> dict[str, str]:
    return {step["Name"]: step["Type"] for step in definition(bundle)["Steps"]}


def test_steps_that_train_are_known_by_what_they_call_by_types_or_by_name(tmp_path: Path) -> None:
    found = kinds(emitted(tmp_path, TRAINING))
    assert [name for name, kind in found.items() if kind == "Training"] == ["b", "c", "d", "e"]
    material = emitted(tmp_path, TRAINING)
    assert material.plan.steps[0].name == "a"


def test_the_types_that_a_run_saw_tell_of_models(tmp_path: Path) -> None:
    from nb2pipe.bundles.emit import Wishes, emit

    (tmp_path / "n.py").write_text(dedent(TRAINING), "utf-8")
    pipeline = nb2pipe.load(tmp_path / "n.py")
    found = kinds(emit(pipeline, Wishes(target="sagemaker", types={"a.net": "torch.nn.Linear"})))
    assert found["a"] == "Training"
    assert found["g"] == "Processing"


EVENTS = """
# %% tags=["parameters"]
day = "2026-01-01"
# %% tags=["step:a"]
print(day)
"""


def with_metadata(folder: Path, **settings: str) -> Bundle:
    import nbformat

    cells = [
        nbformat.v4.new_code_cell('day = "2026-01-01"', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("print(day)", metadata={"tags": ["step:a"]}),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"nb2pipe": settings})
    nbformat.write(notebook, folder / "n.ipynb")
    return nb2pipe.emit(nb2pipe.load(folder / "n.ipynb"), target="sagemaker")


def test_a_webhook_that_is_a_secret_is_resolved_where_it_is_used(tmp_path: Path) -> None:
    bundle = with_metadata(tmp_path, on_failure="secret:chat:url:HOOK", name="my <run> {{resolve:x}}")
    content = json.loads(bundle.text("sagemaker/on_failure.json"))["Resources"]
    assert content["Webhook"]["Properties"]["InvocationEndpoint"] == "{{resolve:secretsmanager:chat:SecretString:url}}"
    (target,) = content["Rule"]["Properties"]["Targets"]
    template = target["InputTransformer"]["InputTemplate"]
    assert template.count("<run>") == 2  # ours
    assert "{{" not in template
    assert json.loads(template)["pipeline"] == "my <run> {{resolve:x}}"


def test_a_webhook_without_tls_is_told(tmp_path: Path) -> None:
    bundle = with_metadata(tmp_path, on_failure="http://example.com/hook")
    assert "sagemaker/on_failure.json" not in bundle.paths
    assert "https://" in told(bundle, "NB411")[0]


def test_the_date_of_a_scheduled_run_is_given_and_its_default_is_that_of_the_execution(tmp_path: Path) -> None:
    bundle = with_metadata(tmp_path, schedule="0 3 1 * 1", timezone="Europe/Berlin", run_date="day")
    first, second = (json.loads(bundle.text(f"sagemaker/schedule{each}.json")) for each in ("", "_2"))
    assert first["ScheduleExpression"] == "cron(0 3 1 * ? *)"
    assert second["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    given = json.loads(first["Target"]["Input"])["PipelineParameters"]
    assert {"Name": "day", "Value": "<aws.scheduler.scheduled-time>"} in given
    rows = {each["Name"]: each for each in definition(bundle)["Parameters"]}
    assert rows["day"]["DefaultValue"] == ""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0 3 * * *", ["cron(0 3 * * ? *)"]),
        ("*/15 8-10 * * *", ["cron(0,15,30,45 8,9,10 * * ? *)"]),
        ("0 0 * jan-mar,12 7", ["cron(0 0 ? 1,2,3,12 SUN *)"]),
        ("5 4 */10 * *", ["cron(5 4 1,11,21,31 * ? *)"]),
        ("0 0 * * 5-7", ["cron(0 0 ? * SUN,FRI,SAT *)"]),
        ("0 0 * * 0-6", ["cron(0 0 * * ? *)"]),
        ("0 0 13 * fri", ["cron(0 0 13 * ? *)", "cron(0 0 ? * FRI *)"]),
    ],
)
def test_cron_is_written_as_eventbridge_reads_it(text: str, wanted: list[str]) -> None:
    assert list(cron_of(checked_schedule(text))) == wanted


def test_all_instances_of_the_table_are_there_for_both_kinds_of_jobs() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    for shape in ("ProcessingInstanceType", "TrainingInstanceType"):
        assert set(sizes()) <= set(model.shape_for(shape).enum)


def test_a_larger_wish_never_gets_a_smaller_instance_and_too_large_a_one_gets_none() -> None:
    assert instance_for([("cpu", "2"), ("memory", "8Gi")]) == "ml.m5.large"
    assert instance_for([("memory", "9G")]) == "ml.r5.large"
    assert instance_for([("cpu", "17")]) == "ml.c5.9xlarge"
    assert instance_for([("nvidia.com/gpu", "2"), ("memory", "300Gi")]) == "ml.g5.24xlarge"
    assert instance_for([("memory", "2Ti")]) is None
    assert instance_for([("amd.com/gpu", "1")]) is None


def test_jobs_have_no_more_inputs_than_they_may_and_all_that_they_need(tmp_path: Path) -> None:
    from nb2pipe.targets.jobs import Job

    step = nb2pipe.load(_simple(tmp_path)).steps[0]
    for width in (1, 4, 12, 35):
        names = [f"s{n}" for n in range(60)]
        # steps in rows of a width, each after all of the rows above
        needs = [tuple(names[: n - n % width]) for n in range(60)]
        jobs = [
            Job(name=name, slug=name, module=name, needs=above, step=step)
            for name, above in zip(names, needs, strict=True)
        ]
        nodes = {node.name: node for node in layout_of(jobs)}
        for job in jobs:
            node = nodes[job.name]
            assert len(node.inputs) <= MOST
            assert set(job.needs) <= frozenset().union(*(nodes[name].holds for name in node.inputs))
        for node in nodes.values():
            held = frozenset().union(*(nodes[name].holds for name in node.inputs))
            assert node.holds == (held if node.carries else frozenset()) | ({node.name} if node.job else frozenset())
        assert len([node for node in nodes.values() if node.job is None]) <= 8


def _simple(folder: Path) -> Path:
    (folder / "s.py").write_text('# %% tags=["step:a"]\nx = 1\n', "utf-8")
    return folder / "s.py"


def test_a_change_of_one_step_changes_the_digests_of_that_step_alone(tmp_path: Path) -> None:
    text = '# %% tags=["step:a"]\nx = 1\n# %% tags=["step:b"]\ny = x\n# %% tags=["step:c", "cache:disabled"]\nz = y\n'
    before = emitted(tmp_path, text).text("sagemaker/pipeline.json").splitlines()
    after = emitted(tmp_path, text.replace("y = x", "y = x + 1")).text("sagemaker/pipeline.json").splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert "CODE_DIGEST" in changed[0]
    assert sum("CODE_DIGEST" in line for line in after) == 2  # not of `c`, which is never reused


def test_fifty_cells_are_converted_in_less_than_a_second(tmp_path: Path) -> None:
    text = "\n".join(f'# %% tags=["step:s{n}"]\nx{n} = {f"x{n - 1}" if n else "0"} + {n}\n' for n in range(50))
    (tmp_path / "n.py").write_text(text, "utf-8")
    pipeline = nb2pipe.load(tmp_path / "n.py")
    began = time.process_time()
    nb2pipe.emit(pipeline, target="sagemaker")
    assert time.process_time() - began < 1


@pytest.fixture
def job(tmp_path: Path) -> ModuleType:
    """The program that jobs run, as a module."""
    path = tmp_path / "job.py"
    path.write_text(emitted(tmp_path, EVENTS).text("sagemaker/job.py"), "utf-8")
    spec = importlib.util.spec_from_file_location("sagemaker_job", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sagemaker_job"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-03-01T23:30:00Z", "2026-03-02"),
        ("2026-03-01T23:30:00.123+00:00", "2026-03-02"),
        ("2026-03-01T21:30:00", "2026-03-01"),
        ("1772404200", "2026-03-01"),
        ("1772407800000", "2026-03-02"),
    ],
)
def test_the_date_of_a_moment_is_that_of_the_time_zone(job: ModuleType, moment: str, wanted: str) -> None:
    assert job.date(moment, "Europe/Berlin") == wanted


def test_a_moment_that_is_none_ends_the_job_with_a_reason(
    job: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = ["--date", "day", "yesterday", "", "UTC", "--message", str(tmp_path / "out" / "message"), "--", "a.b"]
    monkeypatch.setattr(sys, "argv", ["job.py", *words])
    assert job.main() == 5
    assert "yesterday" in (tmp_path / "out" / "message").read_text()
