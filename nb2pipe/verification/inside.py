"""What looks at variables: in the kernel of the straight run, and in a process that reads the store.

Only the standard library and what steps have too is imported here; the state is kept out of the user's namespace.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, UnstorableError, dump, load
from nb2pipe.store.local import LocalStore
from nb2pipe.verification.shown import shown_value
from nb2pipe.verification.unlike import told_unlike

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_kept: list[dict[str, Any]] = []
_folders: list[str] = []


def look(path: str, step: str, names: Sequence[str], shown: Sequence[str], copies: tuple[str, Sequence[str]]) -> None:
    """Writes down how variables of the user's are now.

    Args:
        path: The file that it is added to.
        step: The step that ends here.
        names: The variables.
        shown: Those whose text is wanted too.
        copies: A store's folder, and the variables of which it gets a copy.
    """
    namespace = vars(sys.modules["__main__"])
    found = {name: seen(name, namespace, namespace, show=name in shown) for name in names}
    for name in copies[1]:
        found[name]["copy"] = _copy(name, namespace, LocalStore(Path(copies[0])))
    _add(path, step, found)


def _copy(name: str, namespace: dict[str, Any], store: LocalStore) -> str | None:
    """The digest of a copy of a variable; None for what is not bound, or cannot be stored, which is told elsewhere."""
    if name not in namespace:
        return None
    try:
        (group,) = dump({name: namespace[name]}, store=store, namespace=namespace)
    except Exception:  # noqa: BLE001  # whatever an author's `__reduce__` raises
        return None
    return str(group.digest)


def keep(names: Sequence[str]) -> None:
    """Keeps the values of variables: a nested notebook's parameters take those of the notebook around it."""
    namespace = vars(sys.modules["__main__"])
    _kept.append({name: namespace[name] for name in names if name in namespace})


def restore() -> None:
    """Sets the variables that were kept last."""
    vars(sys.modules["__main__"]).update(_kept.pop())


def enter_folder(folder: str) -> None:
    """Goes to the folder of a nested notebook."""
    _folders.append(os.getcwd())  # noqa: PTH109
    os.chdir(folder)


def leave_folder() -> None:
    """Goes back."""
    os.chdir(_folders.pop())


def read(path: str) -> None:
    """Reads what steps left in the store; the process's whole work.

    Args:
        path: A JSON file: `store`, `result`, and `groups` with `step`, `names`, `digest`, `wanted`, `shown` each.
    """
    spec = json.loads(Path(path).read_text(encoding="utf-8"))
    store = LocalStore(Path(spec["store"]))
    for group in spec["groups"]:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        try:
            whole = Group(names=tuple(group["names"]), digest=Digest(group["digest"]))
            values = load(whole, store=store, namespace=namespace)
        except Exception as error:  # noqa: BLE001  # whatever an author's `__setstate__` raises
            reason = f"it cannot be read from the store: {error}"
            found: dict[str, dict[str, str | None]] = {name: {"problem": reason} for name in group["wanted"]}
        else:
            found = {name: seen(name, values, namespace, show=name in group["shown"]) for name in group["wanted"]}
        _add(spec["result"], group["step"], found)


def tell(path: str) -> None:
    """Tells where a variable's copy and what a step left differ; the process's whole work.

    Args:
        path: A JSON file: `name`, `result`, and `sides`, two objects with `store`, `names`, `digest` each.
    """
    spec = json.loads(Path(path).read_text(encoding="utf-8"))
    name: str = spec["name"]
    namespaces: tuple[dict[str, Any], dict[str, Any]] = ({"__name__": "__main__"}, {"__name__": "__main__"})
    one, other = (_loaded(side, namespaces[number])[name] for number, side in enumerate(spec["sides"]))
    found = told_unlike(name, one, other, namespaces)
    Path(spec["result"]).write_text(json.dumps(found), encoding="utf-8")


def _loaded(side: Mapping[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    group = Group(names=tuple(side["names"]), digest=Digest(side["digest"]))
    return load(group, store=LocalStore(Path(side["store"])), namespace=namespace)


def seen(
    name: str, values: Mapping[str, Any], namespace: dict[str, Any], *, show: bool = False
) -> dict[str, str | None]:
    """How a variable is, as `model.Value` has it.

    >>> seen("x", {}, {})
    {'digest': None, 'problem': ''}
    >>> seen("x", {"x": [1]}, {}, show=True)["shown"]
    '[1]'
    """
    if name not in values:
        return {"digest": None, "problem": ""}
    value = values[name]
    text = {"shown": shown_value(value)} if show else {}
    if draws(value):
        return {"digest": None, "problem": "what is drawn changes as it is shown", **text}
    try:
        return {"digest": str(digest(value, namespace=namespace)), **text}
    except UnstorableError as error:
        return {"digest": None, "problem": error.reason or str(error), **text}
    except Exception as error:  # noqa: BLE001  # whatever an author's `__reduce__` raises
        return {"digest": None, "problem": f"{type(error).__name__}: {error}", **text}


def draws(value: Any) -> bool:
    """Whether a value is of matplotlib, or a list or an array of such: drawing a figure fills its caches.

    >>> class Answers:
    ...     def __getattr__(self, name):
    ...         return {}[name]
    >>> draws(Answers())
    False
    """
    if type(value).__module__.partition(".")[0] == "matplotlib":
        return True
    if isinstance(value, list | tuple):
        return bool(value) and draws(value[0])
    if type(value).__module__ != "numpy":  # others may answer for any attribute
        return False
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    return kind == "O" and value.size > 0 and draws(value.flat[0])


def _add(path: str, step: str, found: Mapping[str, Mapping[str, str | None]]) -> None:
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"step": step, "name": name, **how}) + "\n" for name, how in found.items())
