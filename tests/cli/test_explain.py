from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from click.testing import CliRunner

from nb2pipe.cli.app import cli
from nb2pipe.cli.codes import documented_code, documented_codes
from nb2pipe.errors import UsageError


def test_every_check_is_documented_with_title_and_text() -> None:
    found = documented_codes()
    assert found
    for item in found:
        assert re.fullmatch(r"NB[1-6]\d\d", item.code)
        assert item.title
        assert not item.title.upper().startswith("NB")
        assert item.title[0].isupper(), item.code
        assert item.title.endswith("."), item.code
        assert item.text, item.code


def test_no_code_is_given_twice() -> None:
    names = [
        file.name[:5]
        for area in files("nb2pipe").iterdir()
        if (area / "checks").is_dir()
        for file in (area / "checks").iterdir()
        if re.match(r"nb\d{3}_", file.name)
    ]
    assert sorted(names) == sorted(set(names))


def test_a_code_is_explained_in_any_spelling() -> None:
    code = documented_codes()[0].code
    for typed in (code, code.lower(), code[2:]):
        result = CliRunner().invoke(cli, ["explain", typed])
        assert result.exit_code == 0
        assert result.stdout.startswith(f"{code}: {documented_codes()[0].title}\n\n")


def test_without_a_code_all_are_listed() -> None:
    result = CliRunner().invoke(cli, ["explain"])
    assert [line[:5] for line in result.stdout.splitlines()] == [item.code for item in documented_codes()]


def test_the_explanation_for_machines_is_json() -> None:
    code = documented_codes()[0].code
    found = json.loads(CliRunner().invoke(cli, ["explain", code, "--json"]).stdout)
    assert found.keys() == {"code", "title", "text"}
    assert json.loads(CliRunner().invoke(cli, ["explain", "--json"]).stdout)[0]["code"] == code


def test_an_unknown_code_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError) as caught:
        documented_code("NB151")
    assert caught.value.hint
    assert CliRunner().invoke(cli, ["explain", "NB999"]).exit_code == 2


def test_explaining_imports_no_check() -> None:
    result = CliRunner().invoke(cli, ["explain", "../../../etc/passwd"])
    assert result.exit_code == 2
    assert "there is no diagnostic" in result.stderr
