"""What has to be installed for the modules of a bundle: from what they import, what is installed, and `pip` lines."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from nb2pipe.bundles.installed import Provided, Site, marked
from nb2pipe.targets.checks.nb403_module_not_installed import module_not_installed, not_found_for_pip
from nb2pipe.targets.checks.nb404_not_from_an_index import not_from_an_index
from nb2pipe.targets.imports import Imported
from nb2pipe.targets.model import Mode, Origin, Requirement, Requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nb2pipe.diagnostics import Diagnostic

WELL_KNOWN: Mapping[str, str] = {
    "Bio": "biopython",
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenGL": "PyOpenGL",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "googleapiclient": "google-api-python-client",
    "igraph": "python-igraph",
    "imblearn": "imbalanced-learn",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "mysql.connector": "mysql-connector-python",
    "nacl": "PyNaCl",
    "osgeo": "GDAL",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pythoncom": "pywin32",
    "pywt": "PyWavelets",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "slugify": "python-slugify",
    "snowflake.connector": "snowflake-connector-python",
    "talib": "TA-Lib",
    "telegram": "python-telegram-bot",
    "umap": "umap-learn",
    "usb": "pyusb",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "wx": "wxPython",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Distributions whose name is not that of their module, for modules that are not installed here."""

_FORMERLY_STANDARD = frozenset(
    {"aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils", "imghdr"}
    | {"imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "smtpd", "sndhdr"}
    | {"spwd", "sunau", "telnetlib", "uu", "xdrlib"}
)
"""Modules of the standard library of Python 3.11 that later ones lack; the same answer on each."""

_STANDARD = sys.stdlib_module_names | _FORMERLY_STANDARD | {"__main__", "__future__", "nb2pipe"}
"""Modules that need no distribution; the part of nb2pipe that runs in a step is carried along."""

PYTHONS = ("3.11", "3.12", "3.13")
"""The versions of Python that bundles run on."""

_NAMESPACES = frozenset({"google", "azure"})
"""Packages that many distributions share; the module's name tells which."""

_URL = re.compile(
    r"(?:git\+)?https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/%+,=-]*(?:@[A-Za-z0-9._/-]+)?(?:#[A-Za-z0-9._=&-]+)?", re.ASCII
)
"""Addresses that can be written down: they name no user and no password."""


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    notebook: str
    direct: dict[str, Requirement] = field(default_factory=dict)
    modules: dict[str, str | None] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(self, requirement: Requirement) -> None:
        """A requirement; one of a second module of the same distribution is no other."""
        self.direct.setdefault(canonicalize_name(requirement.name), requirement)


def imports_of_mode(mode: Mode) -> tuple[Imported, ...]:
    """What is imported where a step runs, besides by the author's code: its notebook needs papermill and a kernel."""
    names = ("papermill", "ipykernel") if mode is Mode.NOTEBOOK else ()
    return tuple(Imported(module=name, line=1) for name in names)


def resolve(
    imports: Iterable[Imported],
    asked: Iterable[str],
    *,
    notebook: str,
    python: str | None = None,
    known: Requirements | None = None,
    site: Site | None = None,
) -> tuple[Requirements, tuple[Diagnostic, ...]]:
    """What has to be installed.

    Args:
        imports: What modules import; local modules are not among it.
        asked: What `pip install` lines ask for, as written.
        notebook: The notebook's path as the user gave it.
        python: The version of Python that the notebook says it is for, such as `3.12`.
        known: What a bundle was made with: its versions hold, and its modules are not looked for again.
        site: The installed distributions.
    """
    site = site or Site()
    found = _Found(notebook)
    wanted = (python,) if python in PYTHONS else PYTHONS
    known = known or Requirements(python=wanted[0])
    locked: dict[str, Requirement] = {_order(each): each for each in (*known.lock, *known.direct)}
    for each in sorted(imports, key=lambda each: each.optional):
        if each.module.partition(".")[0] not in _STANDARD:
            _add_module(found, each, known.modules, locked, site)
    for text in asked:
        _add_asked(found, text, locked, site, known.python)
    for requirement in found.direct.values():
        if requirement.version is not None and requirement.origin is not Origin.INDEX:
            found.diagnostics.append(not_from_an_index(notebook, requirement))
    direct = tuple(sorted(found.direct.values(), key=_order))
    python, lock = (known.python, known.lock) if known.lock else _lock(direct, site, wanted)
    modules = dict(sorted(found.modules.items()))
    return Requirements(direct=direct, lock=lock, modules=modules, python=python), tuple(found.diagnostics)


def _order(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


def _lock(direct: tuple[Requirement, ...], site: Site, pythons: Sequence[str]) -> tuple[str, tuple[Requirement, ...]]:
    """The full closure, with what is asked for and has no version; and the first Python that it runs on, else the last.

    The Python that converts has no say in it: it may be another one tomorrow.
    """
    pinned_ones = [each for each in direct if each.version is not None]
    python = next((each for each in pythons if site.run_on(site.closure(pinned_ones, each), each)), pythons[-1])
    pinned = {_order(each): each for each in site.closure(pinned_ones, python)}
    open_ones = [each for each in direct if each.version is None and _order(each) not in pinned]
    return python, tuple(sorted([*pinned.values(), *open_ones], key=_order))


def _add_module(
    found: _Found,
    each: Imported,
    known: Mapping[str, str | None],
    locked: Mapping[str, Requirement],
    site: Site,
) -> None:
    """Adds the distribution of an imported module."""
    if _longest(each.module, found.modules) is not None:
        return
    part = _longest(each.module, known)
    provided = site.find(each.module) if part is None else Provided(known[part], part.replace(".", "/"))
    if provided is None:
        _add_missing(found, each)
        return
    name = provided.name
    found.modules[provided.path.replace("/", ".")] = name
    if name is None:
        return
    requirement = locked.get(canonicalize_name(name)) or site.get(name) or Requirement(name=name)
    found.add(requirement)


def _longest(module: str, known: Mapping[str, str | None]) -> str | None:
    """The longest beginning of a module's name that is known, where that says who brings it.

    >>> _longest("a.b.c", {"a.b": "ab", "a": "a"}), _longest("a.b.c", {"a.b": None})
    ('a.b', None)
    """
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if (name == module and name in known) or known.get(name)), None)


def _add_missing(found: _Found, each: Imported) -> None:
    """Adds a guess for a module that is not installed; none for one that the code does without."""
    name = None if each.optional else guessed(each.module)
    top = each.module.partition(".")[0]
    found.modules[each.module if name is None or top in _NAMESPACES else top] = name
    if name is None or canonicalize_name(name) in found.direct:
        return
    found.add(Requirement(name=name))
    found.diagnostics.append(module_not_installed(found.notebook, each, name))


def guessed(module: str) -> str | None:
    """The distribution that a module most likely comes with, told by its name; None for a mere namespace.

    >>> guessed("cv2"), guessed("google.cloud.storage.Client"), guessed("google.cloud"), guessed("my_lib.part")
    ('opencv-python', 'google-cloud-storage', None, 'my-lib')
    >>> guessed("google.protobuf.message"), guessed("mysql.connector")
    ('protobuf', 'mysql-connector-python')
    """
    parts = module.split(".")
    beginnings = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    known = next((WELL_KNOWN[each] for each in beginnings if each in WELL_KNOWN), None)
    if known is not None:
        return known
    if parts[0] in _NAMESPACES:
        plain = [part for part in parts[:3] if part.islower()]
        return "-".join(plain).replace("_", "-") if len(plain) > 1 and plain != ["google", "cloud"] else None
    return parts[0].replace("_", "-")


def _add_asked(found: _Found, text: str, locked: Mapping[str, Requirement], site: Site, python: str) -> None:
    """Adds what a `pip install` line asks for."""
    try:
        parsed = Parsed(text)
    except InvalidRequirement:
        if not _URL.fullmatch(text):
            found.diagnostics.append(not_found_for_pip(found.notebook, text))
            return
        found.add(Requirement(name=text, url=text, origin=Origin.VCS))
        return
    if parsed.url is not None and not _URL.fullmatch(parsed.url):
        found.diagnostics.append(not_found_for_pip(found.notebook, text))
    elif parsed.marker is None or parsed.marker.evaluate({"extra": "", **marked(python)}):
        _add_parsed(found, parsed, locked, site)


def _add_parsed(found: _Found, parsed: Parsed, locked: Mapping[str, Requirement], site: Site) -> None:
    name = canonicalize_name(parsed.name)
    extras = tuple(sorted(parsed.extras))
    here = found.direct.get(name) or locked.get(name) or site.get(name)
    if here is not None and here.version is not None and parsed.url is None and _fits(parsed, here.version):
        found.direct[name] = replace(here, extras=extras)
        return
    asked = Requirement(name=parsed.name, specifier=str(parsed.specifier), extras=extras, url=parsed.url)
    found.direct[name] = asked


def _fits(parsed: Parsed, version: str) -> bool:
    return parsed.specifier.contains(version.partition("+")[0], prereleases=True)
