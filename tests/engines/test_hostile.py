"""Texts of a notebook are data in every target, whatever they hold.

A notebook with hostile texts is converted, and the same one with plain ones. All files are parsed again: each text is
part of one value, and what holds none of them is the same. What a platform itself reads in a value (its templates and
expressions) is for the tests of each target.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import nb2pipe
from nb2pipe import plugins
from nb2pipe.testing.target_cases import Case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

PLAIN = "Zqx plain"
"""It has a blank: where platforms want names without one, there are two names of all of them."""
PIECES = (
    "'",
    '"',
    "'''",
    '"""',
    "`touch hacked`",
    "$(touch hacked)",
    "${{ secrets.X }}",
    "{{ workflow.hacked }}",
    "{% raw %}",
    "{# x #}",
    "${HOME}",
    "$HOME",
    "\\",
    "\\n",
    "*/",
    "/*",
    "//",
    "-->",
    "<script>",
    "!!python/object:os.system",
    "&a *a",
    "- x: y",
    ": ",
    " #",
    "%",
    "%(x)s",
    "{x}",
    "|",
    ">",
    ";",
    "&&",
    "\u0430dmin",
    "\uff45\uff56\uff41\uff4c",
    "\u202e",
    "yes",
    "null",
    "1e3",
    "--help",
    "@x",
    "é",
)
SIGNS = ("touch hacked", "secrets.X", "os.system", "<script>", "workflow.hacked")
"""Of pieces that would do something, if they stood on their own."""
LINES = ("\n", "\r\n", "\n---\n", "\n#!/bin/sh\n", "\n'''\nimport os\n", "\t")
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(lambda pieces: f"{PLAIN}{' '.join(pieces)}")
paragraphs = st.lists(st.sampled_from(PIECES + LINES), min_size=1, max_size=6).map(
    lambda pieces: PLAIN + "".join(pieces)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All that the author of a notebook writes freely."""

    name: str = PLAIN
    description: str = PLAIN
    owner: str = PLAIN
    default: str = PLAIN
    shown: str = PLAIN
    label: str = PLAIN
    annotation: str = PLAIN
    variable: str = PLAIN
    file: str = PLAIN
    comment: str = PLAIN


def printable(text: str) -> str:
    """What a tag takes: printable, without commas."""
    return "".join(each for each in text if each.isprintable()).replace(",", "")


hostile = st.builds(
    Texts,
    name=texts.map(printable),
    description=paragraphs.map(lambda text: "".join(x for x in text if x.isprintable() or x.isspace())),
    owner=texts.map(printable),
    default=paragraphs,
    shown=texts.map(printable),
    label=texts.map(printable),
    annotation=texts.map(printable),
    variable=texts.map(printable),
    file=texts.map(lambda text: re.sub(r"[/\\*?\[\]\0\u202e]", "", text)),
    comment=paragraphs,
)


def case_of(told: Texts) -> Case:
    return Case(
        name="n.ipynb",
        cells=(
            (("parameters",), f"title = {told.default!r}\n"),
            (
                (
                    "step:make",
                    f"papermill_description={told.shown}",
                    f"label:team:{told.label}",
                    f"annotation:example.com/a:{told.annotation}",
                    f"env:COLOR:{told.variable}",
                    "gate:score > 0.5",
                    "retry:1:5s",
                    "timeout:1h",
                    "limit:memory:1Gi",
                    "secret:db:password:DB_PASSWORD",
                ),
                f"score = len(title)\nrows = open({told.file + '.csv'!r}).read()\n",
            ),
            (("pipeline-metrics",), "print(score)\n"),
            (("step:use",), "".join(f"# {line}\n" for line in told.comment.splitlines()) + "y = (score, rows)\n"),
        ),
        settings={
            "name": told.name,
            "description": told.description,
            "owner": told.owner,
            "schedule": "0 3 * * *",
            "timezone": "Europe/Berlin",
            "on_failure": "https://example.com/hook?a='b'&c=$(d)",
        },
        flags={"include": ["*.csv"]},
        files={f"{told.file}.csv": "a\n"},
    )


def emitted(folder: Path, told: Texts, target: str) -> Bundle:
    for file in folder.glob("*.csv"):
        file.unlink()
    case = case_of(told)
    case.write(folder)
    return nb2pipe.emit(nb2pipe.load(folder / case.name), target=target, folder=folder / "bundle", **case.flags)


def leaves(tree: Any) -> Iterator[object]:
    """The keys and values of a parsed file."""
    match tree:
        case dict():
            for key, value in tree.items():
                yield key
                yield from leaves(value)
        case list():
            for value in tree:
                yield from leaves(value)
        case _:
            yield tree


def parsed(path: str, text: str) -> list[object] | None:
    """What a file says; None where it has no form that can be parsed here."""
    match path.rpartition(".")[2]:
        case "json" | "ipynb":
            return list(leaves(json.loads(text)))
        case "yaml" | "yml":
            return list(leaves(list(yaml.safe_load_all(text))))
        case "py":
            return [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        case _:
            return None


def code_of(path: str, text: str) -> set[str]:
    """The names that Python code uses."""
    if not path.endswith(".py"):
        return set()
    nodes = list(ast.walk(ast.parse(text)))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


def is_ours(value: object) -> bool:
    """Whether a value, or a key, holds one of the texts, in whatever form, or a digest of what holds one."""
    return re.fullmatch("[0-9a-f]{12,}", str(value)) is not None or "zqxplain" in re.sub(
        r"[^a-z0-9]", "", str(value).lower()
    )


def definition(bundle: Bundle) -> dict[str, str]:
    """The files of a bundle whose text is generated; names of files and of the package count as plain."""
    package = bundle.plan.name
    return {
        file.path.replace(package, "PACKAGE"): file.text
        for file in bundle.files
        if not file.path.startswith((f"{package}/_vendor/", "notebooks/", "bundle.json", "pipeline.json"))
    }


HARD = "' \" ''' \"\"\" \\ ${{ x }} {{ y }} {% z %} ${HOME} $(touch hacked) `touch hacked` */ //"
WORST = Texts(
    name=PLAIN + HARD,
    description=f"{PLAIN}\n'''\"\"\"\n*/{HARD}",
    owner=PLAIN + HARD,
    default=f"{PLAIN}{HARD} # %",
    shown=PLAIN + HARD,
    label=PLAIN + HARD,
    annotation=PLAIN + HARD,
    variable=PLAIN + HARD,
    comment=f"{PLAIN}\n{HARD}",
)


@pytest.mark.parametrize("target", plugins.names("targets"))
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=hostile)
@example(told=WORST)
def test_a_text_stands_as_a_whole_where_it_belongs_and_nothing_else_changes(
    target: str, told: Texts, tmp_path: Path
) -> None:
    bundle, plain = emitted(tmp_path, told, target), emitted(tmp_path, Texts(), target)
    found, wanted = definition(bundle), definition(plain)
    assert len(found) == len(wanted)
    told_more = Counter(each.code for each in bundle.diagnostics) - Counter(each.code for each in plain.diagnostics)
    for (path, text), (other, normal) in zip(sorted(found.items()), sorted(wanted.items()), strict=True):
        mine, theirs = parsed(path, text), parsed(other, normal)
        assert (mine is None) == (theirs is None)
        for value in mine or ():
            assert is_ours(value) or not any(sign in str(value) for sign in SIGNS), (path, value)
        missing = Counter(value for value in theirs or () if not is_ours(value)) - Counter(mine or ())
        assert told_more or not missing, path
        assert not code_of(path, text) - code_of(other, normal), path


def test_nothing_of_a_notebook_is_executed(tmp_path: Path) -> None:
    told = Texts(default="$(touch hacked)", name="`touch hacked`", comment="x\n__import__('os').system('touch hacked')")
    for target in plugins.names("targets"):
        emitted(tmp_path, told, target)
    assert not list(tmp_path.rglob("hacked"))
