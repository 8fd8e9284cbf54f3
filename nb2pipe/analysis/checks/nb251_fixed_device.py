"""A device is fixed in the code.

`cuda:0`, `.cuda()` or a device's number make the code depend on the machine: without a GPU it fails, and with several
it may take one that is busy.

    net.to("cuda:0")

What to do: choose the device once, `device = "cuda" if torch.cuda.is_available() else "cpu"`, or make it a parameter;
then `net.to(device)`.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.production import dotted, node_place
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.sections import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.checks.production import Code

CODE = "NB251"
_WORTH_READING = re.compile(r"(?i)cuda|gpu|device|mps|xpu|hip|\.to\(")

_NUMBERED = re.compile(r"(?:cuda|mps|xpu|hip|/?gpu|/device:gpu):\d+\Z", re.IGNORECASE)
_HINT = 'choose it once, `device = "cuda" if torch.cuda.is_available() else "cpu"`, or make it a parameter'
_KEYWORDS = frozenset({"device", "device_id", "device_ids", "gpu", "gpu_id", "gpus", "map_location", "device_map"})


def check(code: Code) -> Iterator[Diagnostic]:
    """The devices that are fixed in a notebook's code."""
    for source in code.mentioning(_WORTH_READING):
        severity = Severity.INFO if source.role is Role.PARAMETERS else Severity.WARNING
        for node, what in _found(source.tree, guarded=False):
            yield Diagnostic(
                code=CODE,
                severity=severity,
                message=f"the device is fixed: {what}",
                location=node_place(code.notebook, source, node),
                hint=_HINT,
            )


def _found(node: ast.AST, *, guarded: bool) -> Iterator[tuple[ast.expr, str]]:
    """The devices below a node; `guarded` is what runs only if there is such a device."""
    match node:
        case ast.Constant(value=str(text)) if _NUMBERED.match(text):
            yield node, f"`{text}`"
        case ast.Call() if not guarded:
            yield from _of_call(node)
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value="CUDA_VISIBLE_DEVICES"))], value=value):
            if isinstance(value, ast.Constant):
                yield value, "`CUDA_VISIBLE_DEVICES`"
        case _:
            pass
    inside = guarded or (isinstance(node, ast.If | ast.IfExp) and _asks_for_device(node.test))
    for child in ast.iter_child_nodes(node):
        yield from _found(child, guarded=inside)


def _of_call(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    first = call.args[0] if call.args else None
    if method == "cuda" and not call.keywords and (first is None or _is_number(first)):
        yield call, f"`.cuda({ast.unparse(first) if first else ''})`"
    elif dotted(call.func) == "torch.cuda.set_device" and first is not None and _is_number(first):
        yield call, f"`torch.cuda.set_device({ast.unparse(first)})`"
    elif first is not None and (method == "to" or dotted(call.func) in {"torch.device", "device"}) and _is_fixed(first):
        yield call, f"`{ast.unparse(call.func).rpartition('.')[2]}({ast.unparse(first)})`"
    for keyword in call.keywords:
        if keyword.arg in _KEYWORDS and _is_fixed(keyword.value):
            yield keyword.value, f"`{keyword.arg}={ast.unparse(keyword.value)}`"


def _is_fixed(node: ast.expr) -> bool:
    return _is_number(node) or (isinstance(node, ast.Constant) and node.value in {"cuda", "gpu", "mps"})


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 0


def _asks_for_device(test: ast.expr) -> bool:
    """Whether a condition looks whether there is a device."""
    text = ast.unparse(test).lower()
    return any(word in text for word in ("is_available", "cuda", "gpu", "mps", "device"))
