from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.bundles.installed import Site
from nb2pipe.bundles.requirements import imports_of_mode, resolve
from nb2pipe.targets.imports import imported
from nb2pipe.targets.model import Mode, Origin, Requirement, Requirements
from nb2pipe.targets.texts import requirement_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Packages:
    """A folder of installed distributions, made as pip leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        name: str,
        version: str,
        files: Sequence[str],
        requires: Sequence[str] = (),
        direct: dict[str, Any] | None = None,
        python: str = "",
    ) -> None:
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {each}" for each in requires]
        lines += [f"Requires-Python: {python}"] if python else []
        (info / "METADATA").write_text("\n".join([*lines, "", "Words.\n"]), "utf-8")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files), "utf-8")
        if direct is not None:
            (info / "direct_url.json").write_text(json.dumps(direct), "utf-8")

    @property
    def site(self) -> Site:
        return Site([str(self.folder)])


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    return Packages(tmp_path)


def found(
    packages: Packages, text: str, asked: Sequence[str] = (), known: Requirements | None = None
) -> tuple[Requirements, list[str]]:
    result, diagnostics = resolve(imported(text), asked, notebook="n.ipynb", known=known, site=packages.site)
    return result, [f"{each.code} {each.message}" for each in diagnostics]


def lines(requirements: Sequence[Requirement]) -> list[str]:
    return [requirement_line(each) for each in requirements]


def test_a_module_is_mapped_to_its_distribution_with_its_version(packages: Packages) -> None:
    packages.add("opencv-python", "4.9", ["cv2/__init__.py", "cv2/cv2.abi3.so"])
    packages.add("PyYAML", "6.0", ["yaml/__init__.py", "_yaml/__init__.py"])
    packages.add("six", "1.16", ["six.py"])
    packages.add("fast", "1", ["quick.cpython-311-x86_64-linux-gnu.so"])
    result, told = found(packages, "import cv2, yaml.loader, six, quick, os, __future__\nfrom nb2pipe import track")
    assert lines(result.direct) == ["fast==1", "opencv-python==4.9", "PyYAML==6.0", "six==1.16"]
    assert told == []


def test_modules_that_only_some_versions_of_python_have_are_standard_on_each(packages: Packages) -> None:
    result, told = found(packages, "import distutils.core, imp, telnetlib, tomllib")
    assert (result.direct, told) == ((), [])


def test_of_a_namespace_package_the_distribution_that_has_the_part_is_required(packages: Packages) -> None:
    packages.add("google-cloud-storage", "2", ["google/cloud/storage/__init__.py", "google/cloud/storage/blob.py"])
    packages.add("google-cloud-bigquery", "3", ["google/cloud/bigquery/__init__.py"])
    packages.add("protobuf", "5", ["google/protobuf/__init__.py"])
    assert lines(found(packages, "from google.cloud import storage")[0].direct) == ["google-cloud-storage==2"]
    assert lines(found(packages, "import google.protobuf.message")[0].direct) == ["protobuf==5"]
    assert lines(found(packages, "from google.cloud.bigquery import Client")[0].direct) == ["google-cloud-bigquery==3"]
    result, told = found(packages, "from google.cloud import pubsub")
    assert lines(result.direct) == ["google-cloud-pubsub"]
    assert len(told) == 1


def test_a_package_within_anothers_package_requires_the_one_that_has_it(packages: Packages) -> None:
    packages.add("airflow-core", "1", ["airflow/__init__.py", "airflow/models.py"])
    packages.add("airflow-http", "2", ["airflow/providers/http/__init__.py"])
    result, _ = found(packages, "import airflow.providers.http\nfrom airflow.models import DAG")
    assert lines(result.direct) == ["airflow-core==1", "airflow-http==2"]


def test_of_several_candidates_the_one_of_the_modules_name_wins_else_the_first(packages: Packages) -> None:
    packages.add("opencv-python-headless", "4", ["cv2/__init__.py"])
    packages.add("opencv-python", "4", ["cv2/__init__.py"])
    packages.add("aaa", "1", ["thing/__init__.py"])
    packages.add("thing", "1", ["thing/__init__.py"])
    packages.add("zzz", "1", ["thing/plug.py"])
    assert lines(found(packages, "import cv2, thing")[0].direct) == ["opencv-python==4", "thing==1"]


def test_what_is_not_installed_is_guessed_and_told_once(packages: Packages) -> None:
    text = "# %% cell 4\nimport cv2\nimport my_lib.part\nfrom my_lib import other"
    result, diagnostics = resolve(imported(text), (), notebook="n.ipynb", site=packages.site)
    assert lines(result.direct) == ["my-lib", "opencv-python"]
    assert lines(result.lock) == ["my-lib", "opencv-python"]
    assert [(each.code, each.location.position, each.location.line) for each in diagnostics] == [
        ("NB403", 4, 1),
        ("NB403", 4, 2),
    ]


def test_what_the_code_does_without_is_required_only_where_it_is_installed(packages: Packages) -> None:
    packages.add("here", "1", ["here.py"])
    text = "try:\n    import here\n    import nowhere\nexcept ImportError:\n    pass"
    result, told = found(packages, text)
    assert lines(result.direct) == ["here==1"]
    assert told == []
    _, told = found(packages, f"{text}\nimport nowhere")
    assert len(told) == 1


def test_a_local_version_is_written_as_an_index_has_it(packages: Packages) -> None:
    packages.add("torch", "2.13.0+cpu", ["torch/__init__.py"])
    assert lines(found(packages, "import torch")[0].lock) == ["torch==2.13.0  # installed as 2.13.0+cpu"]


def test_the_lock_is_the_closure_with_markers_and_extras(packages: Packages) -> None:
    packages.add(
        "a",
        "1",
        ["a.py"],
        ["B_b>=1", "nt; sys_platform == 'win32'", "old; python_version < '3'", "c[x]", "not a line!!"],
    )
    packages.add("b-b", "2", ["b.py"], ["a"])
    packages.add("c", "3", ["c.py"], ["d; extra == 'x'", "e; extra == 'y'"])
    for name in ("d", "e", "nt", "old"):
        packages.add(name, "1", [f"{name}.py"])
    result, _ = found(packages, "import a")
    assert lines(result.direct) == ["a==1"]
    assert lines(result.lock) == ["a==1", "b-b==2", "c==3", "d==1"]


def test_a_package_is_for_the_oldest_python_that_all_it_needs_runs_on_whoever_converts(packages: Packages) -> None:
    packages.add("a", "1", ["a/__init__.py"], ["b", "old; python_version < '3.12'"], python=">=3.9")
    packages.add("b", "1", ["b/__init__.py"], python=">=3.12,!=3.12.1")
    packages.add("old", "1", ["old/__init__.py"])
    result = found(packages, "import a")[0]
    assert (result.python, lines(result.lock)) == ("3.12", ["a==1", "b==1"])
    result = found(packages, "import old")[0]
    assert (result.python, lines(result.lock)) == ("3.11", ["old==1"])


@pytest.mark.parametrize(("said", "used"), [("3.12", "3.12"), ("3.13", "3.13"), ("3.8", "3.11"), (None, "3.11")])
def test_a_package_is_for_the_python_that_saved_its_notebook(packages: Packages, said: str, used: str) -> None:
    packages.add("a", "1", ["a/__init__.py"], ["new; python_version >= '3.13'"])
    packages.add("new", "1", ["new/__init__.py"])
    result, _ = resolve(imported("import a"), (), notebook="n.ipynb", python=said, site=packages.site)
    assert result.python == used
    assert lines(result.lock) == (["a==1", "new==1"] if used == "3.13" else ["a==1"])


def test_what_pip_lines_ask_for_is_added(packages: Packages) -> None:
    packages.add("pandas", "2.2.1", ["pandas/__init__.py"])
    packages.add("seaborn", "0.13", ["seaborn/__init__.py"])
    asked = ("pandas>=2", "seaborn==0.12", "missing[fast]~=1.0", "git+https://example.com/a/b.git@main#egg=b")
    result, told = found(packages, "import pandas", asked)
    assert lines(result.direct) == [
        "git+https://example.com/a/b.git@main#egg=b",
        "missing[fast]~=1.0",
        "pandas==2.2.1",
        "seaborn==0.12",
    ]
    assert told == []


@pytest.mark.parametrize(
    "text",
    [
        "--index-url=https://evil",
        "a b",
        "x\n--index-url https://evil",
        "git+https://user:word@example.com/a",
        "./a.whl",
    ],
)
def test_what_is_no_requirement_is_told_and_left_out(packages: Packages, text: str) -> None:
    result, told = found(packages, "", (text,))
    assert result.direct == ()
    assert [each[:5] for each in told] == ["NB403"]


def test_what_is_installed_from_elsewhere_is_said(packages: Packages, tmp_path: Path) -> None:
    (tmp_path / "project" / "src" / "mine").mkdir(parents=True)
    packages.add(
        "mine", "1.2", ["_mine.pth"], direct={"url": (tmp_path / "project").as_uri(), "dir_info": {"editable": True}}
    )
    vcs = {"vcs": "git", "commit_id": "abc123"}
    packages.add("ours", "2", ["ours.py"], direct={"url": "https://me:secret@example.com/ours.git", "vcs_info": vcs})
    packages.add("wheel-file", "3", ["wheely.py"], direct={"url": "file:///tmp/w.whl", "archive_info": {}})
    packages.add("folder", "4", ["folder.py"], direct={"url": "file:///tmp/f", "dir_info": {}})
    result, told = found(packages, "import mine, ours, wheely, folder")
    assert lines(result.direct) == [
        "folder==4  # installed from a folder as 4",
        "mine==1.2  # installed in editable form as 1.2",
        "ours @ git+https://example.com/ours.git@abc123",
        "wheel-file==3  # installed from a file as 3",
    ]
    assert [each[:5] for each in told] == ["NB404"] * 4
    assert {each.origin for each in result.direct} == {Origin.EDITABLE, Origin.FOLDER, Origin.ARCHIVE, Origin.VCS}


def test_with_what_is_known_the_same_comes_out_where_nothing_is_installed(packages: Packages, tmp_path: Path) -> None:
    packages.add("torch", "2.13.0+cpu", ["torch/__init__.py"], ["filelock"])
    packages.add("filelock", "3", ["filelock.py"])
    packages.add("google-cloud-storage", "2", ["google/cloud/storage/__init__.py"])
    packages.add("google-auth", "2", ["google/auth/__init__.py"])
    text = (
        "import torch.nn, cv2\nfrom google.cloud import storage\ntry:\n    import faiss\nexcept ImportError:\n    pass"
    )
    first, _ = found(packages, text, ("filelock>=2",))
    (tmp_path / "other").mkdir()
    elsewhere = Packages(tmp_path / "other")
    elsewhere.add("torch", "9", ["torch/__init__.py"])
    elsewhere.add("faiss-cpu", "1", ["faiss/__init__.py"])
    again, told = found(elsewhere, text, ("filelock>=2",), first)
    assert again == first
    assert told == []


def test_notebook_mode_needs_papermill_and_a_kernel(packages: Packages) -> None:
    packages.add("papermill", "2.7.0", ["papermill/__init__.py"], ["nbclient"])
    packages.add("nbclient", "0.11.0", ["nbclient/__init__.py"])
    packages.add("ipykernel", "7.4.0", ["ipykernel/__init__.py"])
    assert imports_of_mode(Mode.MODULE) == ()
    needed, said = resolve(imports_of_mode(Mode.NOTEBOOK), (), notebook="n.ipynb", site=packages.site)
    assert [requirement_line(each) for each in needed.direct] == ["ipykernel==7.4.0", "papermill==2.7.0"]
    assert [each.name for each in needed.lock] == ["ipykernel", "nbclient", "papermill"]
    assert said == ()
