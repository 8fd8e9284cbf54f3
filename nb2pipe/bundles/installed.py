"""The distributions that are installed: which one brings a module, what it needs, and where it came from."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nb2pipe.targets.model import Origin, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SAFE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9._~:/@!$&'()*+,;=%\[\]-]+", re.ASCII)


class Provided(NamedTuple):
    """Who brings a module.

    Attributes:
        name: The distribution; None for a namespace package that several share, which needs none itself.
        path: The part of the module's name that is the distribution's, with `/`.
    """

    name: str | None
    path: str


class _Known(NamedTuple):
    """What the metadata of a distribution say; `python` is which versions of Python it runs on."""

    name: str
    version: str
    requires: tuple[str, ...]
    python: str
    distribution: importlib.metadata.Distribution


@dataclass(slots=True)
class Site:
    """The distributions on a path, read when they are asked for.

    Attributes:
        path: Folders that hold distributions; None for those of this Python.
    """

    path: Sequence[str] | None = None
    _by_name: dict[str, _Known] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places = sys.path if self.path is None else self.path
        for distribution in importlib.metadata.distributions(path=list(places)):
            known = _known(distribution)
            if known is not None:
                self._by_name.setdefault(canonicalize_name(known.name), known)  # the first on the path is imported

    def get(self, name: str) -> Requirement | None:
        """What is known of an installed distribution, or None."""
        known = self._by_name.get(canonicalize_name(name))
        if known is None:
            return None
        origin, url = _origin(known.distribution)
        return Requirement(name=known.name, version=known.version or None, origin=origin, url=url)

    def find(self, module: str) -> Provided | None:
        """The distribution that brings a module; None where nobody does.

        The longest part of the name that is somebody's own counts, so that of a namespace package the right one is
        found.
        """
        parts = module.split(".")
        paths = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        candidates = [name for name in self._by_name if _holds(self._listed(name), parts[0])]
        for path in reversed(paths):
            owners = [name for name in candidates if _owns(self._listed(name), path)]
            if owners:
                name = min(owners, key=lambda name: (name != canonicalize_name(parts[0]), name))
                return Provided(name, next(each for each in paths if _owns(self._listed(name), each)))
        sharing = [name for name in candidates if f"\n{paths[-1]}/" in self._listed(name)]
        if sharing:
            return Provided(sharing[0] if len(sharing) == 1 else None, paths[-1])
        editable = min(self._editable(parts[0]), default=None)
        return None if editable is None else Provided(editable, parts[0])

    def closure(self, wanted: Iterable[Requirement], python: str) -> tuple[Requirement, ...]:
        """The distributions that some need, themselves counted, on this machine; sorted.

        Args:
            wanted: Those that are needed.
            python: The version of Python that they are needed on, such as `3.12`.
        """
        waiting = [(each.name, extra) for each in wanted for extra in ("", *each.extras)]
        seen: set[tuple[str, str]] = set()
        while waiting:
            name, extra = waiting.pop()
            known = self._by_name.get(canonicalize_name(name))
            if known is None or (canonicalize_name(name), extra) in seen:
                continue
            seen.add((canonicalize_name(name), extra))
            waiting += list(_needs(known, {"extra": extra, **marked(python)}))
        found = (self.get(name) for name in sorted({name for name, _ in seen}))
        return tuple(each for each in found if each is not None)

    def run_on(self, requirements: Iterable[Requirement], python: str) -> bool:
        """Whether distributions say that they run on a version of Python, such as `3.12`."""
        known = (self._by_name.get(canonicalize_name(each.name)) for each in requirements)
        return all(_allows(each.python, python) for each in known if each is not None)

    def _listed(self, name: str) -> str:
        """The list of files of a distribution, each on a line of its own."""
        if name not in self._files:
            distribution = self._by_name[name].distribution
            text = distribution.read_text("RECORD")
            if text is None:  # not installed by pip
                text = "\n".join(str(file) for file in distribution.files or ())
                tops = (distribution.read_text("top_level.txt") or "").split()
                text += "".join(f"\n{top}/__init__.py" for top in tops)
            self._files[name] = f"\n{text}"
        return self._files[name]

    def _editable(self, top: str) -> Iterator[str]:
        """The distributions in editable form whose folder holds a module."""
        for name, known in self._by_name.items():
            folder = _editable_folder(known.distribution)
            if folder is not None and any(
                (base / top).is_dir() or (base / f"{top}.py").is_file() for base in (folder, folder / "src")
            ):
                yield name


def marked(python: str) -> dict[str, str]:
    """What the markers of requirements see of a version of Python, such as `3.12`."""
    return {"python_version": python, "python_full_version": f"{python}.0"}


def _allows(specifier: str, python: str) -> bool:
    """Whether a distribution runs on the last release of a version of Python.

    >>> _allows(">=3.11.4,<3.13", "3.11"), _allows(">=3.12", "3.11"), _allows("", "3.11")
    (True, False, True)
    """
    try:
        return SpecifierSet(specifier).contains(f"{python}.99")
    except InvalidSpecifier:
        return True


def _known(distribution: importlib.metadata.Distribution) -> _Known | None:
    """What its metadata say; only the lines that count are read, since parsing all of it takes ten times as long."""
    text = distribution.read_text("METADATA")
    if text is None:  # not installed by pip
        metadata = distribution.metadata
        name = metadata["Name"] if metadata else None
        python = str(metadata["Requires-Python"] or "") if metadata else ""
        requires = tuple(distribution.requires or ())
        return _Known(name, distribution.version, requires, python, distribution) if name else None
    found: dict[str, list[str]] = {"name": [], "version": [], "requires-dist": [], "requires-python": []}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not line:
            break
        if colon and key.lower() in found:
            found[key.lower()].append(value.strip())
    names, versions, needs, pythons = found.values()
    version, python = versions[0] if versions else "", pythons[0] if pythons else ""
    return _Known(names[0], version, tuple(needs), python, distribution) if names else None


def _holds(listed: str, top: str) -> bool:
    return f"\n{top}/" in listed or f"\n{top}." in listed


def _owns(listed: str, path: str) -> bool:
    """Whether a distribution has a module, rather than a part of a namespace package."""
    if f"\n{path}/__init__." in listed or f"\n{path}.py" in listed:
        return True
    return re.search(rf"\n{re.escape(path)}\.(?:[\w-]+\.)?(?:so|pyd)\b", listed) is not None


def _needs(known: _Known, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for text in known.requires:
        parsed = _parsed(text)
        if parsed is None or (parsed.marker is not None and not parsed.marker.evaluate(dict(environment))):
            continue
        if environment["extra"] and parsed.marker is None:
            continue  # needed without the extra too, and found there
        yield from ((parsed.name, each) for each in ("", *parsed.extras))


@cache
def _parsed(text: str) -> Parsed | None:
    try:
        return Parsed(text)
    except InvalidRequirement:
        return None


def _direct_url(distribution: importlib.metadata.Distribution) -> Mapping[str, Any]:
    try:
        found = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _editable_folder(distribution: importlib.metadata.Distribution) -> Path | None:
    found = _direct_url(distribution)
    place = urlsplit(str(found.get("url", "")))
    editable = isinstance(found.get("dir_info"), dict) and found["dir_info"].get("editable") is True
    return Path(unquote(place.path)) if editable and place.scheme == "file" else None


def _origin(distribution: importlib.metadata.Distribution) -> tuple[Origin, str | None]:
    found = _direct_url(distribution)
    url = str(found.get("url", ""))
    remote = url if urlsplit(url).scheme in {"https", "http", "ssh"} else ""
    match found:
        case {"dir_info": {"editable": True}}:
            return Origin.EDITABLE, None
        case {"vcs_info": {"vcs": str(vcs), "commit_id": str(commit)}} if remote:
            return Origin.VCS, _clean(f"{vcs}+{remote}@{commit}")
        case {"archive_info": dict()}:
            return Origin.ARCHIVE, _clean(remote) if remote else None
        case {"dir_info": dict()} | {"vcs_info": dict()}:
            return Origin.FOLDER, None
        case _:
            return Origin.INDEX, None


def _clean(url: str) -> str | None:
    """The address without a password; None for one that is not plain."""
    scheme, place, path, query, _ = urlsplit(url)
    user, _, host = place.rpartition("@")
    kept = f"{user}@{host}" if user and ":" not in user and "ssh" in scheme else host
    cleaned = urlunsplit((scheme, kept, path, query, ""))
    return cleaned if _SAFE_URL.fullmatch(cleaned) else None
