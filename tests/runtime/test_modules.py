from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import nb2pipe
from nb2pipe.runtime.modules import UNBOUND, bind

if TYPE_CHECKING:
    from tests.runtime.conftest import Bundle


def ask(bundle: Bundle, code: str) -> str:
    done = bundle.python("-c", dedent(code))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_pickled_instances_of_the_notebooks_classes_open_where_definitions_is_imported(bundle: Bundle) -> None:
    code = """
        import pickle
        from digits_pipeline.definitions import Net
        data = pickle.dumps(Net(2, [1, 1]))
        assert b"__main__" in data
        print(pickle.loads(data))
    """
    assert ask(bundle, code) == "Net(size=2, weights=[1, 1])"


def test_what_neither_main_nor_the_notebook_has_is_missing_as_ever(bundle: Bundle) -> None:
    code = """
        import __main__
        from digits_pipeline import definitions
        for name in ("nothing", "__file__"):
            try:
                getattr(__main__, name)
            except AttributeError as error:
                print(error)
    """
    expected = ["module '__main__' has no attribute 'nothing'", "module '__main__' has no attribute '__file__'"]
    assert ask(bundle, code).splitlines() == expected


def test_the_notebook_has_no_file_and_none_of_our_names(bundle: Bundle) -> None:
    bundle.change("definitions.py", "# %% cell 3", "# %% cell 3\nseen = sorted(globals())\n")
    code = "from digits_pipeline import definitions; print(definitions.seen)"
    names = ask(bundle, code)
    assert "__file__" not in names
    assert "stand_for_notebook" not in names


def test_programs_that_a_library_starts_do_not_import_the_notebook_again(bundle: Bundle) -> None:
    bundle.write(
        "steps/data.py",
        """
        import multiprocessing

        def data():
            # %% cell 5
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(abs, (-4,)))
        """,
    )
    launched = bundle.launch("data")
    assert b"4\n" in launched.stdout, launched.stderr
    assert launched.told["completed"]


def test_unbound_is_one_object_and_binding_it_takes_a_name_away() -> None:
    names: dict[str, object] = {"a": 1, "b": 2}
    bind(names, {"a": UNBOUND, "b": 3, "c": UNBOUND})
    assert names == {"b": 3}
    assert repr(UNBOUND) == "UNBOUND"


def test_the_runtime_imports_nothing_but_the_standard_library(bundle: Bundle) -> None:
    names = "program, handover, launched, cells, borders, magics, arguments"
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(nb2pipe.__file__).parents[1])!r})
        from nb2pipe.runtime import {names}
        print(sorted({{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names)))
    """
    done = bundle.python("-S", "-c", dedent(code))
    assert done.stdout.strip() == "['__main__', 'nb2pipe']", done.stderr
