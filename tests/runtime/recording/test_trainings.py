"""Trainings of many shapes, as people write them: recorded, they compute what they compute when nobody listens.

Each file of `tests/cases/recorded` is such a notebook; its lines that begin with `#!` hold of what was recorded.
"""

from __future__ import annotations

import io
import os
import random
import re
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conftest import Seen

    Recording = Callable[[], AbstractContextManager[Seen]]

CASES = sorted((Path(__file__).parents[2] / "cases" / "recorded").glob("*.py"))


def run(case: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """The variables that a notebook leaves, and what it prints."""
    folder.mkdir()
    os.chdir(folder)
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    said = io.StringIO()
    with redirect_stdout(said):
        for cell in re.split(r"(?m)^# %%", case.read_text(encoding="utf-8"))[1:]:
            with suppress(KeyboardInterrupt):
                exec(compile("#" + cell, case.name, "exec"), namespace)
    return namespace, said.getvalue()


def plain(value: Any, depth: int = 0) -> Any:
    """What can be compared of a value, bit for bit."""
    if isinstance(value, torch.Tensor):
        return value.dtype, value.detach().contiguous().reshape(-1).view(torch.uint8).tolist()
    if isinstance(value, torch.nn.Module):
        return plain(value.state_dict(), depth)
    if isinstance(value, np.ndarray | np.generic):
        return str(value.dtype), value.tobytes()
    if isinstance(value, dict) and depth < 4:
        return {str(name): plain(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple) and depth < 4:
        return [plain(each, depth + 1) for each in value]
    return value if isinstance(value, str | int | float) else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_training_computes_what_it_does_when_nobody_listens(
    case: Path, tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before, said = run(case, tmp_path / "plain")
    draws = torch.get_rng_state(), random.getstate()
    with recording() as seen:
        after, said_too = run(case, tmp_path / "recorded")
    assert said_too == said
    assert random.getstate() == draws[1]
    assert torch.equal(torch.get_rng_state(), draws[0])
    assert plain({**after, "__builtins__": None}) == plain({**before, "__builtins__": None})
    after["series"] = {name: list(points.values) for name, points in seen.series.items()}
    after["saved"] = [(Path(each.path).name, each.step, each.epoch) for each in seen.checkpoints]
    for line in re.findall(r"(?m)^#! (.*)$", case.read_text(encoding="utf-8")):
        assert eval(line, after), f"{line}\n{after['series']}\n{after['saved']}"
