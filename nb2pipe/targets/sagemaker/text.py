"""JSON that people can read: what fits on a line stands on one."""

from __future__ import annotations

import json

_WIDTH = 110
_INDENT = "  "


def json_text(content: object, before: str = "", column: int = 0) -> str:
    """A value as JSON.

    Args:
        content: What `json.dumps` takes.
        before: The blanks that its lines begin with.
        column: Where its first line begins.

    >>> print(json_text({"a": [1, 2], "b": {"c": "x" * 100}}))
    {
      "a": [1, 2],
      "b": {
        "c": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      }
    }
    """
    line = json.dumps(content)
    if len(before) + column + len(line) <= _WIDTH or not isinstance(content, (dict, list)) or not content:
        return line
    inner = before + _INDENT
    if isinstance(content, dict):
        rows = [(f"{json.dumps(key)}: ", value) for key, value in content.items()]
        begin, end = "{", "}"
    else:
        rows = [("", value) for value in content]
        begin, end = "[", "]"
    texts = (f"{inner}{name}{json_text(value, inner, len(name))}" for name, value in rows)
    return begin + "\n" + ",\n".join(texts) + f"\n{before}{end}"
