"""A kind of hidden state: how it is read and set again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of hidden state.

    Attributes:
        name: Its name in a call's state.
        read: All options.
        write: Sets the options of the first argument, and takes those of the second away.
        module: The module that has to be imported before it exists.
        plain: The options are JSON; otherwise they are stored as variables are.
        lacks: Why some of the options cannot be set again; None where all can be.
    """

    name: str
    read: Callable[[], Options]
    write: Callable[[Options, list[str]], None]
    module: str = "sys"
    plain: bool = True
    lacks: Callable[[Options], str | None] = lambda _options: None
