"""Trainings as people write them, in `tests/cases/trainings`: interrupted somewhere, they end with the same weights."""

from __future__ import annotations

import hashlib
import io
import random
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch
from scripts import Script

CASES = Path(__file__).parents[2] / "cases" / "trainings"
SHAPES = [path.stem for path in sorted(CASES.glob("*.py"))]
WITH_WORKERS = ("own_sampler", "weighted")
SCHEDULERS = {
    "StepLR": "(optimizer, 2)",
    "MultiStepLR": "(optimizer, [2, 5])",
    "LambdaLR": "(optimizer, lambda step: 0.95**step)",
    "MultiplicativeLR": "(optimizer, lambda step: 0.95)",
    "ConstantLR": "(optimizer, 0.5, 4)",
    "LinearLR": "(optimizer, 0.2, 1.0, 6)",
    "ExponentialLR": "(optimizer, 0.9)",
    "PolynomialLR": "(optimizer, 9, 2.0)",
    "CosineAnnealingLR": "(optimizer, 4)",
    "CosineAnnealingWarmRestarts": "(optimizer, 2, 2)",
    "CyclicLR": "(optimizer, 0.01, 0.1, 3, mode='exp_range', gamma=0.99)",
    "OneCycleLR": "(optimizer, 0.1, total_steps=13, three_phase=True)",
    "ReduceLROnPlateau": "(optimizer, patience=0, cooldown=1, min_lr=0.001)",
    "SequentialLR": "(optimizer, [S.ConstantLR(optimizer, 0.1, 3), S.StepLR(optimizer, 2)], [3])",
    "ChainedScheduler": "([S.LinearLR(optimizer, 0.5), S.ExponentialLR(optimizer, 0.9)])",
}
SCHEDULED = """
import torch
from torch.optim import lr_scheduler as S
from nb2pipe import track
torch.manual_seed(1)
nets, optimizers, schedulers = {}, {}, {}
for name, make in MAKERS.items():
    nets[name] = torch.nn.Linear(2, 1)
    optimizers[name] = torch.optim.SGD(nets[name].parameters(), lr=0.1, momentum=0.9)
    schedulers[name] = eval(make, {"S": S, "optimizer": optimizers[name]})
training = track.training(nets, optimizers, scheduler=schedulers, every="1 step")
for epoch in training.epochs(3):
    for x in epoch.batches(list(torch.randn(8, 2).split(2))):
        trip()
        for name in MAKERS:
            optimizers[name].zero_grad()
            loss = nets[name](x).pow(2).mean()
            loss.backward()
            optimizers[name].step()
            schedulers[name].step(*([loss.item()] if name == "ReduceLROnPlateau" else []))
        print({name: one.param_groups[0]["lr"] for name, one in optimizers.items()})
nets = list(nets.values())
"""


def outcome(script: Script, stop: int = -1) -> tuple[str, str]:
    """SHA-256 of the weights and of the generators, and what was printed."""
    said = io.StringIO()
    torch.manual_seed(0)
    random.seed(0)
    with redirect_stdout(said):
        names = script.run(stop)
    if stop >= 0:
        return "", ""
    tensors: list[Any] = [one for net in names["nets"] for one in net.state_dict().values()]
    data = b"".join(one.contiguous().numpy().tobytes() for one in [*tensors, torch.get_rng_state()])
    return hashlib.sha256(data + repr(random.getstate()).encode()).hexdigest(), said.getvalue()


@pytest.mark.parametrize(("shape", "workers"), [*((shape, 0) for shape in SHAPES), *((one, 2) for one in WITH_WORKERS)])
def test_it_ends_with_the_weights_of_an_undisturbed_one(
    shape: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL", 0.2)
    _goes_on((CASES / f"{shape}.py").read_text(), tmp_path, monkeypatch, WORKERS=workers)


def test_every_scheduler_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    makers = {name: f"S.{name}{given}" for name, given in SCHEDULERS.items()}
    _goes_on(SCHEDULED, tmp_path, monkeypatch, MAKERS=makers)


def _goes_on(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **names: object) -> None:
    """Stops a script somewhere, and lets it go on to what it makes undisturbed."""
    undisturbed = Script(folder / "undisturbed", text, **names)
    monkeypatch.setenv("NB2PIPE_HOME", str(undisturbed.home))
    expected = outcome(undisturbed)
    rounds = undisturbed.calls
    script = Script(folder / "stopped", text, **names)
    monkeypatch.setenv("NB2PIPE_HOME", str(script.home))
    stop = random.Random(text).randrange(rounds // 3, rounds - 1)
    outcome(script, stop)
    assert outcome(script) == expected
    assert script.calls < rounds + stop + 1, "it began anew"
