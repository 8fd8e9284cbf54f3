from __future__ import annotations

from array import array

import torch

from nb2pipe.runtime.recording.values import Device


def test_numbers_of_a_device_arrive_where_they_belong_in_blocks() -> None:
    device = Device(torch.device("cpu"))  # it has no events, as some devices have none
    numbers, counts = memoryview(array("d", [0.5] * 3000)), memoryview(array("d", [0.0] * 3000))
    for place in range(3000):
        found = device.add(torch.tensor(float(place), dtype=torch.float32, requires_grad=True))
        assert found is not None
        block, number = found
        block.sinks.append((number, (numbers, counts, place)))
        device.tick(0.0)
    assert set(counts) == {0.0}
    device.finish()
    assert list(numbers) == [place + 0.5 for place in range(3000)]
    assert set(counts) == {1.0}


def test_two_losses_of_one_step_add_up_each_with_its_weight() -> None:
    device = Device(torch.device("cpu"))
    numbers, counts = memoryview(array("d", [0.0])), memoryview(array("d", [0.0]))
    for value, weight in ((3.0, None), (4.0, torch.tensor([-0.5]))):
        found = device.add(torch.tensor([value]), weight)
        assert found is not None
        found[0].sinks.append((found[1], (numbers, counts, 0)))
    device.finish()
    assert (numbers[0], counts[0]) == (1.0, 2.0)
