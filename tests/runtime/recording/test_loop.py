from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from nb2pipe.records.series import recorded, recorded_checkpoints
from nb2pipe.runtime.recording import hooks
from nb2pipe.runtime.recording.recording import Recording as Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conftest import Seen

    Recording = Callable[[], AbstractContextManager[Seen]]


class Training:
    """A small net, and the losses as the author sees them."""

    def __init__(self, length: int = 40, batch: int = 16, **options: Any) -> None:
        generator = torch.Generator().manual_seed(0)
        data = torch.randn(length, 4, generator=generator)
        self.loader = DataLoader(TensorDataset(data, data.sum(1, keepdim=True)), batch_size=batch, **options)
        self.net = nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.losses: list[float] = []

    def loss(self, data: Any, target: Any) -> Any:
        found = nn.functional.mse_loss(self.net(data), target)
        self.losses.append(found.item())
        return found

    def epoch(self) -> None:
        for data, target in self.loader:
            self.optimizer.zero_grad()
            self.loss(data, target).backward()
            self.optimizer.step()


def test_losses_rates_passes_and_batches_of_a_plain_loop(recording: Recording) -> None:
    training = Training()
    with recording() as seen:
        training.epoch()
        training.optimizer.param_groups[0]["lr"] = 0.01
        training.epoch()
    assert seen.values("loss") == training.losses
    assert list(seen.series["loss"].indices) == [1, 2, 3, 4, 5, 6]
    assert seen.values("lr") == [0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
    assert seen.values("epoch") == [1, 1, 1, 2, 2, 2]
    assert seen.values("batch") == [1, 2, 3, 1, 2, 3]
    assert seen.values("epoch_loss") == pytest.approx([sum(training.losses[:3]) / 3, sum(training.losses[3:]) / 3])
    assert len(seen.series["examples_per_second"]) == 2


def test_validation_between_and_within_passes_is_no_training(recording: Recording) -> None:
    training, other = Training(), Training(8)

    def validate() -> None:
        with torch.no_grad():
            for data, target in other.loader:
                other.loss(data, target)

    with recording() as seen:
        for _ in range(2):
            validate()
            for data, target in training.loader:
                training.optimizer.zero_grad()
                training.loss(data, target).backward()
                validate()
                training.optimizer.step()
    assert seen.values("loss") == training.losses
    assert seen.values("epoch") == [1, 1, 1, 2, 2, 2]
    assert seen.values("batch") == [1, 2, 3, 1, 2, 3]


def test_gradients_that_add_up_are_one_loss(recording: Recording) -> None:
    training = Training()
    with recording() as seen:
        for number, (data, target) in enumerate(training.loader):
            (training.loss(data, target) / 2).backward()
            if number == 1:
                training.optimizer.step()
    assert seen.values("loss") == pytest.approx([(training.losses[0] + training.losses[1]) / 2])


def test_several_losses_at_once_and_backward_of_autograd(recording: Recording) -> None:
    training = Training(16)
    ((data, target),) = training.loader
    with recording() as seen:
        losses = [training.loss(data, target), training.loss(data, target) * 2]
        torch.autograd.backward(losses)
        training.optimizer.step()
        weight = torch.tensor(-0.5)
        training.loss(data, target).backward(weight)
        training.optimizer.step()
    first, second, third = training.losses
    assert seen.values("loss") == pytest.approx([first + 2 * second, -0.5 * third])


def test_of_a_closure_the_first_loss_counts(recording: Recording) -> None:
    training = Training(16)
    optimizer = torch.optim.LBFGS(training.net.parameters(), max_iter=5)
    ((data, target),) = training.loader
    calls = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = training.loss(data, target)
        loss.backward()
        return loss

    with recording() as seen:
        for _ in range(2):
            calls.append(len(training.losses))
            optimizer.step(closure)
    assert len(training.losses) > 4
    assert seen.values("loss") == [training.losses[call] for call in calls]


def test_two_optimizers_have_series_of_their_own(recording: Recording) -> None:
    one, two = Training(16), Training(16)
    ((data, target),) = one.loader
    with recording() as seen:
        for _ in range(3):
            one.loss(data, target).backward()
            one.loss(data, target).backward()
            one.optimizer.step()
            two.loss(data, target).backward()
            two.optimizer.step()
    assert seen.values("loss") == pytest.approx([sum(one.losses[place : place + 2]) for place in (0, 2, 4)])
    assert seen.values("loss/2") == two.losses


def test_optimizers_that_share_a_loss_both_have_it(recording: Recording) -> None:
    training = Training(16)
    weight, bias = (torch.optim.SGD([each], lr=0.1) for each in training.net.parameters())
    with recording() as seen:
        for _ in range(2):
            for data, target in training.loader:
                training.loss(data, target).backward()
                weight.step()
                bias.step()
    assert seen.values("loss") == seen.values("loss/2") == training.losses


def test_an_optimizer_within_another_makes_no_rows_of_its_own(recording: Recording) -> None:
    training = Training()

    class Around(torch.optim.Optimizer):
        def __init__(self, inner: Any) -> None:
            super().__init__(inner.param_groups, {})
            self.inner = inner

        def step(self, closure: Any = None) -> Any:
            return self.inner.step(closure)

    inner = training.optimizer
    training.optimizer = Around(inner)  # type: ignore[assignment]
    with recording() as seen:
        training.epoch()
    assert seen.values("loss") == training.losses
    assert "loss/2" not in seen.series


def test_a_scaled_loss_is_recorded_as_it_is(recording: Recording) -> None:
    training = Training()
    scaler = torch.amp.GradScaler("cpu")
    with recording() as seen:
        for data, target in training.loader:
            training.optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = training.loss(data, target)
            scaler.scale(loss).backward()
            scaler.step(training.optimizer)
            scaler.update()
    assert scaler.get_scale() > 1
    assert seen.values("loss") == training.losses


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_losses_of_other_types(recording: Recording, dtype: torch.dtype) -> None:
    weight = torch.tensor([1.25, -7.5], dtype=dtype, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    with recording() as seen:
        loss = weight.sum()
        loss.backward()
        optimizer.step()
    assert seen.values("loss") == [-6.25]


def test_a_loss_that_is_no_number_is_one(recording: Recording) -> None:
    weight = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    with recording() as seen:
        (weight * float("nan")).sum().backward()
        optimizer.step()
        (weight[:1] * torch.ones(3)).backward(torch.ones(3))
        optimizer.step()
    assert [str(value) for value in seen.values("loss")] == ["nan"]
    assert len(seen.series["lr"]) == 2


def test_data_that_is_made_anew_for_each_pass_counts_on(recording: Recording) -> None:
    training = Training()
    with recording() as seen:
        for _ in range(3):
            data = torch.randn(20, 4)
            training.loader = DataLoader(TensorDataset(data, data[:, :1]), batch_size=10)
            training.epoch()
    assert seen.values("epoch") == [1, 1, 2, 2, 3, 3]


def test_a_pass_ends_before_the_one_step_that_is_made_of_it(recording: Recording) -> None:
    training = Training(length=48)
    with recording() as seen:
        for _ in range(3):
            training.optimizer.zero_grad()
            for data, target in training.loader:
                training.loss(data, target).backward()
            training.optimizer.step()
    assert seen.values("epoch") == [1, 2, 3]
    assert seen.values("batch") == [3, 3, 3]


def test_workers_give_batches_too(recording: Recording) -> None:
    training = Training(num_workers=1, persistent_workers=True)
    with recording() as seen:
        training.epoch()
        training.epoch()
    assert seen.values("loss") == training.losses
    assert seen.values("epoch") == [1, 1, 1, 2, 2, 2]
    assert seen.values("batch") == [1, 2, 3, 1, 2, 3]


def test_a_loop_that_ends_in_an_error_can_be_followed_by_another(recording: Recording) -> None:
    training = Training(16)
    ((data, target),) = training.loader
    with recording() as seen:
        with suppress(KeyboardInterrupt):
            training.optimizer.step(lambda: (_ for _ in ()).throw(KeyboardInterrupt()))  # type: ignore[arg-type]
        training.loss(data, target).backward()
        training.optimizer.step()
        other = torch.optim.Adam(training.net.parameters())
        other.step()
    assert seen.values("loss") == training.losses
    assert len(seen.series["lr/2"]) == 1


def test_a_default_device_and_other_modes_see_nothing(recording: Recording) -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    calls: list[str] = []

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            calls.append(str(func))
            return func(*args, **(kwargs or {}))

    def train() -> list[float]:
        training = Training(16)
        with torch.device("cpu"), Counting():
            training.epoch()
        return training.losses

    train()
    plain, calls = calls, []
    with recording() as seen:
        losses = train()
    assert calls == plain
    assert seen.values("loss") == losses


def test_values_generators_and_identities_are_those_of_a_loop_that_nobody_follows(recording: Recording) -> None:
    def train() -> tuple[Any, ...]:
        torch.manual_seed(1)
        training = Training(shuffle=True)
        for parameter in training.net.parameters():
            nn.init.normal_(parameter)
        training.epoch()
        return (*(parameter.tolist() for parameter in training.net.parameters()), torch.get_rng_state().tolist())

    alone = train()
    backward, save = torch.autograd.backward, torch.save
    with recording():
        assert train() == alone
        assert (torch.autograd.backward, torch.save) == (backward, save)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch itself
def test_compiled_steps_run_as_they_do(recording: Recording) -> None:
    training = Training(16)
    ((data, target),) = training.loader

    @torch.compile(backend="eager")
    def step() -> None:
        training.optimizer.zero_grad()
        nn.functional.mse_loss(training.net(data), target).backward()
        training.optimizer.step()

    before = training.net.weight.tolist()
    with recording():
        step()
        step()
        assert hooks._loops
    assert training.net.weight.tolist() != before


@pytest.mark.parametrize("middle", [False, True])
def test_a_training_that_goes_on_keeps_what_was_recorded_until_its_checkpoint(tmp_path: Path, *, middle: bool) -> None:
    training = Training()
    folder = tmp_path / "run" / "series" / "train"

    def attempt(*, goes_on: float | None) -> None:
        recording = Record(folder)
        recording.begin()
        if goes_on is not None:
            recording.go_on(tmp_path / "run" / "checkpoints" / "train" / "training", goes_on, middle=middle)
        training.epoch()
        torch.save(1, tmp_path / "net.pt")
        recording.finish()

    attempt(goes_on=None)
    first = recorded(folder)["loss"]
    kept = 2 if middle else 3
    attempt(goes_on=first.times[kept - 1])
    series = recorded(folder)
    assert list(series["loss"].values) == training.losses[:kept] + training.losses[3:]
    assert list(series["epoch"].values) == [1.0] * kept + ([1.0] if middle else [2.0]) * 3
    assert [each.step for each in recorded_checkpoints(folder)] == [kept + 3]
    assert [path.name for path in folder.parent.iterdir()] == ["train"]
    attempt(goes_on=float("inf"))
    assert len(recorded(folder)["loss"]) == kept + 6
    assert [each.step for each in recorded_checkpoints(folder)] == [kept + 3, kept + 6]


def test_a_loss_that_was_cleared_away_is_in_no_step(recording: Recording) -> None:
    training = Training(16)
    ((data, target),) = training.loader
    other = torch.optim.SGD(training.net.parameters(), lr=0.1)
    with recording() as seen:
        training.loss(data, target).backward()
        training.optimizer.zero_grad()
        training.loss(data, target).backward()
        training.optimizer.step()
        training.loss(data, target).backward()
        other.zero_grad()
        training.optimizer.step()
        other.step()
    assert seen.values("loss") == training.losses[1:]
    assert "loss/2" not in seen.series
    assert len(seen.series["lr/2"]) == 1


def test_a_step_that_breaks_leaves_no_loss_to_the_next_one(recording: Recording) -> None:
    training = Training(16)
    ((data, target),) = training.loader

    def closure() -> Any:
        training.loss(data, target).backward()
        raise KeyboardInterrupt

    with recording() as seen:
        with suppress(KeyboardInterrupt):
            training.optimizer.step(closure)
        training.optimizer.zero_grad()
        training.loss(data, target).backward()
        training.optimizer.step()
    assert seen.values("loss") == training.losses[1:]


def test_losses_of_a_class_of_its_own_and_under_a_default_device_count_once(recording: Recording) -> None:
    class Own(torch.Tensor):
        pass

    training = Training(16)
    ((data, target),) = training.loader
    with recording() as seen:
        loss = training.loss(data, target).as_subclass(Own)
        loss.backward()  # type: ignore[no-untyped-call]
        training.optimizer.step()
        torch.autograd.backward(training.loss(data, target).as_subclass(Own))
        training.optimizer.step()
        with torch.device("cpu"):
            torch.autograd.backward(training.loss(data, target))
            training.optimizer.step()
    assert seen.values("loss") == training.losses


def test_several_scaled_losses_are_recorded_as_they_are(recording: Recording) -> None:
    training = Training(16)
    ((data, target),) = training.loader
    scaler = torch.amp.GradScaler("cpu")
    with recording() as seen:
        losses = [training.loss(data, target), training.loss(data, target)]
        torch.autograd.backward(scaler.scale(losses))
        scaler.step(training.optimizer)
    assert seen.values("loss") == [sum(training.losses)]


def test_parameters_that_are_changed_by_hand_twice_are_no_loop(recording: Recording) -> None:
    training = Training()
    with recording() as seen:
        for (data, target), _ in zip(training.loader, range(2), strict=False):
            training.loss(data, target).backward()
            with torch.no_grad():
                training.net.bias.add_(1.0)
        training.optimizer.zero_grad()
        training.losses.clear()
        training.epoch()
    assert seen.values("loss") == training.losses


def test_gradients_of_inputs_are_no_training(recording: Recording) -> None:
    training = Training()
    with recording() as seen:
        for _ in range(5):
            for data, target in training.loader:
                training.loss(data.requires_grad_(), target).backward()
    assert seen.series == {}


def test_what_cannot_be_written_is_told_and_stops_nothing(recording: Recording) -> None:
    training = Training()
    with recording() as seen:
        seen.folder.write_text("no folder")
        training.epoch()
        assert "FileExistsError" in hooks.errors()[0]
    assert len(training.losses) == 3
