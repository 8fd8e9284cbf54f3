"""How far a pass over a loader can be gone on with: in its middle, or only with the epoch as a whole."""

from __future__ import annotations

import sys
from typing import Any

_EAGER = frozenset(
    {"SequentialSampler", "RandomSampler", "SubsetRandomSampler", "WeightedRandomSampler", "DistributedSampler"}
)
"""Samplers of torch that draw only from generators of their own, or all at once."""


def length_of(loader: Any) -> int | None:
    """How many batches a pass has, where one can begin in its middle; None where only the whole pass can be repeated.

    >>> length_of([1, 2, 3]), length_of(iter([1]))
    (3, None)
    """
    if type(loader) in {list, tuple, range}:
        return len(loader)
    torch = sys.modules.get("torch.utils.data")
    if torch is None or not isinstance(loader, torch.DataLoader):
        return None
    if isinstance(loader.dataset, torch.IterableDataset):
        return None
    batches = loader.batch_sampler
    sampler = loader.sampler if batches is None else getattr(batches, "sampler", None)
    known = batches is None or type(batches) is torch.BatchSampler
    if not known or not _is_eager(sampler):
        return None
    return len(loader)


def _is_eager(sampler: Any) -> bool:
    kind = type(sampler)
    return kind.__module__.startswith("torch.utils.data") and kind.__name__ in _EAGER


def begin_pass(loader: Any) -> Any:
    """An iterator over a loader; its workers, if it keeps any, are new ones.

    Workers that live on have generators that nobody can set, so each pass begins with new ones, whether or not it is
    gone on with: the values are those of `persistent_workers=False`.
    """
    if getattr(loader, "persistent_workers", False) and getattr(loader, "_iterator", None) is not None:
        loader._iterator = None  # noqa: SLF001  # there is no other way
    return iter(loader)


def is_used_up(loader: Any, seen: list[Any]) -> bool:
    """Whether an iterator was given to an earlier pass already, so that nothing can be repeated.

    Args:
        loader: What is given.
        seen: The iterators that were given before; this one is added.
    """
    if not hasattr(loader, "__next__"):
        return False
    if any(each is loader for each in seen):
        return True
    seen.append(loader)
    return False
