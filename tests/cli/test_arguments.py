from __future__ import annotations

import pytest

from nb2pipe.cli.arguments import joined

TAKERS = frozenset({"-p", "--parameter", "-j", "--name", "-y"})


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["-p", "lr", "0.1"], ["-p", "lr=0.1"]),
        (["-p", "lr=0.1"], ["-p", "lr=0.1"]),
        (["-p", "lr", "-1"], ["-p", "lr=-1"]),
        (["-p", "lr", "-p", "n", "2"], ["-p", "lr", "-p", "n=2"]),
        (["-p", "name", ""], ["-p", "name="]),
        (["-p", "name="], ["-p", "name="]),
        (["-p", "expression", "a=b"], ["-p", "expression=a=b"]),
        (["-p", "expression=a=b", "out.ipynb"], ["-p", "expression=a=b", "out.ipynb"]),
        (["-p", "path", "--json"], ["-p", "path=--json"]),
        (["-plr=0.1", "x"], ["-plr=0.1", "x"]),
        (["-plr", "0.1", "x"], ["-plr=0.1", "x"]),
        (["-qp", "lr", "0.1"], ["-qp", "lr=0.1"]),
        (["--parameter", "lr", "0.1"], ["--parameter", "lr=0.1"]),
        (["--parameter=lr=0.1", "x"], ["--parameter=lr=0.1", "x"]),
        (["--parameter=lr", "0.1", "x"], ["--parameter=lr=0.1", "x"]),
        (["--name", "-p", "x", "y"], ["--name", "-p", "x", "y"]),
        (["-y", "-p", "-p", "a", "1"], ["-y", "-p", "-p", "a=1"]),
        (["-j2", "-p", "a", "1"], ["-j2", "-p", "a=1"]),
        (["-p", "a", "1", "-p", "b=2", "-p", "c", "3"], ["-p", "a=1", "-p", "b=2", "-p", "c=3"]),
        (["--", "-p", "a", "1"], ["--", "-p", "a", "1"]),
        (["-p"], ["-p"]),
        (["-p", "lr"], ["-p", "lr"]),
    ],
)
def test_a_parameter_is_given_in_both_forms(words: list[str], done: list[str]) -> None:
    assert joined(words, TAKERS) == done
