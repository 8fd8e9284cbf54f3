from __future__ import annotations

import pytest

from nb2pipe.execution.gates import holds
from nb2pipe.notebook.gates import parse_gate
from nb2pipe.runtime.gates import gate_holds

METRICS = {"accuracy": 0.9, "loss/val": 0.5, "macro avg": 1.0, "n": 3.0}


@pytest.mark.parametrize(
    "text",
    [
        "accuracy >= 0.9",
        "accuracy > .9",
        "0.5==loss/val",
        "accuracy < 0.5 or loss/val <= 0.5 and n != 3",
        "accuracy < 0.5 and loss/val <= 0.5 or n >= -1e2",
        '"macro avg" >= n',
        "n > 2 and n > 3 or n < +4.",
    ],
)
def test_a_gate_means_at_run_time_what_it_means_in_the_notebook(text: str) -> None:
    assert gate_holds(text, METRICS) is holds(parse_gate(text), METRICS)


def test_a_metric_that_is_missing_is_missing_whatever_the_others_say() -> None:
    with pytest.raises(KeyError, match="f1"):
        gate_holds("accuracy > 0 or f1 > 0", METRICS)
