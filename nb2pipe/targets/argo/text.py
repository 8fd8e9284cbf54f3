r"""Texts in an Argo Workflow: Argo reads `{{...}}` in all of them, and Kubernetes `$(...)` in those of containers.

Argo has no escape. It replaces what begins with a root that it knows (`workflow`, `inputs`, ...) or with `=`, and
leaves the rest as it is; an opening without an end is an error. Kubernetes takes `$$` for `$`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nb2pipe.records.values import is_masked_default

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.pipeline.model import Parameter

BRACE = "BRACE"
"""The variable that holds an opening brace, where a text is to have two of them."""

_ROOTS = frozenset(
    {"cronworkflow", "duration", "error", "exitCode", "inputs", "item", "items", "lastRetry", "node", "outputs", "pod"}
    | {"resourcesDuration", "retries", "status", "steps", "tasks", "template", "workflow"}
)
_TYPES = frozenset({"int", "float", "str", "bool", "list", "dict", "None"})
_NAME = re.compile(r"[-a-zA-Z0-9_]+")
_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SECRET = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_ASTRAL = 0x10000
_CONTROLS = "\b\f\n\r\t"


def shown(text: str) -> str:
    """A text for people, in which Argo sees nothing to replace.

    >>> shown("{{workflow.name}}")
    '{ {workflow.name}}'
    """
    return re.sub(r"\{(?=\{)", "{ ", text)


def is_left_alone(text: str) -> bool:
    """Whether Argo leaves a text as it is.

    >>> [is_left_alone(text) for text in ("a", "{{ x }}", "{{workflow.name}}", "{{=1}}", "{{ open")]
    [True, True, False, False, False]
    """
    return all(tag is not None and _is_unknown(tag) for tag in _tags(text))


def _tags(text: str) -> Iterator[str | None]:
    """What stands between double braces; None where they do not end."""
    place = text.find("{{")
    while place >= 0:
        end = text.find("}}", place + 2)
        yield text[place + 2 : end] if end >= 0 else None
        place = text.find("{{", end + 2) if end >= 0 else -1


def _is_unknown(tag: str) -> bool:
    root = re.match(r"\s*([^\s.\[]*)", tag)
    return "{{" not in tag and not tag.startswith("=") and (root is None or root.group(1) not in _ROOTS)


def expanded(text: str) -> str:
    """The text of which Kubernetes makes this one, with nothing in it for Argo; `BRACE` has to be there before.

    >>> print(expanded("$(x) a$ {{workflow.name}}"))
    $$(x) a$ {$(BRACE)workflow.name}}
    """
    return re.sub(r"(?<=\{)\{", f"$({BRACE})", re.sub(r"\$(?=[$(])", "$$", text))


def name_problem(parameter: Parameter) -> str | None:
    """Why a parameter cannot be one of Argo's."""
    return None if _NAME.fullmatch(parameter.name) else "names of parameters hold letters, digits, - and _ alone"


def value_text(parameter: Parameter) -> str | None:
    """The default of a parameter as its step reads it; None where Argo would change it, or where there is none."""
    value = parameter.default
    if not parameter.is_literal or parameter.type not in _TYPES or is_masked_default(value):
        return None
    if isinstance(value, str):
        return value if is_left_alone(value) and all(map(_passes, value)) else None
    return _json_text(value)


def _passes(character: str) -> bool:
    """Whether a character passes through Argo: it quotes texts as Go does, which is not always JSON."""
    if character.isprintable() or character in _CONTROLS:
        return True
    return 0x80 <= ord(character) < _ASTRAL and not 0xD800 <= ord(character) < 0xE000  # noqa: PLR2004  # surrogates


def _json_text(value: object) -> str | None:
    try:
        text = json.dumps(value, ensure_ascii=False).replace("{{", "{\\u007b")
        if any(not character.isprintable() or ord(character) >= _ASTRAL for character in text):
            text = json.dumps(value).replace("{{", "{\\u007b")
        return text if repr(json.loads(text)) == repr(value) else None
    except (TypeError, ValueError, RecursionError):
        return None


def label_problem(key: str, value: str) -> str | None:
    """Why Kubernetes does not take a label.

    >>> label_problem("team", "vision"), label_problem("team", "a b")
    (None, "Kubernetes takes no label with the value 'a b'")
    """
    if not _KEY.fullmatch(key):
        return f"Kubernetes takes no label with the key {key!r}"
    return None if _LABEL.fullmatch(value) else f"Kubernetes takes no label with the value {value!r}"


def annotation_problem(key: str, value: str) -> str | None:
    """Why an annotation cannot be written."""
    if not _KEY.fullmatch(key):
        return f"Kubernetes takes no annotation with the key {key!r}"
    return None if is_left_alone(value) else f"Argo would replace what stands in double braces in {value!r}"


def resource_problem(name: str) -> str | None:
    """Why a limit cannot be written; `gpu` is one of NVIDIA's."""
    known = name in _RESOURCES or name == "gpu" or name.startswith("hugepages-") or "/" in name
    return None if known else f"Kubernetes knows no resource {name!r}; another one has a domain, as nvidia.com/gpu has"


def secret_problem(name: str) -> str | None:
    """Why a secret cannot be had."""
    return None if _SECRET.fullmatch(name) else f"Kubernetes takes no secret with the name {name!r}"
