"""Settings: each key of the metadata is honored, or named in a diagnostic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.diagnostics import Location, Severity
from nb2pipe.notebook.model import (
    AnnotationTag,
    CacheTag,
    ImageTag,
    LabelTag,
    ReportTag,
    ResourceTag,
    RetryTag,
    SecretTag,
    Settings,
    TimeoutTag,
)
from nb2pipe.notebook.settings import read_settings

PLACE = Location(notebook="nb.ipynb")


def ours(**values: object) -> tuple[Settings, list[tuple[str, str]]]:
    return found({"nb2pipe": values})


def kale(**values: object) -> tuple[Settings, list[tuple[str, str]]]:
    return found({"kubeflow_notebook": values})


def found(metadata: dict[str, object]) -> tuple[Settings, list[tuple[str, str]]]:
    settings, diagnostics = read_settings(metadata, PLACE)
    assert all(item.location == PLACE and item.hint for item in diagnostics)
    return settings, [(item.code, item.message) for item in diagnostics]


def test_our_keys_are_honored() -> None:
    settings, problems = ours(
        name="digits",
        description="Learns digits.\nSlowly.",
        schedule="0 6 * * mon-fri",
        timezone="Europe/Berlin",
        owner="team@example.com",
        experiment="vision",
        defaults=["retry:2", "timeout:2h", "limit:cpu:2"],
        on_failure="https://example.com/hook?a=1",
        run_date="day",
    )
    assert problems == []
    assert settings == Settings(
        name="digits",
        description="Learns digits.\nSlowly.",
        schedule="0 6 * * mon-fri",
        timezone="Europe/Berlin",
        owner="team@example.com",
        experiment="vision",
        step_defaults=(RetryTag(2), TimeoutTag(7200.0), ResourceTag("cpu", "2")),
        on_failure="https://example.com/hook?a=1",
        run_date="day",
    )


def test_no_metadata_are_no_settings() -> None:
    assert found({}) == (Settings(), [])
    assert found({"nb2pipe": {}, "kubeflow_notebook": {}}) == (Settings(), [])


def test_kale_keys_are_honored() -> None:
    settings, problems = kale(
        pipeline_name="titanic-ml",
        pipeline_description="Predict",
        experiment_name="Titanic",
        experiment={"id": "new", "name": "Other"},
        docker_image="gcr.io/team/image:1",
        enable_caching=False,
        timeout=600,
        steps_defaults=[
            "label:team:x",
            "annotation:a.b/url:https://h:80/x",
            "limit:cpu:1",
            "secret:a:b:C",
            "report:enabled",
        ],
    )
    assert problems == []
    assert (settings.name, settings.description, settings.experiment) == ("titanic-ml", "Predict", "Titanic")
    assert set(settings.step_defaults) == {
        ImageTag("gcr.io/team/image:1"),
        CacheTag(enabled=False),
        TimeoutTag(600.0),
        LabelTag("team", "x"),
        AnnotationTag("a.b/url", "https://h:80/x"),
        ResourceTag("cpu", "1"),
        SecretTag("a", "b", "C"),
        ReportTag(enabled=True),
    }


def test_the_other_form_of_kale_defaults_is_honored() -> None:
    defaults = {
        "labels": {"team": "x"},
        "annotations": {"a.b/url": "https://h:80/x"},
        "limits": {"nvidia.com/gpu": "1", "cpu": 2},
        "secrets": {"C": {"secret_name": "a", "secret_key": "b"}},
        "base_image": "python:3.12",
        "enable_caching": True,
        "generate_html_report": True,
        "retry_count": 2,
        "timeout": 60,
    }
    settings, problems = kale(steps_defaults=defaults)
    assert problems == []
    assert set(settings.step_defaults) == {
        LabelTag("team", "x"),
        AnnotationTag("a.b/url", "https://h:80/x"),
        ResourceTag("nvidia.com/gpu", "1"),
        ResourceTag("cpu", "2"),
        SecretTag("a", "b", "C"),
        ImageTag("python:3.12"),
        CacheTag(enabled=True),
        ReportTag(enabled=True),
        RetryTag(2),
        TimeoutTag(60.0),
    }


def test_the_experiment_of_kale_1_is_honored_where_there_is_no_other() -> None:
    assert kale(experiment={"id": "1", "name": "Titanic"})[0].experiment == "Titanic"


def test_ours_wins_over_kale() -> None:
    settings, problems = found(
        {
            "nb2pipe": {"name": "ours", "defaults": ["image:ours", "limit:cpu:2"]},
            "kubeflow_notebook": {"pipeline_name": "theirs", "base_image": "theirs", "steps_defaults": ["limit:cpu:1"]},
        }
    )
    assert problems == []
    assert settings.name == "ours"
    assert settings.step_defaults == (ImageTag("ours"), ResourceTag("cpu", "2"))


VOLUMES = [{"name": "data", "mount_point": "/data", "type": "pvc"}]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("volumes", VOLUMES),
        ("snapshot_volumes", True),
        ("autosnapshot", True),
        ("katib_run", True),
        ("kfp_host", "https://kfp"),
        ("marshal_volume", True),
        ("marshal_path", "/marshal"),
        ("abs_working_dir", "/home/jovyan"),
        ("output_path", "out.yaml"),
        ("security_context", {"run_as_user": 1}),
    ],
)
def test_a_key_of_kale_that_is_not_followed_is_named_in_a_warning(key: str, value: object) -> None:
    settings, diagnostics = read_settings({"kubeflow_notebook": {key: value}}, PLACE)
    assert settings == Settings()
    assert [(item.code, item.severity) for item in diagnostics] == [("NB121", Severity.WARNING)]
    assert f"`kubeflow_notebook.{key}`" in diagnostics[0].message


@pytest.mark.parametrize(
    ("key", "value", "other", "asks"),
    [
        ("volume_access_mode", "rwm", "volumes", VOLUMES),
        ("storage_class_name", "fast", "volumes", VOLUMES),
        ("katib_metadata", {"parameters": [{"name": "lr"}]}, "katib_run", True),
    ],
)
def test_a_key_of_kale_that_does_nothing_alone_is_an_info_alone(
    key: str, value: object, other: str, asks: object
) -> None:
    def severities(**values: object) -> dict[str, Severity]:
        _, diagnostics = read_settings({"kubeflow_notebook": values}, PLACE)
        return {item.message.split("`")[1]: item.severity for item in diagnostics}

    assert severities(**{key: value}) == {f"kubeflow_notebook.{key}": Severity.INFO}
    assert set(severities(**{key: value, other: asks}).values()) == {Severity.WARNING}
    assert len(severities(**{key: value, other: asks})) == 2


def test_a_key_of_kale_that_asks_for_nothing_is_not_named() -> None:
    empty: dict[str, object] = {"volumes": [], "katib_run": False, "snapshot_volumes": False, "volume_access_mode": ""}
    assert kale(**empty, docker_image="", pipeline_description="", katib_metadata={}) == (Settings(), [])


def test_an_unknown_key_is_named_with_a_suggestion() -> None:
    _, diagnostics = read_settings(
        {"nb2pipe": {"nmae": "x", "zzz": 1}, "kubeflow_notebook": {"pipelinename": "x"}}, PLACE
    )
    assert [(item.code, item.severity) for item in diagnostics] == [("NB122", Severity.WARNING)] * 3
    assert [item.hint for item in diagnostics][0:2] == ["did you mean `pipeline_name`?", "did you mean `name`?"]
    assert "`nb2pipe.zzz`" in diagnostics[2].message


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("name", 3, "should be a text, and is a number"),
        ("name", "a\nb", "no short line"),
        ("name", "x" * 300, "no short line"),
        ("description", ["a"], "is a list"),
        ("description", "a\x1bb", "control characters"),
        ("owner", None, "is null"),
        ("schedule", "daily", "has not five fields"),
        ("schedule", "60 * * * *", "no minute of cron"),
        ("schedule", "* 5-3 * * *", "no hour of cron"),
        ("schedule", "* * 0 * *", "no day of cron"),
        ("schedule", "* * * foo *", "no month of cron"),
        ("schedule", "* * * * 1;ls", "no weekday of cron"),
        ("schedule", "*/0 * * * *", "no minute of cron"),
        ("schedule", True, "is true or false"),
        ("timezone", "Europe/Berln", "no time zone"),
        ("timezone", "../../etc/passwd", "no time zone"),
        ("defaults", "retry:1", "should be a list of tags"),
        ("defaults", ["step:a"], "cannot hold for every step"),
        ("defaults", ["retry:x"], "no count"),
        ("defaults", [3], "should be a tag"),
        ("defaults", ["nonsense"], "cannot hold for every step"),
        ("defaults", {"colour": "red"}, "cannot be read as a default"),
    ],
)
def test_a_wrong_value_is_an_error_that_says_what_is_right(key: str, value: object, says: str) -> None:
    settings, diagnostics = read_settings({"nb2pipe": {key: value}}, PLACE)
    assert [(item.code, item.severity) for item in diagnostics] == [("NB120", Severity.ERROR)]
    assert f"`nb2pipe.{key}`" in diagnostics[0].message
    assert says in diagnostics[0].message
    assert settings == Settings()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("docker_image", 3),
        ("docker_image", "x'; import os"),
        ("enable_caching", "yes"),
        ("timeout", -1),
        ("timeout", True),
        ("timeout", "5m"),
        ("experiment", "x"),
        ("steps_defaults", 3),
        ("steps_defaults", {"secrets": {"A": "b"}}),
        ("steps_defaults", {"retry_count": -1}),
    ],
)
def test_a_wrong_value_of_kale_is_an_error(key: str, value: object) -> None:
    settings, problems = kale(**{key: value})
    assert [code for code, _ in problems] == ["NB120"]
    assert settings == Settings()


@pytest.mark.parametrize("value", [3, "a", None, [], True])
def test_metadata_that_are_no_object_are_an_error(value: object) -> None:
    assert [code for code, _ in found({"nb2pipe": value})[1]] == ["NB120"]
    assert [code for code, _ in found({"kubeflow_notebook": value})[1]] == ["NB120"]


@pytest.mark.parametrize(
    "text", ["* * * * *", "*/15 0-6 1,15 jan-mar sun", "0 6 * * 1", "59 23 31 12 7", "5/10 * * * *"]
)
def test_a_schedule_is_five_fields_of_cron(text: str) -> None:
    assert ours(schedule=f"  {text.replace(' ', '   ')} ") == (Settings(schedule=text), [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "name",
        "schedule",
        "timezone",
        "defaults",
        "steps_defaults",
        "experiment",
        "docker_image",
        "timeout",
        "volumes",
        "x",
    ]
)


@given(st.dictionaries(KEYS, JSON | st.dictionaries(st.sampled_from(["labels", "limits", "secrets"]), JSON)))
def test_any_settings_are_read_without_an_exception(values: dict[str, object]) -> None:
    _, diagnostics = read_settings({"nb2pipe": values, "kubeflow_notebook": values}, PLACE)
    assert all(item.message.isprintable() for item in diagnostics)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("on_failure", "mailto:a@b"),
        ("on_failure", "ftp://a/b"),
        ("on_failure", "https://a b"),
        ("on_failure", "secret:a"),
        ("run_date", "the day"),
        ("run_date", "class"),
        ("run_date", 1),
    ],
)
def test_a_notice_goes_to_a_webhook_and_a_date_to_a_parameter(key: str, value: object) -> None:
    settings, problems = ours(**{key: value})
    assert getattr(settings, key) is None
    assert [code for code, _ in problems] == ["NB120"]
    assert ours(on_failure="secret:chat:url:CHAT_URL")[0].on_failure == "secret:chat:url:CHAT_URL"
