"""Texts in an Airflow DAG file: what Airflow is not to take for a template, and the imports."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.lines import NAMES, bracketed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.targets.model import Material

_BRACES = re.compile(r"\{[{%#]|[%#}]\}")
_FILES = (".sh", ".bash", ".env", ".json", ".yaml", ".yml")
"""A templated text with such an ending is taken for the name of a file."""

_PLAIN = re.compile(r"[\w./-]+")

_OPERATORS: Mapping[str, tuple[str, str]] = {
    "python": ("standard.operators.python", "PythonOperator"),
    "external-python": ("standard.operators.python", "ExternalPythonOperator"),
    "bash": ("standard.operators.bash", "BashOperator"),
    "docker": ("docker.operators.docker", "DockerOperator"),
    "kubernetes": ("cncf.kubernetes.operators.pod", "KubernetesPodOperator"),
}
_BEFORE_3: Mapping[str, str] = {
    "airflow.providers.standard.operators.bash": "airflow.operators.bash",
    "airflow.providers.standard.operators.python": "airflow.operators.python",
    "airflow.sdk.log": "airflow.utils.log.secrets_masker",
    "airflow.sdk.BaseHook": "airflow.hooks.base",
    "airflow.sdk.DAG": "airflow.models.dag",
    "airflow.sdk.Param": "airflow.models.param",
    "airflow.sdk.TaskGroup": "airflow.utils.task_group",
}
"""Where Airflow 2.10 has what Airflow 3 has elsewhere."""


def plain(text: str) -> str:
    r"""A text that stays what it is where Airflow fills in templates.

    >>> print(plain("red"), plain('{{ "red" }}'), plain("run.sh"))
    red {{ "\x7b\x7b \x22red\x22 \x7d\x7d" }} {{ "run.sh" }}
    """
    if not _BRACES.search(text) and not text.endswith(_FILES):
        return text
    return '{{ "' + "".join(map(_escaped, text)) + '" }}'


def _escaped(character: str) -> str:
    r"""A character of a literal of Jinja, which knows the escapes of Python."""
    code = ord(character)
    if character in '"\\{}%#' or code < 0x20:  # noqa: PLR2004  # control characters
        return f"\\x{code:02x}"
    return character


def copying(paths: Iterable[str]) -> str:
    """The line of a shell that copies files of the bundle to the folder that a step works in; empty without any.

    >>> print(copying(["a b.csv"]))
    (cd "$BUNDLE" && cp --parents -- 'a b.csv' "$OLDPWD/work")
    """
    words = shlex.join(paths)
    return plain(f'(cd "$BUNDLE" && cp --parents -- {words} "$OLDPWD/work")') if words else ""


def operator_class(operator: str) -> str:
    """The class of Airflow that an operator is."""
    return _OPERATORS[operator][1]


def airflow_imports(operator: str, names: Iterable[str]) -> tuple[str, str, str]:
    """The imports of Airflow's own: for all versions, for Airflow 3, and for the one before.

    Args:
        operator: What runs a step.
        names: Of `airflow.sdk`, `mask_secret`, and classes of operators.
    """
    package, name = _OPERATORS[operator]
    own = {f"airflow.providers.{package}": {name}}
    always = own if not package.startswith("standard") else {}
    new = {"airflow.sdk": {"DAG"}} | ({} if always else own)
    for each in names:
        module = {
            "mask_secret": "airflow.sdk.log",
            "ShortCircuitOperator": "airflow.providers.standard.operators.python",
        }.get(each, "airflow.sdk")
        new.setdefault(module, set()).add(each)
    old: dict[str, set[str]] = {}
    for module, found in new.items():
        for each in found:
            old.setdefault(_BEFORE_3.get(f"{module}.{each}", _BEFORE_3.get(module, module)), set()).add(each)
    return _lines(always), _lines(new, "    "), _lines(old, "    ")


def _lines(modules: Mapping[str, set[str]], indent: str = "") -> str:
    return "\n".join(_rows(modules, indent))


def _rows(modules: Mapping[str, set[str]], indent: str) -> Iterator[str]:
    for module, names in sorted(modules.items()):
        yield bracketed(f"from {module} import ", sorted(names, key=_order), "", indent=indent, brackets=NAMES)


def _order(name: str) -> tuple[int, str]:
    """Names as formatters sort them: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def ignored(material: Material) -> str:
    """Which files of the bundle Airflow need not look at for DAGs.

    Airflow 3 reads patterns as git does; 2.10 searches for regular expressions in paths. These mean the same to both,
    whatever the folder of the bundle is called.
    """
    package = material.plan.name
    modules = [copy.path for copy in material.copies if copy.path.endswith(".py") and _PLAIN.fullmatch(copy.path)]
    own = (
        f"{package}/{name}" for name in ("__init__.py", "__main__.py", "_vendor/", "cells/", "definitions.py", "steps/")
    )
    return "".join(f"/{path}\n" for path in (*own, "tests/test_steps.py", *modules))
