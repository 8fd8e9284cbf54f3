"""Memory by address: arrays, views and tensors that overlap look at one region, whoever owns it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2pipe.serializers.shapes import Extent


@dataclass(eq=False, slots=True)
class Region:
    """Memory that is stored as one piece, with all who look at it.

    Attributes:
        start: Address.
        end: The address after it.
        extents: Who looks at it.
        anchor: The object that has all of it, and that the others look at, so that `view.base is array` holds.
    """

    start: int
    end: int
    extents: list[Extent] = field(default_factory=list)
    anchor: object | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start

    def data(self) -> bytes | bytearray | memoryview:
        """The bytes as they are now; valid as long as the owners live."""
        first = self.extents[0]
        if first.fetch is not None and len(self.extents) == 1:
            return first.fetch()
        whole = next((one for one in self.extents if one.device and one.fetch is not None), None)
        if whole is not None and whole.fetch is not None:
            return whole.fetch()
        return memoryview((ctypes.c_char * self.size).from_address(self.start)).cast("B")


class Memory:
    """All extents of a graph; regions are known once all are in."""

    def __init__(self) -> None:
        self._extents: dict[int, Extent] = {}
        self._regions: dict[int, Region] = {}

    def add(self, extent: Extent) -> None:
        """Takes an extent; once for each is enough."""
        self._extents[id(extent)] = extent

    def settle(self) -> None:
        """Joins what overlaps; of private extents on the same memory each has it for itself."""
        devices: dict[str, list[Extent]] = {}
        for extent in self._extents.values():
            devices.setdefault(extent.device, []).append(extent)
        for extents in devices.values():
            for region in _overlapping(extents):
                if _private_overlap(region.extents):
                    self._keep(_overlapping([one for one in region.extents if not one.private]))
                    self._keep(
                        [Region(one.start, one.start + one.size, [one]) for one in region.extents if one.private]
                    )
                else:
                    self._keep([region])

    def region(self, extent: Extent) -> Region:
        """The region of an extent."""
        return self._regions[id(extent)]

    def _keep(self, regions: list[Region]) -> None:
        for region in regions:
            for extent in region.extents:
                self._regions[id(extent)] = region
                if extent.whole and extent.size == region.size and region.anchor is None:
                    region.anchor = extent.owner


def _overlapping(extents: list[Extent]) -> list[Region]:
    """The regions of extents that overlap."""
    regions: list[Region] = []
    for extent in sorted(extents, key=lambda one: one.start):
        end = extent.start + extent.size
        if regions and extent.start < regions[-1].end:
            regions[-1].end = max(regions[-1].end, end)
        else:
            regions.append(Region(extent.start, end))
        regions[-1].extents.append(extent)
    return regions


def _private_overlap(extents: list[Extent]) -> bool:
    """Whether private ones are on the same memory, in extents by their start."""
    private = [one for one in extents if one.private]
    return any(after.start < one.start + one.size for one, after in pairwise(private))
