"""The pipeline `digits`, made by nb2pipe from `digits.ipynb`."""

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("nb2pipe") is None:  # one that is installed is used instead
    sys.path.append(str(Path(__file__).parent / "_vendor"))
