"""A variable cannot be the parameter of a nested notebook.

A cell tagged `notebook:NAME` runs another notebook as a part of this one. Parameters of that notebook that this one has
as parameters or variables of the same name get their values. Such a value has to be plain data: numbers, texts, True,
False, None, and lists and dictionaries of them.

For example, the nested notebook has a parameter `data`, and this notebook binds `data` to a table.

What to do: rename one of the two, or turn the variable into plain data (`rows = table.to_dict("records")`).
"""

from __future__ import annotations

from nb2pipe.records.events import Failure

CODE = "NB515"


def nested_parameter(step: str, cell: int | None, name: str, reason: str) -> Failure:
    """The failure of a nested pipeline whose parameter cannot be given."""
    message = f"the parameter `{name}` of the nested notebook cannot be given: {reason}"
    return Failure(step=step, cell=cell, line=None, kind="ParameterError", message=message)
