"""Settings of a kernel: statements of shared cells that later steps repeat, since repeating them changes nothing."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import MagicKind

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Cell, Magic

_MAGICS = frozenset({"matplotlib", "config", "load_ext", "reload_ext", "autoreload", "precision", "env", "set_env"})

_CALLS = frozenset(
    {
        "warnings.filterwarnings",
        "warnings.simplefilter",
        "logging.basicConfig",
        "matplotlib.use",
        "matplotlib.rc",
        "matplotlib.style.use",
        "matplotlib.rcParams.update",
        "mpl.use",
        "mpl.rc",
        "mpl.style.use",
        "mpl.rcParams.update",
        "plt.style.use",
        "plt.rc",
        "plt.rcParams.update",
        "sns.set",
        "sns.set_theme",
        "sns.set_style",
        "sns.set_context",
        "sns.set_palette",
        "seaborn.set",
        "seaborn.set_theme",
        "seaborn.set_style",
        "seaborn.set_context",
        "seaborn.set_palette",
        "pd.set_option",
        "pandas.set_option",
        "np.set_printoptions",
        "np.seterr",
        "numpy.set_printoptions",
        "numpy.seterr",
        "torch.set_printoptions",
        "torch.set_default_dtype",
        "torch.set_default_device",
        "torch.set_num_threads",
        "torch.set_float32_matmul_precision",
        "torch.use_deterministic_algorithms",
        "sklearn.set_config",
        "set_config",
        "os.environ.setdefault",
        "sys.path.append",
        "sys.path.insert",
        "tqdm.pandas",
    }
)
"""Calls that set something of the process to a value, under the names that notebooks give the modules."""

_MODULES = frozenset(
    {"torch", "np", "numpy", "pd", "pandas", "warnings", "logging", "matplotlib", "mpl", "plt", "sns", "sys"}
)
"""Names whose attributes are taken for constants."""

_PATHS = frozenset(
    {
        "os.getcwd",
        "os.path.abspath",
        "os.path.dirname",
        "os.path.expanduser",
        "os.path.join",
        "os.path.realpath",
        "pathlib.Path",
        "pathlib.Path.cwd",
        "pathlib.Path.home",
        "Path",
        "Path.cwd",
        "Path.home",
        "str",
    }
)
"""Functions that make a folder's path of what is written there."""

_TARGETS = (
    "os.environ[",
    "environ[",
    "plt.rcParams[",
    "matplotlib.rcParams[",
    "mpl.rcParams[",
    "rcParams[",
    "pd.options.",
    "pandas.options.",
    "torch.backends.",
)
"""What an assignment of a setting begins with."""


def is_setting(cell: Cell, node: ast.stmt) -> bool:
    """Whether a top-level statement is a setting: it sets something of the process to a value that is written there.

    Args:
        cell: Its cell.
        node: The statement.
    """
    magic = _magic(cell, node)
    if magic is not None:
        return (
            magic.kind is MagicKind.LINE and magic.name in _MAGICS and not magic.target and "$" not in magic.arguments
        )
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        return _dotted(call.func) in _CALLS and all(_is_written(value) for value in _arguments(call))
    if isinstance(node, ast.Assign):
        return all(_is_place(target) for target in node.targets) and _is_written(node.value)
    return False


_PLOTTING = frozenset({"matplotlib", "seaborn", "pylab", "mpl_toolkits", "plotnine", "shap", "yellowbrick"})
_RELATED = {
    "matplotlib": _PLOTTING,
    "seaborn": _PLOTTING,
    "pandas": frozenset({"pandas", "geopandas", "seaborn", "sklearn", "statsmodels", "datasets", "dask"}),
}
"""Modules that make objects which settings of another one concern."""

_WITHOUT_SURPRISE = sys.stdlib_module_names | {"numpy", "pandas", "scipy", "torch", "torchvision", "sklearn"}
"""Modules of which it is known what they bring with them. Any other one may bring everything."""

_PLOTS = re.compile(r"plt\b|plot|hist\(|imshow|figure|Display|\.show\(")


def concerns(modules: frozenset[str], around: frozenset[str], code: str) -> bool:
    """Whether settings of some modules may change what a step does.

    Args:
        modules: Top-level modules that the setting is of; empty where it is of the kernel or of all code.
        around: Top-level modules that the step imports, or that the steps import whose variables it takes.
        code: The step's code: objects can draw themselves without any import.

    >>> concerns(frozenset({"seaborn"}), frozenset({"pandas"}), "df.mean()")
    False
    >>> concerns(frozenset({"seaborn"}), frozenset({"pandas"}), "df.plot()")
    True
    """
    outer = modules - sys.stdlib_module_names
    if not outer or around - _WITHOUT_SURPRISE - _PLOTTING:
        return True
    if outer & _PLOTTING and _PLOTS.search(code):
        return True
    if "numpy" in outer and around - sys.stdlib_module_names:
        return True
    return any(around & _RELATED.get(module, frozenset({module})) for module in outer)


def modules_of(cell: Cell, node: ast.stmt) -> frozenset[str]:
    """The modules that a magic which is a setting is of; a statement's are those of the names that it reads.

    Args:
        cell: Its cell.
        node: The statement.
    """
    magic = _magic(cell, node)
    plots = magic is not None and (magic.name == "matplotlib" or "InlineBackend" in magic.arguments)
    return frozenset({"matplotlib"}) if plots else frozenset()


def _magic(cell: Cell, node: ast.stmt) -> Magic | None:
    """The line of IPython syntax that a statement stands for."""
    for magic in cell.magics:
        if magic.line == node.lineno and magic.kind is not MagicKind.CELL:
            return magic
    return None


def _arguments(call: ast.Call) -> tuple[ast.expr, ...]:
    return (*call.args, *(keyword.value for keyword in call.keywords))


def _is_place(target: ast.expr) -> bool:
    return isinstance(target, ast.Subscript | ast.Attribute) and ast.unparse(target).startswith(_TARGETS)


def _is_written(value: ast.expr) -> bool:
    """Whether a value is made of literals, attributes of modules and paths alone, so that it is always the same."""
    parts: tuple[ast.expr, ...]
    match value:
        case ast.Constant():
            known, parts = True, ()
        case ast.Name(id=name):
            known, parts = name[:1].isupper() and name.endswith(("Warning", "Error")), ()
        case ast.Attribute():
            known, parts = _is_known(value), ()
        case ast.Call():
            known, parts = _dotted(value.func) in _PATHS, _arguments(value)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            known, parts = True, tuple(items)
        case ast.Dict():
            known, parts = None not in value.keys, (*filter(None, value.keys), *value.values)
        case ast.UnaryOp(operand=operand):
            known, parts = True, (operand,)
        case _:
            known, parts = False, ()
    return known and all(map(_is_written, parts))


def _is_known(value: ast.Attribute) -> bool:
    """Whether an attribute is one of a module, or of a path made of what is written there."""
    if isinstance(value.value, ast.Call):
        return _is_written(value.value)
    return (_dotted(value) or "").partition(".")[0] in _MODULES


def _dotted(node: ast.expr) -> str | None:
    """`a.b.c` of an attribute chain, or None.

    >>> _dotted(ast.parse("plt.style.use", mode="eval").body)
    'plt.style.use'
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None
