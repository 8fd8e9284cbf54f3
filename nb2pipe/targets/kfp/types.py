"""The class of artifacts of each value, from its type; never from its name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.targets.model import Material

ARTIFACT, DATASET, MODEL = "Artifact", "Dataset", "Model"

_OWN = "definitions."
"""Begins the types of the notebook's own classes."""

_DATASETS = (
    *("pandas.", "polars.", "pyarrow.", "dask.", "xarray.", "geopandas.", "datasets.", "scipy.sparse."),
    *("numpy.ndarray", "torch.utils.data.", "torch.Tensor", "tensorflow.data.", "sklearn.utils.Bunch"),
    *("torch_geometric.data.", "xgboost.DMatrix", "lightgbm.Dataset", "torchvision.datasets."),
)
_MODELS = (
    *("torch.nn.", "torchvision.models.", "sklearn.", "xgboost.", "lightgbm.", "catboost.", "statsmodels."),
    *("keras.", "tensorflow.keras.", "tensorflow.Module", "transformers.", "lightning.", "pytorch_lightning."),
)
"""Beginnings of types; of those that fit, the datasets come first."""

_BASES = {
    **dict.fromkeys(("Module", "LightningModule", "BaseEstimator", "PreTrainedModel", "Sequential"), MODEL),
    **dict.fromkeys(("ClassifierMixin", "RegressorMixin", "TransformerMixin"), MODEL),
    **dict.fromkeys(("Dataset", "IterableDataset", "TensorDataset", "DataLoader", "DataFrame", "ndarray"), DATASET),
}
"""What the notebook's own classes may derive from."""


def artifact_types(material: Material) -> dict[str, str]:
    """The class of artifacts by `STEP.NAME`, where the type is known.

    Args:
        material: Holds the types, and the notebook's own classes.
    """
    own = dict(_own_classes(material))
    return {place: kind_of(dotted, own) for place, dotted in material.types.items()}


def kind_of(dotted: str, own: Mapping[str, str] | None = None) -> str:
    """The class of artifacts for a type.

    Args:
        dotted: The type, such as `pandas.DataFrame`.
        own: The class of artifacts of the notebook's own classes, by name.

    >>> [kind_of(each) for each in ("pandas.DataFrame", "sklearn.svm.SVC", "sklearn.utils.Bunch", "list")]
    ['Dataset', 'Model', 'Dataset', 'Artifact']
    """
    if dotted.startswith(_OWN):
        return (own or {}).get(dotted.removeprefix(_OWN), ARTIFACT)
    if dotted.startswith(_DATASETS):
        return DATASET
    return MODEL if dotted.startswith(_MODELS) else ARTIFACT


def _own_classes(material: Material) -> Iterator[tuple[str, str]]:
    bases = {
        node.name: [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]
        for chunk in material.plan.definitions.chunks
        for node in ast.walk(ast.parse(chunk.text))
        if isinstance(node, ast.ClassDef)
    }
    for name in bases:
        seen, waiting = set[str](), [name]
        while waiting:
            each = waiting.pop()
            if each in _BASES and each not in bases:
                yield name, _BASES[each]
                break
            waiting += [base for base in bases.get(each, ()) if base not in seen]
            seen.add(each)
