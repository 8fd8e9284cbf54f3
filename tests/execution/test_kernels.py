"""Which kernel the steps get."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.errors import UsageError
from nb2pipe.execution.kernels import choose_kernel, installed_kernels
from nb2pipe.notebook.model import Kernel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "other-python": json.dumps({"argv": ["python"], "display_name": "Other", "language": "python"}),
        "ir": json.dumps({"argv": ["R"], "display_name": "R", "language": "R"}),
        "broken": "{",
    }.items():
        folder = tmp_path / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))


@pytest.fixture
def named(pipeline: Any) -> Any:
    """Makes a notebook that names a kernel."""
    notebook = pipeline({}).notebook
    return lambda name: replace(notebook, kernel=Kernel(name=name))


def test_the_notebooks_kernel_is_taken(named: Any) -> None:
    assert choose_kernel(named("other-python"), None) == ("other-python", None)


def test_without_a_name_it_is_this_python(named: Any) -> None:
    assert choose_kernel(named(None), None) == ("python3", None)


@pytest.mark.parametrize("name", ["of-a-colleague", "ir", "broken"])
def test_a_kernel_that_cannot_run_it_is_replaced_with_a_warning(named: Any, name: str) -> None:
    kernel, note = choose_kernel(named(name), None)
    assert kernel == "python3"
    assert note is not None
    assert note.code == "NB510"
    assert f"`{name}`" in note.message


def test_the_user_overrides_the_notebook(named: Any) -> None:
    assert choose_kernel(named("of-a-colleague"), "other-python") == ("other-python", None)


def test_an_unknown_kernel_is_an_error_that_lists_those_that_are_here(named: Any) -> None:
    with pytest.raises(UsageError, match="othr-python") as caught:
        choose_kernel(named(None), "othr-python")
    assert "did you mean `other-python`?" in str(caught.value.hint)
    assert "python3" in str(caught.value.hint)


def test_kernels_of_other_languages_and_broken_ones_are_not_listed() -> None:
    assert {"other-python", "python3"} <= set(installed_kernels())
    assert not {"ir", "broken"} & set(installed_kernels())
