"""Groups: the variables that reach a common mutable object, stored as one graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2pipe.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Variables that share mutable objects, and so travel as one graph.

    Attributes:
        names: Sorted.
        digest: The store's artifact that holds the graph.
    """

    names: tuple[str, ...]
    digest: Digest
