"""What is run: small pipelines as data, from which come a tagged notebook and the forms that other tools want.

Each hands one variable from step to step, so that every tool has the same to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IMPORTS = "import time\nimport torch\nimport pandas as pd\nimport sklearn.linear_model\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A step.

    Attributes:
        name: Its name, which no other step of the workload has.
        code: What it runs; it binds the variable of the step's own name.
        needs: The steps whose variables it reads.
    """

    name: str
    code: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Steps in notebook order.

    Attributes:
        parts: The steps.
        imports: What each may use.
        parameters: A parameters cell; empty for none.
    """

    parts: tuple[Part, ...]
    imports: str = IMPORTS
    parameters: str = ""

    def write(self, path: Path) -> None:
        """Writes the tagged notebook; `prev:` tags stand there for Kale, which takes edges from them alone."""
        from nbformat import v4

        cells = [v4.new_code_cell(self.parameters, metadata={"tags": ["parameters"]})] if self.parameters else []
        cells.append(v4.new_code_cell(self.imports, metadata={"tags": ["imports"]}))
        for part in self.parts:
            tags = [f"step:{part.name}", *(f"prev:{name}" for name in part.needs)]
            cells.append(v4.new_code_cell(part.code, metadata={"tags": tags}))
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
        path.write_text(v4.writes(notebook), encoding="utf-8")


def chain(steps: int) -> Workload:
    """Trivial steps, one after another."""
    later = (Part(name=f"s{n}", code=f"s{n} = s{n - 1} + 1", needs=(f"s{n - 1}",)) for n in range(1, steps))
    return Workload(parts=(Part(name="s0", code="s0 = torch.ones(3)"), *later))


def fan(work: str = "time.sleep(3)", steps: int = 6) -> Workload:
    """Steps that know nothing of each other, between one that loads and one that joins."""
    names = tuple(f"m{n}" for n in range(steps))
    middle = (Part(name=name, code=f"{work}\n{name} = load + 1", needs=("load",)) for name in names)
    join = Part(name="join", code=f"join = {' + '.join(names)}\nprint(join)", needs=names)
    return Workload(parts=(Part(name="load", code="load = torch.ones(3)"), *middle, join))


BUSY = "begin = time.process_time()\nwhile time.process_time() - begin < 3:\n    pass"
"""Three seconds of one processor."""


def large(gibibytes: float = 1.0) -> Workload:
    """A large array and a table, made in the first of four steps and read in the others."""
    make = (
        f"rng = np.random.default_rng(0)\nmake = rng.random({int(gibibytes * 2**27)})\n"
        'table = pd.DataFrame(rng.random((500_000, 20)), columns=[f"c{n}" for n in range(20)])'
    )
    readers = {
        "mean": 'print(make.mean(), table["c0"].mean())',
        "spread": 'print(make.std(), table["c1"].std())',
        "peak": "print(make.max(), table.max().max())",
    }
    parts = (Part(name=name, code=code, needs=("make",)) for name, code in readers.items())
    return Workload(imports="import numpy as np\nimport pandas as pd\n", parts=(Part(name="make", code=make), *parts))


def sweep() -> Workload:
    """Three equal steps; the last alone uses the parameter."""
    work = "time.sleep(3)"
    return Workload(
        parameters="value = 0",
        parts=(
            Part(name="first", code=f"{work}\nfirst = torch.ones(3)"),
            Part(name="second", code=f"{work}\nsecond = first + 1", needs=("first",)),
            Part(name="third", code=f"{work}\nthird = second + value\nprint(third)", needs=("second",)),
        ),
    )


TRAINING = """
torch.manual_seed({n})
net_{n} = torch.nn.Sequential(torch.nn.Linear(200, 800), torch.nn.ReLU(), torch.nn.Linear(800, 1))
optimizer_{n} = torch.optim.SGD(net_{n}.parameters(), lr=0.01)
data_{n} = torch.rand(512, 200)
for _ in range(60):
    optimizer_{n}.zero_grad()
    net_{n}(data_{n}).pow(2).mean().backward()
    optimizer_{n}.step()
"""


def training() -> Workload:
    """Two steps that train side by side."""
    return Workload(parts=tuple(Part(name=f"t{n}", code=TRAINING.format(n=n)) for n in (1, 2)))
