"""YAML of data, in a form that all readers of YAML take for the same data."""

from __future__ import annotations

import re

import yaml

from nb2pipe.codegen.modules.words import one_line

_NUMBERLIKE = re.compile(r"[-+.]?[0-9].*|[ynYN~]", re.DOTALL)
"""Texts that some readers take for a number or a truth, beside those that PyYAML itself would."""


class Script(str):
    """A text whose lines stand as they are, below a `|`, as scripts do."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Quotes what could be read otherwise, never uses anchors, and indents lists."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # as PyYAML names it
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if _NUMBERLIKE.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _script(dumper: yaml.SafeDumper, text: Script) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Script, _script)


def yaml_text(content: object, *comments: str) -> str:
    """The text of a file.

    Args:
        content: Mappings, lists, texts, numbers, truths and None.
        *comments: Lines above it.

    >>> print(yaml_text({"value": "1e3", "items": ["a", 2]}, "What it is."))
    # What it is.
    value: '1e3'
    items:
      - a
      - 2
    <BLANKLINE>
    """
    head = "".join(f"# {one_line(line)}".rstrip() + "\n" for line in comments)
    return head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
