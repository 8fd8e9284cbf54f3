"""Notebooks made by Hypothesis: a few topics each, small cells of their lines, cut into steps at random."""

from __future__ import annotations

import json
import re
import string
import textwrap
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from topics import CORE, DEFINITIONS, FUNCTIONS, PARAMETERS, PARAMETERS_CELL, SLOTS, TOPICS, WRAPS, Topic


@dataclass(frozen=True)
class Made:
    """A cell of a generated notebook."""

    tags: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """The cell in the percent format."""
        tags = f" tags={json.dumps(self.tags)}" if self.tags else ""
        return f"# %%{tags}\n{self.text.strip()}\n"


@dataclass(frozen=True)
class Written:
    """A generated notebook.

    Attributes:
        cells: Its cells.
        given: The values that its parameters are given.
        stops: An error ends it; otherwise the cell that raises is tagged `raises-exception`.
        ways: The ways to try it, of those in `quick.py`.
    """

    cells: tuple[Made, ...]
    given: dict[str, object] = field(default_factory=dict, hash=False)
    stops: bool = False
    ways: tuple[str, ...] = ("steps", "edges", "modules", "namespace", "files")

    def __str__(self) -> str:
        """The notebook in the percent format."""
        return HEAD + "\n".join(map(str, self.cells))

    def may_raise(self, place: int) -> Written:
        """The same, where the cell at a place (from 0) may raise."""
        cells = list(self.cells)
        cells[place] = replace(cells[place], tags=(*cells[place].tags, "raises-exception"))
        return replace(self, cells=tuple(cells))


HEAD = """# ---
# jupyter:
#   kernelspec:
#     name: python3
#     display_name: a
#     language: python
# ---

"""


def filled(template: str) -> st.SearchStrategy[str]:
    """The texts that a template stands for."""
    slots = sorted({name for _, name, _, _ in string.Formatter().parse(template) if name} & SLOTS.keys())
    return st.fixed_dictionaries({name: st.sampled_from(SLOTS[name]) for name in slots}).map(
        lambda chosen: template.format(**chosen)
    )


def wrapped(lines: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lines within others: branches, loops, functions."""

    def put(chosen: tuple[str, str, str]) -> str:
        around, one, two = chosen
        slots = {"one": textwrap.indent(one, "    "), "two": textwrap.indent(two, "    ")}
        return re.sub(r"\{(one|two)\}", lambda found: slots[found[1]], around)

    arounds = st.sampled_from(WRAPS).flatmap(
        lambda template: filled(template.replace("{one}", "{{one}}").replace("{two}", "{{two}}"))
    )
    return st.tuples(arounds, lines, lines).map(put)


GIVEN = st.fixed_dictionaries({}, optional={"rate": st.integers(0, 9), "names": st.just([7, 8])})

KINDS = ("step", "step", "step", "step", "on", "on", "functions", "imports", "again", "prev", "skip", "raises")
"""What a cell is: it begins a step, goes on with one, or stands beside a definition cell, and so on."""


@dataclass(frozen=True)
class Drawn:
    """A cell as it is drawn, before it is known where it stands."""

    kind: str
    lines: tuple[str, ...]
    definition: str


@st.composite
def notebooks(draw: st.DrawFn, topics: tuple[str, ...] = tuple(TOPICS)) -> Written:
    """Notebooks about the lists and numbers of `CORE`, and up to two topics.

    Args:
        draw: Hypothesis'.
        topics: Those to choose from.
    """
    chosen = [TOPICS[name] for name in draw(st.lists(st.sampled_from(topics), max_size=2, unique=True))]
    has_parameters = draw(st.booleans())
    parts = [CORE, *chosen, *([PARAMETERS] if has_parameters else [])]
    known = {"f": any(part is FUNCTIONS for part in parts)}
    lines = st.one_of(*(_lines(part, functions=known["f"]) for part in parts))
    statements = st.one_of(lines, lines, lines, wrapped(st.one_of(lines, wrapped(lines))))
    definitions = st.one_of(*map(filled, DEFINITIONS), lines)
    cells = draw(
        st.lists(
            st.builds(
                Drawn,
                st.sampled_from(KINDS),
                st.lists(statements, min_size=1, max_size=3).map(tuple),
                definitions,
            ),
            min_size=1,
            max_size=6,
        )
    )
    found = [*_beginning(parts, has_parameters=has_parameters), *_cut(cells)]
    found.append(Made(("step:last",), "\n".join(f"print({part.look})" for part in parts)))
    given, stops = draw(GIVEN) if has_parameters else {}, draw(st.booleans())
    return Written(tuple(found), given, stops=stops, ways=draw(WAYS))


WAYS = st.tuples(st.sampled_from(["steps", "edges"]), st.sampled_from(["modules", "namespace", "files"]))
"""Two ways a notebook: more notebooks find more than more ways of one."""


def _lines(topic: Topic, *, functions: bool) -> st.SearchStrategy[str]:
    """The lines of a topic; those on names of functions only where there are some."""
    kept = [line for line in topic.lines if functions or topic is FUNCTIONS or "{f}" not in line]
    return st.sampled_from(kept).flatmap(filled)


def _beginning(parts: list[Topic], *, has_parameters: bool) -> list[Made]:
    """The cells above the first drawn one."""
    cells = [Made(("parameters",), PARAMETERS_CELL)] if has_parameters else []
    imports = list(dict.fromkeys(line for part in parts for line in part.imports.splitlines()))
    if imports:
        cells.append(Made(("imports",), "\n".join(imports)))
    cells += [Made(("functions",), part.functions) for part in parts if part.functions]
    return [*cells, Made(("step:begin",), "\n".join(part.begin for part in parts if part.begin))]


def _cut(cells: list[Drawn]) -> list[Made]:
    """Cells with their tags."""
    found: list[Made] = []
    for number, cell in enumerate(cells, 1):
        own = f"step:s{number}"
        text = "\n".join(cell.lines)
        match cell.kind:
            case "on":
                found.append(Made((), text))
            case "functions" | "imports":
                found += [Made((cell.kind,), cell.definition), Made((own,), text)]
            case "again":
                found.append(Made(("step:begin" if number % 2 else "step:s1",), text))
            case "prev":
                found.append(Made((own, "prev:begin"), text))
            case "skip":
                found += [Made(("skip",), cell.definition), Made((own,), text)]
            case "raises":
                found.append(Made((own, "raises-exception"), text))
            case _:
                found.append(Made((own,), text))
    return found
