"""Which instance of SageMaker is large enough for what a step asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nb2pipe.targets.features import kind_of_limit
from nb2pipe.targets.model import Feature

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT: Final = "ml.m5.large"
"""For a step that asks for nothing: 2 processors, 8 GiB."""

_TABLE: Final = (
    # name, processors, memory in GiB, GPUs; the first that is large enough is taken, so cheaper ones stand above
    ("ml.m5.large", 2, 8, 0),
    ("ml.r5.large", 2, 16, 0),
    ("ml.c5.xlarge", 4, 8, 0),
    ("ml.m5.xlarge", 4, 16, 0),
    ("ml.r5.xlarge", 4, 32, 0),
    ("ml.c5.2xlarge", 8, 16, 0),
    ("ml.m5.2xlarge", 8, 32, 0),
    ("ml.r5.2xlarge", 8, 64, 0),
    ("ml.c5.4xlarge", 16, 32, 0),
    ("ml.m5.4xlarge", 16, 64, 0),
    ("ml.r5.4xlarge", 16, 128, 0),
    ("ml.c5.9xlarge", 36, 72, 0),
    ("ml.r5.8xlarge", 32, 256, 0),
    ("ml.m5.12xlarge", 48, 192, 0),
    ("ml.r5.12xlarge", 48, 384, 0),
    ("ml.c5.18xlarge", 72, 144, 0),
    ("ml.r5.16xlarge", 64, 512, 0),
    ("ml.m5.24xlarge", 96, 384, 0),
    ("ml.r5.24xlarge", 96, 768, 0),
    ("ml.g4dn.xlarge", 4, 16, 1),
    ("ml.g4dn.2xlarge", 8, 32, 1),
    ("ml.g4dn.4xlarge", 16, 64, 1),
    ("ml.g4dn.8xlarge", 32, 128, 1),
    ("ml.g5.16xlarge", 64, 256, 1),
    ("ml.g4dn.12xlarge", 48, 192, 4),
    ("ml.g5.24xlarge", 96, 384, 4),
    ("ml.p3.16xlarge", 64, 488, 8),
    ("ml.g5.48xlarge", 192, 768, 8),
)

_DECIMAL: Final = {"": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3} | {
    unit: 1000.0**power for power, unit in enumerate("MGTPE", start=2)
}
_BINARY: Final = {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", start=1)}
_GIB: Final = 1024**3
_DISK: Final = "ephemeral-storage"
_LARGEST_DISK: Final = 16_384


def sizes() -> tuple[str, ...]:
    """The names of all instances that may be chosen."""
    return tuple(name for name, *_ in _TABLE)


def instance_for(limits: Iterable[tuple[str, str]]) -> str | None:
    """The first instance of the table that holds what is asked for; None where none does.

    Args:
        limits: Of a step; those of processors, memory and GPUs count.

    >>> instance_for([("cpu", "1500m"), ("memory", "20Gi")])
    'ml.r5.xlarge'
    >>> instance_for([("nvidia.com/gpu", "1")])
    'ml.g4dn.xlarge'
    """
    asked = {Feature.CPU: 0.0, Feature.MEMORY: 0.0, Feature.GPU: 0.0}
    for resource, quantity in limits:
        kind = kind_of_limit(resource)
        if kind is Feature.GPU and not resource.startswith(("nvidia.com/", "gpu")):
            return None  # the table has those of NVIDIA
        if kind in asked:
            asked[kind] = max(asked[kind], amount(quantity))
    for name, cpus, gibs, gpus in _TABLE:
        wanted = bool(asked[Feature.GPU]) == bool(gpus)
        if (
            wanted
            and asked[Feature.CPU] <= cpus
            and asked[Feature.MEMORY] <= gibs * _GIB
            and asked[Feature.GPU] <= gpus
        ):
            return name
    return None


def disk_for(limits: Iterable[tuple[str, str]]) -> int | None:
    """The GiB of disk that a step asks for, rounded up; None where it asks for none.

    >>> disk_for([("ephemeral-storage", "50G")])
    47
    """
    found = [amount(quantity) for resource, quantity in limits if resource == _DISK]
    return min(_LARGEST_DISK, max(1, int(-(-found[-1] // _GIB)))) if found else None


def has_place(resource: str) -> bool:
    """Whether a limit of a resource decides anything here."""
    return kind_of_limit(resource) is not Feature.LIMITS or resource == _DISK


def amount(quantity: str) -> float:
    """A quantity as a number.

    >>> amount("500m"), amount("2Gi"), amount("1e3")
    (0.5, 2147483648.0, 1000.0)
    """
    found = re.fullmatch(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)", quantity)
    return 0.0 if found is None else float(found[1]) * (_DECIMAL | _BINARY).get(found[2], 0.0)
