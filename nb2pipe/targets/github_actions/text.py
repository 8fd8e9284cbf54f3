"""The text of a workflow of GitHub: YAML as people write it there."""

from __future__ import annotations

import re
from textwrap import indent
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.codegen.modules.words import one_line
from nb2pipe.targets.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSIONS: Final = {
    "actions/checkout": ("8e8c483db84b4bee98b60c0593521ed34d9990e8", "v6.0.1"),
    "actions/setup-python": ("83679a892e2d95755f2dac6acb0bfd1e9ac5d548", "v6.1.0"),
    "actions/cache": ("9255dc7a253b0ccc959486e2bca901246202afeb", "v5.0.1"),
    "actions/upload-artifact": ("b7c566a772e6b6bfb58ed0dc250532a479d7789f", "v6.0.0"),
    "actions/download-artifact": ("37930b1c2abaa49bbe596cd826c3c89aef350131", "v7.0.0"),
}
"""GitHub's own actions, by commit: a tag may be moved. Dependabot raises commit and comment together."""

_USES = re.compile(r"^( *(?:- )?uses: ([\w-]+/[\w-]+)[\w/-]*@[0-9a-f]{40})$", re.MULTILINE)


def action(name: str) -> str:
    """An action as a step uses it.

    >>> action("actions/cache/restore")
    'actions/cache/restore@9255dc7a253b0ccc959486e2bca901246202afeb'
    """
    commit, _ = _VERSIONS["/".join(name.split("/")[:2])]
    return f"{name}@{commit}"


def literal(text: str) -> str:
    """A text in which GitHub sees no expression, for places where it looks for them.

    >>> print(literal("a ${{ b }}"))
    a ${{ '${{' }} b }}
    """
    return text.replace("${{", "${{ '${{' }}")


def plain(text: str) -> str:
    """A text for places in which GitHub allows no expressions.

    >>> print(plain("a ${{ b }}"))
    a $ {{ b }}
    """
    return one_line(text).replace("${{", "$ {{")


def workflow_text(head: Sequence[str], content: Mapping[str, Any]) -> str:
    """The text of a workflow, with a blank line between its parts.

    Args:
        head: Comments above it.
        content: The workflow.
    """
    comments = "".join(f"# {one_line(line)}\n" for line in head)
    parts = [_part(name, value) for name, value in content.items()]
    return _USES.sub(_with_version, comments + "\n".join(parts))


def _part(name: str, value: Any) -> str:
    if name != "jobs":
        return yaml_text({name: value}).replace("'on':", "on:", 1)
    jobs = (indent(yaml_text({job: content}), "  ") for job, content in value.items())
    return "jobs:\n" + "\n".join(jobs)


def _with_version(found: re.Match[str]) -> str:
    known = _VERSIONS.get(found[2])
    return f"{found[1]} # {known[1]}" if known and known[0] in found[1] else found[1]
