"""Secrets that a step's code takes into its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.masking import Masking
from nb2pipe.runtime.heard_secrets import HeardSecrets
from nb2pipe.runtime.new_secrets import PIPE, NewSecrets

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_set_is_heard_once_and_lies_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD_TOKEN", "known before")
    masking = Masking()
    with HeardSecrets(tmp_path, masking) as heard:
        heard.listen()
        told = NewSecrets(tmp_path / PIPE)
        for name, value in (("HF_TOKEN", "one"), ("HF_TOKEN", "one"), ("PLAIN", "two"), ("KEY_SECRET", "th\nree")):
            told.take(name, value)
        monkeypatch.setenv("LATE_PASSWORD", "four")
        told.look()
        assert not masking
        heard.listen()
        heard.listen()
    assert [set(each) for each in masking.learned] == [{"one"}, {"th\nree"}, {"four"}]
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]


def test_where_nobody_listens_nothing_is_told(tmp_path: Path) -> None:
    NewSecrets(tmp_path / PIPE).take("HF_TOKEN", "one")
    assert list(tmp_path.iterdir()) == []


def test_where_no_pipe_can_be_made_nothing_is_heard(tmp_path: Path) -> None:
    with HeardSecrets(tmp_path / "missing", Masking()) as heard:
        heard.listen()
