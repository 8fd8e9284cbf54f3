"""Codes of ruff in the author's text: the plan names those that ruff finds, and none in vain."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pipe.codegen.plan.noqa import noqa_of
from nb2pipe.codegen.plan.syntax import Parts

RUFF = Path(sys.executable).with_name("ruff")

TEXTS = {
    'print(f"plain")': {"F541"},
    'x = 0.5\nprint(f"{x:.1%} and {x!r}")': set(),
    'x = 1\nprint(x is "a")': {"F632"},
    "x = 1\nprint(x is None, x is True, x is not ...)": set(),
    'assert (1, "text")': {"F631"},
    'if (1, "text"):\n    pass': {"F634"},
    'print({"a": 1, "a": 2})': {"F601"},
    'print({"a": 1, "b": 2})': set(),
    "raise NotImplemented": {"F901"},
    "raise NotImplemented()": {"F901"},
    'print("%s %d" % ("a", 1), "%5.1f%%" % 2)': set(),
    'print("%s %s" % ("a",))': {"F507"},
    'print("%(a)s" % {"b": 1})': {"F504", "F505"},
    'print("{} {}".format(1, 2), "{0} {a:>3}".format(1, a=2), "{x.y[0]}".format(x=1))': set(),
    'print("{} {}".format(1))': {"F524"},
    'print("{}".format(1, 2))': {"F523"},
    'print("{a}".format(a=1, b=2))': {"F522"},
    'print("{".format(1))': {"F521"},
    'print("{} {0}".format(1))': {"F525"},
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_codes_of_a_text_are_named(text: str) -> None:
    command = [str(RUFF), "check", "--isolated", "--select", "E9,F", "--output-format", "json", "--no-cache", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    found = {item["code"] for item in json.loads(run.stdout)}
    assert found == TEXTS[text], "ruff has changed its mind"
    named = noqa_of([Parts(ast.parse(text))])
    assert found <= named
    assert bool(found) == bool(named), "nothing is named in vain"
