"""Fields of a JSON file that anybody may have written: what is not of the type that is asked for is named by place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from enum import StrEnum

    E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class FieldError(ValueError):
    """A field is missing, or holds something else than it should."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value out of JSON, and where it stands.

    Attributes:
        value: What `json.loads` gave.
        place: Such as `steps[2].cells`; empty for the whole.
    """

    value: object
    place: str = ""

    def wrong(self, what: str) -> FieldError:
        """The error that says what is wrong with the field.

        >>> str(Field(1, "steps[0]").wrong("is no object"))
        '`steps[0]` is no object'
        """
        return FieldError(f"`{shown(self.place)}` {what}" if self.place else f"the whole {what}")

    def members(self) -> dict[str, Field]:
        """The fields of an object, by their keys."""
        if not isinstance(self.value, dict):
            raise self.wrong("is no object")
        return {key: Field(item, f"{self.place}.{key}" if self.place else key) for key, item in self.value.items()}

    def __getitem__(self, key: str) -> Field:
        found = self.find(key)
        if found is None:
            raise self.wrong(f"has no `{key}`")
        return found

    def find(self, key: str) -> Field | None:
        """A field of an object; None where it is not there."""
        if not isinstance(self.value, dict):
            raise self.wrong("is no object")
        place = f"{self.place}.{key}" if self.place else key
        return Field(self.value[key], place) if key in self.value else None

    def items(self) -> list[Field]:
        """The fields of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("is no list")
        return [Field(item, f"{self.place}[{number}]") for number, item in enumerate(self.value)]

    def text(self) -> str:
        """A text."""
        if not isinstance(self.value, str):
            raise self.wrong("is no text")
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("is neither true nor false")
        return self.value

    def whole(self, lowest: int = 0, highest: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong("is no whole number")
        if value < lowest or (highest is not None and value > highest):
            raise self.wrong(f"is not between {lowest} and {highest}" if highest is not None else "is too small")
        return value

    def seconds(self) -> float:
        """A number above 0."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self.wrong("is no number of seconds")
        return float(value)

    def choice(self, kind: type[E]) -> E:
        """One of the words of an enumeration."""
        if self.value not in tuple(kind):
            raise self.wrong(f"is none of {', '.join(kind)}")
        return kind(str(self.value))

    def among(self, known: Collection[str], what: str) -> str:
        """A text that has to be one of those known, such as the name of a step."""
        text = self.text()
        if text not in known:
            raise self.wrong(f"names `{shown(text)}`, which is no {what}")
        return text

    def maybe(self, read: Callable[[Field], T]) -> T | None:
        """What `read` makes of the field; None for null."""
        return None if self.value is None else read(self)
