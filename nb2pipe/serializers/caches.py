"""`functools.lru_cache`: a cache is state, since what it holds is not computed again."""

from __future__ import annotations

import functools
import gc
import types
from typing import TYPE_CHECKING, Final, cast

from nb2pipe.serializers.code import LruCache, fingerprint, place_of, resolve
from nb2pipe.serializers.shapes import NAMESPACE, Made

if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import _lru_cache_wrapper

    from nb2pipe.serializers.code import Place
    from nb2pipe.serializers.rules import Context
    from nb2pipe.serializers.shapes import Shape

_OWN: Final = frozenset({"cache_parameters", "__wrapped__", "__type_params__", *functools.WRAPPER_ASSIGNMENTS})
_MOST_HITS: Final = 1_000_000
_Call = tuple[tuple[object, ...], tuple[tuple[str, object], ...], object]


def wrapper(value: object, context: Context) -> Shape:
    """The shape of a cached function: the function, the cache's settings and what it holds, oldest first."""
    cached = cast("_lru_cache_wrapper[object]", value)
    named = context.names.find(cached)
    if named is not None:
        return named
    settings = cached.cache_parameters()
    info = cached.cache_info()
    calls = tuple(_calls(cached, typed=settings["typed"]))
    own = tuple((name, part) for name, part in vars(cached).items() if name not in _OWN)
    place = place_of(cached, context)
    args = (NAMESPACE, cached.__wrapped__, (settings["maxsize"], settings["typed"]), place)
    state = (calls, info.hits, info.misses, own)
    return Made(
        make_wrapper,
        args,
        state=state,
        setter=set_wrapper,
        ties=not place[-1],
        within=False,
        definition=place[-1],
        identity=lambda: ("lru_cache", cached.__wrapped__, settings["maxsize"], settings["typed"], calls),
    )


def _calls(cached: _lru_cache_wrapper[object], *, typed: bool) -> list[_Call]:
    """Each remembered call with its result. The garbage collector alone shows them."""
    parts = gc.get_referents(cached)
    at = next((place for place, part in enumerate(parts) if type(part) is dict), 0)
    links = parts[1:at]
    if links:
        found = list(zip(links[0::3], links[1::3], strict=False))
    else:
        found = list(parts[at].items()) if cached.cache_info().currsize else []
    return [(*_arguments(key, typed=typed), result) for key, result in found]


def _arguments(key: object, *, typed: bool) -> tuple[tuple[object, ...], tuple[tuple[str, object], ...]]:
    """The arguments that a key was made of: positions, a mark, names with values, and types where they count."""
    if type(key) is not tuple:
        return (key,), ()
    parts: tuple[object, ...] = key
    mark = next((place for place, part in enumerate(parts) if type(part) is object), None)
    if mark is None:
        return (parts[: len(parts) // 2] if typed else parts), ()
    named = parts[mark + 1 :]
    if typed:
        named = named[: (len(named) - mark) // 3 * 2]
    return parts[:mark], tuple(zip(cast("tuple[str, ...]", named[0::2]), named[1::2], strict=True))


def make_wrapper(
    namespace: dict[str, object], function: Callable[..., object], settings: tuple[int | None, bool], place: Place
) -> _lru_cache_wrapper[object]:
    """A cached function, empty; the namespace's own where that is the same definition."""
    size, typed = settings
    _, qualname, _, definition = place
    known = resolve(namespace, qualname) if definition else None
    if isinstance(known, LruCache) and _same(known.__wrapped__, function):
        return known
    made = functools.lru_cache(maxsize=size, typed=typed)(function)
    if definition and qualname.isidentifier():
        namespace.setdefault(qualname, made)
    return made


def _same(one: object, other: object) -> bool:
    if isinstance(one, types.FunctionType) and isinstance(other, types.FunctionType):
        return fingerprint(one.__code__) == fingerprint(other.__code__)
    return one is other


def set_wrapper(
    cached: _lru_cache_wrapper[object], state: tuple[tuple[_Call, ...], int, int, tuple[tuple[str, object], ...]]
) -> None:
    """Fills a cache with what it held, through calls of a stand-in that returns the old results."""
    calls, hits, misses, own = state
    vars(cached).update(own)
    cached.cache_clear()
    function = cached.__wrapped__
    if not isinstance(function, types.FunctionType):
        return
    results: list[object] = []
    code, keywords = function.__code__, function.__kwdefaults__
    try:
        function.__code__ = _stand_in(code)
        function.__kwdefaults__ = {"_nb2pipe_results": results}
        _fill(cached, calls, hits, misses, results)
    finally:
        function.__code__ = code
        function.__kwdefaults__ = keywords


def _fill(
    cached: _lru_cache_wrapper[object], calls: tuple[_Call, ...], hits: int, misses: int, results: list[object]
) -> None:
    for _ in range(min(misses - len(calls), _MOST_HITS)):
        try:
            cached()
        except IndexError:  # nothing to return: a miss that leaves nothing behind
            continue
    for args, keywords, result in calls:
        results.append(result)
        cached(*args, **dict(keywords))
    if calls:
        args, keywords, _ = calls[-1]
        for _ in range(min(hits, _MOST_HITS)):
            cached(*args, **dict(keywords))


def _stand_in(code: types.CodeType) -> types.CodeType:
    """Code that fits a function's closure, and gives one result after the other."""

    def stand_in(*_args: object, _nb2pipe_results: list[object], **_keywords: object) -> object:
        return _nb2pipe_results.pop()

    return stand_in.__code__.replace(co_freevars=code.co_freevars)
