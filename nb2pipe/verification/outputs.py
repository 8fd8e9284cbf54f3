"""What a cell showed, without what differs between any two runs: addresses, file names, times, progress on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nb2pipe.verification.model import Output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
_WORD = re.compile(r"\S+")
_KERNEL_FILE = re.compile(r"ipykernel_\d+[/\\]\d+\.py(?::\d+:)?")
_MODULE_FILE = re.compile(r"[/\\](?:steps[/\\][^:]+|cells[/\\][^:]+|definitions)\.py:\d+:")
_TIMES = re.compile(r"^(?:CPU times|Wall time|Compiler time|Parser\s*:).*$", re.MULTILINE)
_PACE = re.compile(r"\[\d+:\d\d(?::\d\d)?<[^\]\n]*\]")
"""The end of a bar of tqdm: how long it took, and how fast it was."""
_IDENTITIES = frozenset({"application/vnd.jupyter.widget-view+json"})
"""What only names something by a random identity."""


def output_of(found: Iterable[Mapping[str, Any]], *, printed_only: bool) -> Output:
    r"""What a cell showed.

    Args:
        found: Outputs of nbformat 4.
        printed_only: Rich output is left out: modules show none.

    >>> shown = {"output_type": "stream", "name": "stdout", "text": "at 0x7f0011223344\n"}
    >>> output_of([shown, shown], printed_only=True).texts
    {'stdout': 'at 0x\nat 0x\n'}
    """
    texts: dict[str, str] = {}
    rich: list[str] = []
    error = ""
    for each in found:
        match each["output_type"]:
            case "stream":
                texts[each["name"]] = texts.get(each["name"], "") + each["text"]
            case "error":
                error = scrubbed(f"{each['ename']}: {each['evalue']}")
            case _ if not printed_only:
                rich += [f"{kind}: {_scrubbed_data(kind, data)}" for kind, data in _data(each)]
            case _:
                pass
    return Output(texts={name: scrubbed(text) for name, text in sorted(texts.items())}, rich=tuple(rich), error=error)


def scrubbed(text: str) -> str:
    r"""A text without what differs between any two runs.

    >>> scrubbed("\r 50%|## | 1/2 [00:00<00:01, 1.5it/s]\r100%|####| 2/2 [00:02<00:00, 1.1it/s]")
    '100%|####| 2/2 [(time)]'
    """
    if "\r" in text:
        text = "\n".join(_as_it_ended(line) for line in text.replace("\r\n", "\n").split("\n"))
    text = _PACE.sub("[(time)]", _ADDRESS.sub("0x", text))
    if ".py" in text:
        text = _WORD.sub(_without_file, text)
    return _TIMES.sub("(time)", text)


def _without_file(word: re.Match[str]) -> str:
    """A word without the name and line of the file that a cell's code is taken to stand in.

    Word by word, since a picture is one long word, in which a search that may begin anywhere takes for ever.
    """
    text = word[0]
    for pattern in (_KERNEL_FILE, _MODULE_FILE):
        if ".py" in text and (found := pattern.search(text)):
            text = f"(cell){text[found.end() :]}"
    return text


def _as_it_ended(line: str) -> str:
    """A line that was written over, as a progress bar is, as it stood in the end; how often depends on the time."""
    return next((part for part in reversed(line.split("\r")) if part), "")


def _scrubbed_data(kind: str, data: Any) -> str:
    return scrubbed(str(data)) if kind.startswith("text/") else str(data)


def _data(output: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(kind, data) for kind, data in sorted(output.get("data", {}).items()) if kind not in _IDENTITIES]
