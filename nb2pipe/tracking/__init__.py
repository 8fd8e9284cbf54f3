"""What a user writes in a cell to have more of it in the record of the run: `from nb2pipe import track`."""

from nb2pipe.tracking import track as track

__all__ = ["track"]
