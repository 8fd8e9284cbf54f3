"""Where the home is, and what it keeps."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nb2pipe.errors import StoreError
from nb2pipe.execution.home import Home, find_home


@pytest.fixture(autouse=True)
def no_home_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NB2PIPE_HOME", raising=False)


def make(root: Path, *folders: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    return root


def test_an_existing_home_above_the_notebook_is_taken(tmp_path: Path) -> None:
    make(tmp_path, ".nb2pipe", "a/b/.git")
    assert find_home(tmp_path / "a" / "b" / "n.ipynb") == tmp_path / ".nb2pipe"


def test_without_one_it_stands_beside_the_first_project_file(tmp_path: Path) -> None:
    make(tmp_path, ".git", "a/b")
    (tmp_path / "a" / "pyproject.toml").touch()
    assert find_home(tmp_path / "a" / "b" / "n.ipynb") == tmp_path / "a" / ".nb2pipe"


def test_a_git_file_of_a_worktree_marks_a_project_too(tmp_path: Path) -> None:
    make(tmp_path, "a/b")
    (tmp_path / "a" / ".git").write_text("gitdir: elsewhere")
    assert find_home(tmp_path / "a" / "b" / "n.ipynb") == tmp_path / "a" / ".nb2pipe"


def test_without_a_project_it_stands_in_the_notebooks_folder(tmp_path: Path) -> None:
    make(tmp_path, "a")
    assert find_home(tmp_path / "a" / "n.ipynb") == tmp_path / "a" / ".nb2pipe"


def test_a_home_in_a_folder_that_is_everybodys_is_taken_for_notebooks_right_there_only(tmp_path: Path) -> None:
    make(tmp_path, ".nb2pipe", "a")
    tmp_path.chmod(0o1777)
    assert find_home(tmp_path / "a" / "n.ipynb") == tmp_path / "a" / ".nb2pipe"
    assert find_home(tmp_path / "n.ipynb") == tmp_path / ".nb2pipe"


def test_a_folder_is_searched_from_itself(tmp_path: Path) -> None:
    make(tmp_path, "a/.nb2pipe")
    assert find_home(tmp_path / "a") == tmp_path / "a" / ".nb2pipe"


def test_the_environment_overrides_and_the_option_overrides_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, ".nb2pipe")
    monkeypatch.setenv("NB2PIPE_HOME", str(tmp_path / "e"))
    assert find_home(tmp_path / "n.ipynb") == tmp_path / "e"
    assert find_home(tmp_path / "n.ipynb", tmp_path / "o") == tmp_path / "o"


def test_a_notebook_reached_through_dots_finds_the_same_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/.nb2pipe", "b")
    monkeypatch.chdir(tmp_path / "b")
    assert find_home(Path("../a/n.ipynb")) == tmp_path / "a" / ".nb2pipe"


def test_a_new_home_ignores_itself_in_git(tmp_path: Path) -> None:
    Home(tmp_path / ".nb2pipe").create()
    assert (tmp_path / ".nb2pipe" / ".gitignore").read_text() == "*\n"


def test_what_is_in_a_home_stays(tmp_path: Path) -> None:
    home = Home(make(tmp_path, ".nb2pipe/store") / ".nb2pipe")
    (home.root / ".gitignore").write_text("store\n")
    (home.store / "kept").write_text("kept")
    home.create()
    assert (home.root / ".gitignore").read_text() == "store\n"
    assert (home.store / "kept").read_text() == "kept"


def test_a_file_in_the_place_of_the_home_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / ".nb2pipe").write_text("mine")
    with pytest.raises(StoreError, match="cannot use") as caught:
        Home(find_home(tmp_path / "n.ipynb")).create()
    assert "--home" in str(caught.value.hint)
    assert (tmp_path / ".nb2pipe").read_text() == "mine"


def test_a_home_that_cannot_be_made_is_an_error() -> None:
    with pytest.raises(StoreError, match="cannot use"):
        Home(Path("/proc/nothing/.nb2pipe")).create()


def test_the_initial_random_state_is_drawn_once_and_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / ".nb2pipe")
    home.create()
    assert home.initial_seed() == Home(home.root).initial_seed()
    other = Home(tmp_path / "other")
    other.create()
    assert home.initial_seed() != other.initial_seed()


def test_runs_that_begin_at_once_agree_on_the_state(tmp_path: Path) -> None:
    home = Home(tmp_path / ".nb2pipe")
    home.create()
    seeds: list[int] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        seeds.append(home.initial_seed())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seeds) == 8
    assert set(seeds) == {home.initial_seed()}
    assert sorted(path.name for path in home.root.iterdir()) == [".gitignore", "runs", "seed", "store"]


@pytest.mark.parametrize("text", ["", "-1", "seven", "4294967296", "ä"])
def test_a_damaged_state_is_an_error_with_a_way_out(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path / ".nb2pipe")
    home.create()
    home.seed.write_text(text)
    with pytest.raises(StoreError, match="seed"):
        home.initial_seed()
    assert home.seed.read_text() == text
