"""What the rounds of a training hand on beside what it saves: told by the text, and by what changes while it runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.draws import is_plain
from nb2pipe.tracking.training.heads import clears_gradients, counted, takes_before
from nb2pipe.tracking.training.leftovers import bound_by, leftovers, read_outside
from nb2pipe.tracking.training.modules import is_module, tensors_of
from nb2pipe.tracking.training.restored import is_authors, is_generator
from nb2pipe.tracking.training.tensors import address_of
from nb2pipe.tracking.training.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from types import CodeType

    from nb2pipe.tracking.training.leftovers import Leftover
    from nb2pipe.tracking.training.loop import Training
    from nb2pipe.tracking.training.models import Trained
    from nb2pipe.tracking.training.scopes import Scope

_DEEPEST = 3
_MOST = 100
_INERT = (type, FunctionType, MethodType, BuiltinFunctionType, ModuleType)
_SHOWING = ("tqdm", "rich", "IPython", "ipywidgets", "matplotlib", "logging", "tensorboard", "torch.utils.tensorboard")
"""What shows how a training goes, and tells it nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """What the text of a loop over batches tells.

    Attributes:
        middle: It can be gone on with in its middle.
        counted: `enumerate` counts its rounds.
        gradients: A round may ask for the gradients that the one before left.
    """

    middle: bool = False
    counted: bool = False
    gradients: bool = True


class Carried:
    """What one pass through the epochs hands on.

    Args:
        training: What is saved.
        trained: What of it is of torch.
        scope: The code of the loop.
        outputs: Names that are read elsewhere after it.
    """

    def __init__(self, training: Training, trained: Trained, scope: Scope, outputs: Iterable[str]) -> None:
        self._training = training
        self._trained = trained
        self._scope = scope
        self._loop = scope.loop()
        variables = scope.variables
        self._saved = {id(one): one for one in (training, training.state, *trained.objects.values())}
        self._covered: set[str] = set()
        self._known: dict[tuple[CodeType, int], Batches] = {}
        self._followed = {name: one for name, one in training.state.items() if self._is_followed(name, one)}
        bound = bound_by(self._loop[1], scope.calls()) if self._loop else set()
        self._trained_names = {name: one for name, one in variables.items() if id(one) in self._saved and name in bound}
        self.left = self._left(scope, outputs)
        watched = {name: one for name, one in variables.items() if name not in bound and name not in training.state}
        self._watch = Watch(watched, self._apart())

    def _is_followed(self, name: str, value: Any) -> bool:
        made, scope = self._training.made, self._scope
        both_top = made is not None and scope.top and made.top and scope.module is made.module
        same = made is not None and (scope.code is made.code or both_top)
        return (same and name in self._training.bound) or (name in scope.variables and scope.variables[name] is value)

    def _apart(self) -> set[int]:
        tensors = (one for model in self._trained.models.values() for _, one in tensors_of(model))
        return {*self._saved, *map(id, self._training.state.values()), *map(id, tensors)}

    # -- what is saved

    def follow(self) -> None:
        """Takes what the names of `state` are bound to now."""
        now = self._scope.now()
        for name, last in self._followed.items():
            if name in now and now[name] is not last:
                self._training.state[name] = self._followed[name] = now[name]

    def bind(self) -> None:
        """Binds the names of `state` to what it holds now."""
        self._followed = {name: self._training.state[name] for name in self._followed if name in self._training.state}
        self._scope.bind(dict(self._followed))

    # -- what is not

    @property
    def is_whole(self) -> bool:
        """Whether all that the loop hands on is saved, as far as the text tells."""
        return self.left is not None and not self.left

    def problem(self, saved: Collection[Any]) -> str | None:
        """Why a training could not go on from what is saved now; None where it can.

        Args:
            saved: The tensors that are.
        """
        if not self.is_whole:
            return self._why()
        now = self._scope.now()
        other = [name for name, one in self._trained_names.items() if now.get(name) is not one]
        if other:
            return f"the loop binds `{other[0]}` to something else than what `track.training` was given"
        more = [name for name in self._covered if name in now and not self._is_covered(now[name])]
        if more:
            return self._hint(more[0])
        path = self._watch.changed(now, {address_of(one) for one in saved})
        return self._hint(path) if path is not None else None

    def _why(self) -> str:
        if not self.left:
            return "the text of the loop is not known"
        names = ", ".join(f"`{each.name}`" for each in self.left)
        return f"the loop changes {names}; {_named(self.left[0].name)}"

    def _hint(self, path: str) -> str:
        name = path.split(".", 1)[0].split("[", 1)[0]
        return f"`{path}` has changed; {_named(name)}"

    def _left(self, scope: Scope, outputs: Iterable[str]) -> list[Leftover] | None:
        """What a loop hands on beside what is saved; None where its text is not known."""
        found = scope.loop()
        if found is None:
            return None
        names = leftovers(found[1], scope.calls(), set(outputs) | read_outside(found[0]))
        return [each for each in names if not self._is_saved(each, scope)]

    def _is_saved(self, each: Leftover, scope: Scope) -> bool:
        value = scope.variables.get(each.name)
        if id(value) in self._saved:
            return True  # what the name is bound to is looked at when it is saved
        if each.bound:
            return each.name in self._followed
        if each.name not in scope.variables:
            return True  # a function may change what only it sees
        kept = any(value is one for one in self._training.state.values())
        if kept or _is_apart(value) or self._holds_saved(value):
            return True
        if not self._is_covered(value):
            return False
        self._covered.add(each.name)
        return True

    def _holds_saved(self, value: Any) -> bool:
        """Whether it is a list or dictionary of what is saved, and of nothing else."""
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        return bool(inner) and all(id(one) in self._saved for one in inner)

    def _is_covered(self, value: Any) -> bool:
        """Whether all that an object of the author's holds is saved, or one that loads from such."""
        if type(value).__module__.startswith("torch.utils.data"):
            return all(self._covers(one, _DEEPEST) for one in vars(value).values() if is_authors(one))
        return self._covers(value, _DEEPEST)

    def _covers(self, value: Any, depth: int) -> bool:
        """Whether all that an object of the author's holds is saved with the generators, or is watched."""
        if not is_authors(value) or is_module(value) or not depth:
            return False
        return all(self._stays(one, depth) for one in vars(value).values())

    def _stays(self, value: Any, depth: int) -> bool:
        if isinstance(value, list | tuple | dict) and len(value) <= _MOST:
            inner = value.values() if isinstance(value, dict) else value
            return is_plain(value) or all(id(one) in self._saved or _is_inert(one) for one in inner)
        return is_plain(value) or id(value) in self._saved or _is_inert(value) or self._covers(value, depth - 1)

    # -- the loop over the batches

    def batches(self, scope: Scope) -> Batches:
        """What the text tells of the loop over batches that begins now.

        Args:
            scope: Its code.
        """
        known = scope.code, scope.line
        if known not in self._known:
            found = scope.loop()
            self._known[known] = Batches() if found is None else self._read(scope, *found)
        return self._known[known]

    def _read(self, scope: Scope, tree: ast.Module, loop: ast.For) -> Batches:
        calls = scope.calls()
        stepping = sum(hasattr(one, "param_groups") for one in self._trained.stepping.values())
        gradients = not clears_gradients(loop, stepping, calls)
        head = counted(tree, loop)
        inside = {id(node) for node in ast.walk(loop)}
        later = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in inside}
        handed = leftovers(loop, calls, later)
        left = [each for each in handed if not self._is_saved(each, scope)]
        names = {each.name for each in handed} | {
            name for name, one in scope.variables.items() if id(one) in self._saved
        }
        middle = self.is_whole and head is not None and not left and not self._takes(tree, loop, scope, names)
        return Batches(middle=middle, counted=bool(head), gradients=gradients)

    def _takes(self, tree: ast.Module, loop: ast.For, scope: Scope, names: set[str]) -> bool:
        """Whether something is taken before the batches from what would be another by the middle of them."""
        if self._loop is None or not scope.is_called_by(self._scope):
            return True
        if scope.code is self._scope.code:
            return takes_before(self._loop[1].body, loop.lineno, names)
        outer = {name for name, one in self._scope.variables.items() if id(one) in self._saved} | names
        line = self._scope.line_now()
        return takes_before(scope.body(tree), loop.lineno, names) or takes_before(self._loop[1].body, line, outer)


def _is_inert(value: Any) -> bool:
    kind = type(value)
    return (
        isinstance(value, _INERT)
        or is_module(value)
        or is_generator(value)
        or kind.__module__.startswith("torch.utils.data")
        or (
            kind.__module__.partition(".")[0] == "torch" and kind.__name__ in {"Tensor", "Parameter", "device", "dtype"}
        )
    )


def _is_apart(value: object) -> bool:
    """Whether it is a module, whose functions change what they are given, or only shows something."""
    return isinstance(value, ModuleType) or f"{type(value).__module__}.".startswith(
        tuple(f"{name}." for name in _SHOWING)
    )


def _named(name: str) -> str:
    return f'name it: `track.training(..., state={{"{name}": {name}}})`'
