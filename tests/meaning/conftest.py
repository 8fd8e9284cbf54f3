"""The modules beside the tests are found by their names, and are none with tests themselves."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
collect_ignore_glob = ["[!t]*.py", "to*.py", "tr*.py"]
