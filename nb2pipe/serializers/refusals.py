"""What cannot be passed on, and what to do instead: known types by name, so that none of their modules is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nb2pipe.serializers import closed_files
from nb2pipe.serializers.shapes import Refused

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

MAKE_ANEW: Final = "make it in the step that uses it, or put both into one step"
_LISTS: Final = "pass `list(...)` of it on; a generator cannot be rewound"
_FILES: Final = "pass the file's path on, and open it in the step that uses it; or put both into one step"
_LOCKS: Final = "make the lock in the step that uses it; a step is a process of its own"
_CONNECT: Final = "connect in the step that uses it, or put both into one step"
_ENDS: Final = "start it in the step that uses it; it ends with its step"

_KNOWN: Final[dict[str, tuple[str, str]]] = {
    "builtins.generator": ("it is a running generator", _LISTS),
    "builtins.coroutine": ("it is a coroutine that was not awaited", "pass on what `await` gives"),
    "builtins.async_generator": ("it is a running asynchronous generator", _LISTS),
    "builtins.frame": ("it is a frame of running code", MAKE_ANEW),
    "builtins.traceback": ("it is a traceback, which holds running code", "pass the exception or its text on"),
    "builtins.dict_keys": ("it is a view of a dictionary", "pass `list(...)` of it, or the dictionary, on"),
    "builtins.dict_values": ("it is a view of a dictionary", "pass `list(...)` of it, or the dictionary, on"),
    "builtins.dict_items": ("it is a view of a dictionary", "pass `list(...)` of it, or the dictionary, on"),
    "_io._IOBase": ("it is an open file", _FILES),
    "io.IOBase": ("it is an open file", _FILES),
    "tempfile._TemporaryFileWrapper": ("it is an open temporary file", _FILES),
    "tempfile.TemporaryDirectory": (
        "it is a temporary directory, which is removed when its step ends",
        "write into the notebook's folder, or put both into one step",
    ),
    "_hashlib.HASH": ("it is a hash that is being computed", "pass on what `.hexdigest()` gives"),
    "_hashlib.HMAC": ("it is a hash that is being computed", "pass on what `.hexdigest()` gives"),
    "_blake2.blake2b": ("it is a hash that is being computed", "pass on what `.hexdigest()` gives"),
    "_blake2.blake2s": ("it is a hash that is being computed", "pass on what `.hexdigest()` gives"),
    "itertools.pairwise": ("it is a running iterator", _LISTS),
    "builtins.callable_iterator": ("it is a running iterator over calls", _LISTS),
    "_csv.reader": ("it reads from an open file", "pass `list(...)` of it on"),
    "_csv.writer": ("it writes into an open file", _FILES),
    "numpy.flatiter": ("it is a running iterator over an array", "pass the array on"),
    "numpy.nditer": ("it is a running iterator over an array", "pass the array on"),
    "numpy.broadcast": ("it is a running iterator over arrays", "pass the arrays on"),
    "mmap.mmap": ("it is a mapped file", _FILES),
    "_thread.lock": ("it is a lock", _LOCKS),
    "_thread.RLock": ("it is a lock", _LOCKS),
    "_thread._local": ("it is local to a thread", MAKE_ANEW),
    "_thread._ThreadHandle": ("it is a thread", _ENDS),
    "threading.Thread": ("it is a thread", _ENDS),
    "threading.Condition": ("it holds a lock", _LOCKS),
    "threading.Event": ("it holds a lock", _LOCKS),
    "threading.Semaphore": ("it holds a lock", _LOCKS),
    "threading.Barrier": ("it holds a lock", _LOCKS),
    "queue.Queue": ("it holds locks", "pass a list of its elements on"),
    "_queue.SimpleQueue": ("it holds a lock", "pass a list of its elements on"),
    "multiprocessing.process.BaseProcess": ("it is a process", _ENDS),
    "multiprocessing.pool.Pool": ("it is a pool of processes", _ENDS),
    "multiprocessing.queues.Queue": ("it is a pipe between processes", MAKE_ANEW),
    "concurrent.futures._base.Executor": ("it is a pool of workers", _ENDS),
    "concurrent.futures._base.Future": ("it is a result that is not there yet", "pass on what `.result()` gives"),
    "subprocess.Popen": ("it is a running program", "wait for it, and pass its output on"),
    "socket.socket": ("it is a network connection", _CONNECT),
    "_socket.socket": ("it is a network connection", _CONNECT),
    "select.epoll": ("it watches open files", MAKE_ANEW),
    "sqlite3.Connection": ("it is a database connection", _CONNECT),
    "sqlite3.Cursor": ("it is a database cursor", "fetch the rows, and pass them on"),
    "asyncio.events.AbstractEventLoop": ("it is a running event loop", MAKE_ANEW),
    "_asyncio.Future": ("it is a result that is not there yet", "pass on what `await` gives"),
    "_asyncio.Task": ("it is a running task", "pass on what `await` gives"),
    "_contextvars.ContextVar": ("it is a context variable, which each process has for itself", MAKE_ANEW),
    "_contextvars.Context": ("it is a context, which each process has for itself", MAKE_ANEW),
    "_contextvars.Token": ("it belongs to a context variable", MAKE_ANEW),
    "weakref.ReferenceType": ("it is a weak reference", "pass the object itself on"),
    "weakref.ProxyType": ("it is a weak reference", "pass the object itself on"),
    "weakref.WeakKeyDictionary": ("it holds weak references", "pass `dict(...)` of it on"),
    "weakref.WeakValueDictionary": ("it holds weak references", "pass `dict(...)` of it on"),
    "_weakrefset.WeakSet": ("it holds weak references", "pass `set(...)` of it on"),
    "weakref.finalize": ("it acts when another object goes", MAKE_ANEW),
    "IPython.core.interactiveshell.InteractiveShell": ("it is the running kernel", "call `get_ipython()` in the step"),
    "zipfile.ZipFile": ("it is an open archive", _FILES),
    "tarfile.TarFile": ("it is an open archive", _FILES),
    "h5py._hl.base.HLObject": ("it is part of an open HDF5 file", _FILES),
    "torch.jit._script.RecursiveScriptModule": ("it is a compiled TorchScript module", "save it with `torch.jit.save`"),
    "torch.utils.data.dataloader._BaseDataLoaderIter": (
        "it is a running iterator of a data loader",
        "pass the loader on, and iterate in the step that uses it",
    ),
    "torch.autograd.graph.Node": ("it is part of a computation graph", "pass the tensor's `.detach()` on"),
}

_IN_MEMORY: Final = frozenset({"StringIO", "BytesIO"})


def rule(kind: type) -> Rule | None:
    """The refusal of a known type; a class of the user's that derives from one is refused as well."""
    for base in kind.__mro__:
        if base.__module__ == "_io" and base.__qualname__ in _IN_MEMORY:
            return None
        known = _KNOWN.get(f"{base.__module__}.{base.__qualname__}")
        if known is not None:
            return closed_files.rule(kind, _refuse(*known)) if known[1] is _FILES else _refuse(*known)
    return None


def reason_of(kind: str) -> tuple[str, str] | None:
    """Why objects of a type, by its dotted name, cannot be passed on, and what to do; None for all other types.

    >>> reason_of("subprocess.Popen")[0]
    'it is a running program'
    """
    return _KNOWN.get(kind)


def failed(value: object, cause: Exception) -> Refused:
    """The refusal of an object whose reduction failed."""
    kind = type(value)
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    return Refused(f"pickle says of this `{kind.__name__}`: {text}", MAKE_ANEW)


def _refuse(reason: str, hint: str) -> Rule:
    refused = Refused(reason, hint)

    def refuse(_value: object, _context: Context) -> Shape:
        return refused

    return refuse
