"""What lies around a notebook, read at the edge so that analysis stays pure: modules, their names, distributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What lies around the notebook, read at the edge, so that analysis stays pure.

    Attributes:
        star_exports: The names that `from MODULE import *` binds, by module.
        local_sources: The text of the modules beside the notebook, by module name.
        distributions: Installed distributions and versions.
        modules: The distribution of each importable top-level module.
    """

    star_exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    local_sources: Mapping[str, str] = field(default_factory=dict)
    distributions: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
