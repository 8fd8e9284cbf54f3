"""NB208: what a step changes in a module beside the notebook is gone in the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2pipe.pipeline.compile import compile_notebook

CASES = {
    "a list of it": ("import helpers", "helpers.SEEN.append(1)", "print(helpers.SEEN)", (3, 1)),
    "a name of it": ("import helpers as h", "x = 1\nh.rate = 2", "print(h.rate)", (3, 2)),
    "an element": ("import helpers", "helpers.TABLE['a'] = 1", "print(helpers.TABLE)", (3, 1)),
    "a module of a package": ("from parts import tools", "tools.SEEN.clear()", "tools.SEEN", (3, 1)),
    "a deletion": ("import helpers", "del helpers.SEEN[0]", "print(helpers)", (3, 1)),
    "nobody asks later": ("import helpers", "helpers.SEEN.append(1)", "print(1)", None),
    "a function of it": ("import helpers", "helpers.append(1)", "print(helpers.SEEN)", None),
    "only read": ("import helpers", "print(len(helpers.SEEN))", "print(helpers.SEEN)", None),
    "an installed module": ("import json", "json.thing = 1", "print(json.thing)", None),
    "an object of its own": ("import helpers", "box = helpers.Box()\nbox.x = 1", "print(helpers, box.x)", None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_of_a_local_module_that_later_steps_do_without_is_told(
    case: tuple[str, str, str, tuple[int, int] | None], tmp_path: Path
) -> None:
    imports, change, use, found = case
    (tmp_path / "parts").mkdir()
    for name in ("helpers.py", "parts/__init__.py", "parts/tools.py"):
        Path(tmp_path, name).write_text("SEEN = []\nTABLE = {}\nrate = 1\nclass Box: pass\ndef append(x): pass\n")
    cells = [
        f'# %% tags=["imports"]\n{imports}',
        "# %% [markdown]\n# words",
        f'# %% tags=["step:a"]\n{change}',
        f'# %% tags=["step:b"]\n{use}',
    ]
    notebook = tmp_path / "n.py"
    notebook.write_text("\n\n".join(cells) + "\n")
    told = [each for each in compile_notebook(notebook).report if each.code == "NB208"]
    assert [(each.location.position, each.location.line) for each in told] == ([found] if found else [])
