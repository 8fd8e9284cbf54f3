"""Step `publish` of the pipeline `digits`."""

from __future__ import annotations

import sys
from typing import Any

import torch


def publish(net: Any) -> None:
    """Cell 15 of `digits.ipynb`."""
    # fmt: off
    # %% cell 15
    torch.save(net.state_dict(), "digits_state.pt")
    print(f"published a network of {sum(p.numel() for p in net.parameters())} parameters")
    # fmt: on


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "publish"))
