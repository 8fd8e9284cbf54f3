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
WITH_WORKERS = {"weighted", "own_sampler"}
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
net = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scheduler = S.{name}{given}
training = track.training(net, optimizer, scheduler=scheduler, every="1 step")
for epoch in training.epochs(3):
    for x in epoch.batches(list(torch.randn(8, 2).split(2))):
        trip()
        optimizer.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        scheduler.step({arguments})
        print([group["lr"] for group in optimizer.param_groups])
nets = [net]
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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("workers", [0, 2])
def test_it_ends_with_the_weights_of_an_undisturbed_one(
    shape: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if workers and shape not in WITH_WORKERS:
        workers = 1  # another moment instead: these load without workers
    monkeypatch.setattr("torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL", 0.2)
    text = (CASES / f"{shape}.py").read_text()
    undisturbed = Script(tmp_path / "undisturbed", text, WORKERS=workers // 2 * 2)
    monkeypatch.setenv("NB2PIPE_HOME", str(undisturbed.home))
    expected = outcome(undisturbed)
    rounds = undisturbed.calls
    script = Script(tmp_path / "stopped", text, WORKERS=workers // 2 * 2)
    monkeypatch.setenv("NB2PIPE_HOME", str(script.home))
    dice = random.Random(f"{shape} {workers}")
    stops = [dice.randrange(rounds // 3, 2 * rounds // 3), dice.randrange(max(1, rounds // 6))]
    for stop in stops:
        outcome(script, stop)
    assert outcome(script) == expected
    assert script.calls < rounds + sum(stops) + len(stops), "it began anew"


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_goes_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = "loss.item()" if name == "ReduceLROnPlateau" else ""
    text = SCHEDULED.format(name=name, given=SCHEDULERS[name], arguments=arguments)
    monkeypatch.setenv("NB2PIPE_HOME", str(tmp_path / "home"))
    script = Script(tmp_path, text)
    expected = outcome(script)
    rounds = script.calls
    outcome(script, 7)
    assert outcome(script) == expected
    assert script.calls < 2 * rounds + 7
