"""Values made in a step's module have the digests that they have in a kernel, and travel between the two."""

from __future__ import annotations

import json
from textwrap import dedent, indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Bundle

DEFINED = """
import enum
import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

@dataclass
class Net:
    size: int = 1

    def total(self):
        return math.sqrt(self.size) * math.pi

class Color(enum.Enum):
    RED = 1

class Pair(NamedTuple):
    one: int
    two: int = 2

class Base:
    made = []

    def __init_subclass__(cls):
        Base.made.append(cls.__name__)

class Derived(Base):
    pass

def outer(n):
    def inner(x):
        return x + n
    return inner

@functools.lru_cache
def cached(n):
    return n * 2

async def waits():
    return 1
"""

MADE = """
net = Net(3)
color = Color.RED
pair = Pair(1)
derived = Derived()
closure = outer(2)
cached(4)
key = lambda row: math.floor(-row)
nested = lambda x: (lambda y: y * math.pi)
several = [lambda v, i=i: v + i for i in range(2)]
method = net.total
bound = functools.partial(key, 2)
kinds = [Net, Base, cached, outer, waits]
"""

NAMES = ("net", "color", "pair", "derived", "closure", "key", "nested", "several", "method", "bound", "kinds")

DIGESTS = """
import json
from nb2pipe.serializers.digests import digest
print(json.dumps({name: str(digest(values[name], namespace=namespace)) for name in NAMES}))
"""


def in_module(bundle: Bundle, before: str = "") -> dict[str, str]:
    """Digests where the values are made in the function of a step; `before` is done first."""
    bundle.write(
        "definitions.py",
        "from nb2pipe.runtime.modules import stand_for_notebook\n\nstand_for_notebook(globals())\n# %% cell 1\n"
        + DEFINED,
    )
    returned = ", ".join(f"{name!r}: {name}" for name in NAMES)
    body = indent(f"# fmt: off\n# %% cell 2\n{dedent(MADE).strip()}\n# fmt: on\nreturn {{{returned}}}\n", "    ")
    imports = "from __future__ import annotations\nimport functools, math\nfrom digits_pipeline.definitions import *\n"
    bundle.write("steps/data.py", f"{imports}\ndef data():\n{body}")
    code = f"""
        {before}
        from nb2pipe.runtime import calling
        namespace = vars(calling.import_definitions("digits_pipeline"))
        values = calling.import_step("digits_pipeline", "data").data()
    """
    return digests(bundle, code)


def in_kernel(bundle: Bundle) -> dict[str, str]:
    """Digests where the values are made in cells."""
    code = f"""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        for cell in ({DEFINED!r}, {MADE!r}):
            shell.run_cell(cell, store_history=True).raise_error()
        namespace = values = shell.user_ns
    """
    return digests(bundle, code)


def digests(bundle: Bundle, code: str) -> dict[str, str]:
    done = bundle.python("-c", f"{dedent(code)}\nNAMES = {NAMES!r}\n{DIGESTS}", env={"IPYTHONDIR": str(bundle.folder)})
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_values_made_in_a_module_have_the_digests_that_a_kernel_gives_them(bundle: Bundle) -> None:
    assert in_module(bundle) == in_kernel(bundle)


def test_definitions_that_python_imported_itself_have_these_digests_too(bundle: Bundle) -> None:
    assert in_module(bundle, "import digits_pipeline.definitions") == in_module(bundle)


def test_what_a_step_leaves_names_public_classes(bundle: Bundle) -> None:
    told = bundle.launch("data", outputs="key net rows").told["completed"]
    assert told["types"] == {"key": "collections.abc.Callable", "net": "definitions.Net", "rows": "list"}


def test_a_lambda_of_a_step_reads_the_globals_of_the_step_that_loads_it(bundle: Bundle) -> None:
    bundle.change("steps/data.py", "key = lambda row: -row", "key = lambda row: scale(row)")
    bundle.change("cells/report.py", "count = 0", "count = 0\nscale = lambda row: row")
    data = bundle.launch("data", outputs="key net rows")
    report = bundle.launch("report", data.groups("key net rows"), "lines")
    assert "completed" in report.told, report.told
