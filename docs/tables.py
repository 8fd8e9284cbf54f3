"""Makes the README's tables on targets: what each can express, and what became of the examples there.

Run by `make tables`. The first comes from the targets themselves, whose tests hold them to it cell by cell; the second
from `docs/conformance.json`, which `make test-engines` compares with what it finds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nb2pipe import plugins
from nb2pipe.targets.checks.nb408_not_for_this_target import CODE
from nb2pipe.targets.model import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nb2pipe.targets.model import Target

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"


def features() -> str:
    """What each target can express."""
    targets = [cast("Callable[[], Target]", plugins.load("targets", name))() for name in plugins.names("targets")]
    rows = ([feature.value, *(each.supports.get(feature, CODE) for each in targets)] for feature in Feature)
    return _table(["", *(f"`{each.name}`" for each in targets)], rows)


def conformance() -> str:
    """What became of the examples on each target."""
    found = json.loads((DOCS / "conformance.json").read_text("utf-8"))
    examples = sorted({example for each in found.values() for example in each})
    rows = ([f"`{target}`", *(_cell(found[target].get(example)) for example in examples)] for target in sorted(found))
    return _table(["", *(f"`{example}`" for example in examples)], rows)


def rendered(text: str) -> str:
    """The README with the tables as they are now.

    Args:
        text: The README.
    """
    for name, table in (("features", features()), ("conformance", conformance())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def _cell(row: dict[str, object] | None) -> str:
    if row is None:
        return "not run"
    words = [word for word in ("accepted", "ran") if row[word]]
    different = cast("list[str]", row["different"])
    equal = f"{row['same values']} values the same"
    return ", ".join([*words, f"{equal}, different: {' '.join(different)}" if different else equal])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    README.write_text(rendered(README.read_text("utf-8")), "utf-8")
