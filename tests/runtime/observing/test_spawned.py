from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from nb2pipe.runtime.observing.seen import seen_by_others
from nb2pipe.runtime.observing.spawned import begin

if TYPE_CHECKING:
    from pathlib import Path


def test_a_process_that_cannot_be_observed_goes_on_and_says_so(tmp_path: Path) -> None:
    code = begin(str(tmp_path / "nowhere"), (), str(tmp_path)) + "print('went on')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "went on\n"
    (seen,) = seen_by_others(str(tmp_path))
    assert seen.reasons == {"a process that it started could not be observed (ModuleNotFoundError)"}
