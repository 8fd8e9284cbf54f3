"""`pip install` in a notebook: the requirements that it names, as lines of a `requirements.txt`."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_JOINTS = re.compile(r"&&|\|\||[;|&]")
_REDIRECTS = re.compile(r"\s(?:[12]?>>?|&>)\s*(?:&1|[\w./-]+)|\s2>&1")
_BEGIN = re.compile(
    r"(?:sudo\s+)?(?:(?:\S*python[\d.]*|\{sys\.executable\}|\$sys\.executable)\s+-m\s+pip|\S*\bpip[\d.]*"
    r"|uv\s+pip|(?:conda|mamba|micromamba))\s+(?:-\S+\s+)*install(?:\s|$)"
)
_VALUED = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links"}
    | {"-t", "--target", "--platform", "--python-version", "--progress-bar", "--proxy", "--timeout", "--trusted-host"}
    | {"--cache-dir", "--prefix", "--root", "--src", "--upgrade-strategy", "--no-binary", "--only-binary", "--log"}
    | {"-n", "--name", "-p", "--channel", "--abi", "--implementation", "--retries", "--exists-action"}
)
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._,-]*\])?"
    r"(?:(?:===|~=|==|!=|<=|>=|<|>)[A-Za-z0-9.*+!_-]+(?:,(?:===|~=|==|!=|<=|>=|<|>)[A-Za-z0-9.*+!_-]+)*)?"
)
_PLACE = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?:git\+)?https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """What an install command asks for.

    Attributes:
        requirements: As `requirements.txt` takes them.
        files: Files of requirements that it reads.
        other: What is neither: folders, files, and what only the run can tell.
    """

    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


def installs(command: str) -> Install | None:
    """What a shell command installs; None if it does anything else, or something else too.

    >>> installs("pip install -q 'torch>=2' pandas==2.2 > /dev/null")
    Install(requirements=('torch>=2', 'pandas==2.2'), files=(), other=())
    >>> installs("pip install a && make") is None
    True
    """
    found = [_install(part.strip()) for part in _JOINTS.split(_REDIRECTS.sub(" ", f" {command}")) if part.strip()]
    known = [install for install in found if install is not None]
    return _joined(known) if known and len(known) == len(found) else None


def mentions_install(command: str) -> bool:
    """Whether a part of a shell command installs packages."""
    return any(_BEGIN.match(part.strip()) for part in _JOINTS.split(command))


def _joined(found: Iterable[Install]) -> Install:
    listed = tuple(found)
    return Install(
        requirements=tuple(dict.fromkeys(text for install in listed for text in install.requirements)),
        files=tuple(text for install in listed for text in install.files),
        other=tuple(text for install in listed for text in install.other),
    )


def _install(command: str) -> Install | None:
    begin = _BEGIN.match(command)
    if begin is None:
        return None
    try:
        words = shlex.split(command[begin.end() :], comments=True)
    except ValueError:
        return Install(other=(command[begin.end() :],))
    is_conda = "conda" in begin[0] or "mamba" in begin[0]
    return _sorted_out(words, is_conda=is_conda)


def _sorted_out(words: list[str], *, is_conda: bool) -> Install:
    requirements: list[str] = []
    files: list[str] = []
    other: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in {"-e", "--editable"}:
            text = next(rest, "")
            (requirements if _PLACE.fullmatch(text) else other).append(text)  # a repository is no folder here
        elif word in _VALUED:
            value = next(rest, "")
            files += [value] if word in {"-r", "--requirement"} else []
        elif word.startswith("-r") and len(word) > len("-r"):
            files.append(word.removeprefix("-r"))
        elif word.startswith("--requirement="):
            files.append(word.partition("=")[2])
        elif not word.startswith("-"):
            text = _of_conda(word) if is_conda else word
            (requirements if _is_requirement(text) else other).append(text)
    return Install(requirements=tuple(requirements), files=tuple(files), other=tuple(other))


def _is_requirement(text: str) -> bool:
    if text.startswith((".", "/")) or (text.endswith((".whl", ".zip", ".tar.gz")) and "://" not in text):
        return False
    return bool(_REQUIREMENT.fullmatch(text) or _PLACE.fullmatch(text))


def _of_conda(text: str) -> str:
    """A package as conda writes it, `numpy=1.26` or `conda-forge::numpy`, as pip does."""
    name = text.rpartition("::")[2]
    return re.sub(r"(?<![=<>!~])=(?![=])", "==", name, count=1)
