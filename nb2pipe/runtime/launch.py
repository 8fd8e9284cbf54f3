"""The program of a step's process, for the executor `subprocess`: `python launch.py SPEC_FILE`.

It is run as a file of its own, by any Python: nothing of ours is importable before `bootstrap` has run.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # nothing else is to be imported yet

if __name__ == "__main__":
    if sys.path[:1] == [_HERE]:  # our `numbers` is not Python's
        del sys.path[0]
    import runpy

    runpy.run_path(os.path.join(_HERE, "bootstrap.py"))["bring"]()  # noqa: PTH118
    from nb2pipe.runtime.launched import run

    sys.exit(run(sys.argv[1]))
