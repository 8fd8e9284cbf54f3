"""A distribution that the steps need was not installed from an index.

It was installed in editable form, from a folder, a file or a repository, so that no index may have this version of it.
A repository's commit is written into `requirements.txt` as it is; of a folder only name and version can be said.

    pip install --editable ../my_library

What to do: publish the distribution on the index that the image is built from; or lay its package beside the notebook,
so that it is copied into the bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.diagnostics import Diagnostic, Location, Severity
from nb2pipe.targets.model import Origin

if TYPE_CHECKING:
    from nb2pipe.targets.model import Requirement

CODE = "NB404"
_WORDS = {
    Origin.EDITABLE: "in editable form",
    Origin.FOLDER: "from a folder",
    Origin.ARCHIVE: "from a file",
    Origin.VCS: "from a repository",
}


def not_from_an_index(notebook: str, requirement: Requirement) -> Diagnostic:
    """A warning; an info where a repository's commit can be written down.

    Args:
        notebook: The notebook's path as the user gave it.
        requirement: Of an origin other than an index.
    """
    name = requirement.name
    return Diagnostic(
        code=CODE,
        severity=Severity.WARNING if requirement.url is None else Severity.INFO,
        message=f"`{name}` {requirement.version} is installed {_WORDS[requirement.origin]}; an index may not have it",
        location=Location(notebook=notebook),
        hint=f"publish {name} where the image is built from, or lay its package beside the notebook",
    )
