"""A notebook as an HTML page, by nbconvert: for `runs open`, and for steps tagged `report:enabled`.

Outputs are not sanitized. The code that wrote them has run with all the user's rights before there is anything to show,
so that a script in a page gains it nothing; and taking scripts and styles out would take charts and styled tables with
them. What the page itself needs is in it: it loads nothing from the network, as nbconvert's own templates do (MathJax,
require.js, Mermaid, widgets). So formulas show as their source, and a widget shows its text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import RecordsError

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

_OFFLINE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block jupyter_widgets -%}{%- endblock jupyter_widgets -%}
"""
_SHOWN = (
    "application/javascript",
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "text/vnd.mermaid",
    "text/latex",
    "image/png",
    "image/jpeg",
    "text/plain",
)
_NO_CELL = {"remove-cell", "remove_cell", "hide-cell", "hide_cell"}
_NO_INPUT = {"remove-input", "remove_input", "hide-input", "hide_input"}
_NO_OUTPUT = {"remove-output", "remove_output", "hide-output", "hide_output"}
_OURS = {"enter", "leave"}


def html(path: Path) -> str:
    """The page of a notebook.

    Tags and metadata that hide a cell, its input or its outputs are honored; our own cells of a step notebook are left
    out.

    Args:
        path: An `.ipynb`, as a run leaves it.

    Raises:
        RecordsError: It cannot be read as a notebook.
    """
    import nbconvert  # heavy
    from traitlets.config import Config  # noqa: PLC0415  # comes with nbconvert

    config = Config()
    config.NbConvertBase.display_data_priority = list(_SHOWN)
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = _NO_CELL
    config.TagRemovePreprocessor.remove_input_tags = _NO_INPUT
    config.TagRemovePreprocessor.remove_all_outputs_tags = _NO_OUTPUT
    exporter = nbconvert.HTMLExporter(config=config, raw_template=_OFFLINE)
    exporter.log.setLevel("ERROR")  # it complains of pictures without a text, which are the author's
    page, _ = exporter.from_notebook_node(_notebook(path), resources=_resources(path))
    return str(page)


def _notebook(path: Path) -> NotebookNode:
    import nbformat.v4  # heavy

    try:
        node = nbformat.v4.to_notebook(json.loads(path.read_text(encoding="utf-8-sig")))
        node["cells"] = [_tagged(cell) for cell in node.cells if _role(cell) not in _OURS]
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordsError(f"{path} is no notebook that can be shown: {error}") from error
    return node


def _role(cell: NotebookNode) -> object:
    ours = cell.metadata.get("nb2pipe", {})
    return ours.get("role") if isinstance(ours, dict) else None


def _tagged(cell: NotebookNode) -> NotebookNode:
    """The cell with a tag for each way in which its metadata hide something."""
    metadata: dict[str, Any] = cell["metadata"]
    jupyter = metadata.get("jupyter", {})
    tags = list(metadata.get("tags", []))
    if metadata.get("hide_input") or jupyter.get("source_hidden"):
        tags.append("remove-input")
    if metadata.get("hide_output") or jupyter.get("outputs_hidden"):
        tags.append("remove-output")
    metadata["tags"] = tags
    return cell


def _resources(path: Path) -> dict[str, Any]:
    return {"metadata": {"name": path.stem, "path": str(path.parent)}}
