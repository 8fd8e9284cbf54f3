from __future__ import annotations

import threading
from collections import UserDict
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from nb2pipe.runtime.recording.passes import length_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conftest import Seen

    Recording = Callable[[], AbstractContextManager[Seen]]


class Steps:
    """A net, and one way to train it on a batch."""

    def __init__(self, length: int = 8, **options: Any) -> None:
        data = torch.arange(length * 2.0).reshape(length, 2)
        self.loader = DataLoader(TensorDataset(data), batch_size=4, **options)
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1e-3)

    def on(self, data: Any) -> None:
        self.optimizer.zero_grad()
        self.net(data).sum().backward()
        self.optimizer.step()


@pytest.mark.parametrize(
    ("batch", "size", "length"),
    [
        (torch.ones(5, 3), None, 5),
        ([torch.ones(5, 3), torch.ones(5)], 5, 5),
        (((torch.ones(5, 3), torch.ones(5, 3)), torch.ones(5)), 5, 5),
        (UserDict(ids=torch.ones(5, 3)), None, 5),
        ([["a", "b", "c"], torch.ones(3)], None, 3),
        ([torch.ones(3, 9, 7), torch.ones(3, 8, 8), torch.ones(3, 2, 2), torch.ones(3, 2, 4)], 4, 4),
        (([torch.ones(3, 9, 7)] * 4, [{"boxes": torch.ones(2, 4)}] * 4), 4, 4),
        (torch.tensor(1.0), None, 1),
        ([], None, 0),
        (None, None, 0),
    ],
)
def test_the_number_of_examples_of_batches(batch: Any, size: int | None, length: int) -> None:
    assert length_of(batch, size) == length


def test_many_validations_within_a_pass_leave_it_as_it_is(recording: Recording) -> None:
    steps, other = Steps(length=400), Steps()
    with recording() as seen:
        for (data,) in steps.loader:
            steps.on(data)
            list(other.loader)
    assert seen.values("epoch") == [1] * 100
    assert seen.values("batch") == [*range(1, 101)]


def test_a_validation_between_a_batch_and_its_step_is_none_of_the_training(recording: Recording) -> None:
    steps, other = Steps(), Steps()
    with recording() as seen:
        for _ in range(2):
            for (data,) in steps.loader:
                list(other.loader)
                steps.on(data)
    assert seen.values("epoch") == [1, 1, 2, 2]
    assert seen.values("batch") == [1, 2, 1, 2]


def test_a_batch_that_cannot_be_looked_at_is_one_all_the_same(recording: Recording) -> None:
    class Odd:
        @property
        def shape(self) -> Any:
            raise RuntimeError("no shape")

    steps = Steps(collate_fn=lambda _: Odd())
    with recording() as seen:
        for _ in steps.loader:
            steps.on(torch.ones(1, 2))
    assert seen.values("batch") == [1, 2]
    assert "examples_per_second" not in seen.series


def test_batches_that_another_thread_fetches_count(recording: Recording) -> None:
    steps = Steps()
    fetched: list[Any] = []
    with recording() as seen:
        thread = threading.Thread(target=lambda: fetched.extend(steps.loader))
        thread.start()
        thread.join()
        steps.on(fetched[0][0])
    assert len(seen.series["loss"]) == 1


def test_threads_that_share_an_optimizer_lose_no_row(recording: Recording) -> None:
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0)

    def train() -> None:
        for _ in range(500):
            (weight * 0 + 2).sum().backward()
            optimizer.step()

    threads = [threading.Thread(target=train) for _ in range(4)]
    with recording() as seen:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen.values("loss") == [2.0] * 2000
