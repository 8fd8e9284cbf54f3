from __future__ import annotations

import json

from click.testing import CliRunner

from nb2pipe import plugins
from nb2pipe.cli.app import cli
from nb2pipe.targets.model import Feature


def test_all_targets_are_listed_with_what_they_can_express() -> None:
    told = json.loads(CliRunner().invoke(cli, ["targets", "--json"]).stdout)
    assert [each["target"] for each in told] == list(plugins.names("targets"))
    known = {feature.value for feature in Feature}
    assert all(set(each["supports"]) <= known for each in told)
    reuse = {each["target"]: each["supports"].get("reuse by step") for each in told}
    assert (reuse["dvc"], reuse["python"]) == ("runs", None)


def test_people_see_a_table_with_a_row_for_each_feature() -> None:
    lines = CliRunner().invoke(cli, ["targets"]).stdout.splitlines()
    names = lines[0].split()
    assert names == list(plugins.names("targets"))
    assert [line.split("  ")[0] for line in lines[1:]] == [feature.value for feature in Feature]
    row = next(line for line in lines if line.startswith("retries")).split()
    assert row[1 + names.index("python")] == "NB408"
