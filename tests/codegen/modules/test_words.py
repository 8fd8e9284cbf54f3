"""Texts and values of the notebook in text of ours, and the author's text moved to the right: whatever they hold."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.codegen.modules.indent import indented
from nb2pipe.codegen.modules.values import formatted
from nb2pipe.codegen.modules.words import docstring, one_line, quoted
from nb2pipe.codegen.templates import ident, py

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("ab \"'\\\n\r\t#{}%\x00\u202e\ud800"), st.characters()), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


@given(TEXTS)
def test_a_quoted_text_means_the_text(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text
    assert quoted(text).isprintable() or any(ord(letter) > 127 for letter in text)


@given(TEXTS, st.sampled_from(["", "    "]))
def test_a_docstring_is_one_string_and_hides_nothing(text: str, indent: str) -> None:
    made = docstring(text + "x", indent=indent, more=text + "y")
    parsed = ast.parse(f"class A:\n{indent}{made}" if indent else made)
    first = parsed.body[0].body if isinstance(parsed.body[0], ast.ClassDef) else parsed.body
    assert [type(statement) for statement in first] == [ast.Expr]
    assert not any(row != row.rstrip() for row in made.split("\n"))
    assert not {"\x00", "\u202e", "\ud800", "\r", "\t"} & set(made)


@given(TEXTS)
def test_a_text_in_a_comment_is_one_line(text: str) -> None:
    assert len(f"#{one_line(text)}".splitlines()) == 1


@given(VALUES)
def test_a_value_is_printed_as_a_literal_that_means_it(value: object) -> None:
    assert ast.literal_eval(py(value)) == value
    assert ast.literal_eval(formatted(repr(value), indent="    ", before=70)) == value


@pytest.mark.parametrize("text", ["f()", "[x]", "x", "__import__('os')", "f'{x}'", "1 if x else 2", "[*a]", "{**a}"])
def test_what_is_no_literal_is_not_formatted(text: str) -> None:
    with pytest.raises(ValueError, match="is no literal"):
        formatted(text)


@pytest.mark.parametrize("name", ["", "a b", "class", "a.", "1a", "a-b", "a\n", "None", "x;y"])
def test_what_is_no_name_is_not_printed_as_one(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        ident(name)


MOVED = (
    "a = 1\n\n\nif a:\n\tb = 2\n",
    "a = '''x\n  y\n'''",
    "a = 'x\\\n  y'",
    "a = f'''{1\n}\n {2:{3\n}}\n'''",
    "a = f'''{1 + 1 = }\n{2\n = }'''",
    "a = rb'''\n''' b'tail'",
    "a = 1 + \\\n  2\nb = (1,\n2)\n# at the end",
    "def f():\n  '''doc\n  more'''\n  return '''\n'''",
    "class A:\n    '''d'''\n    x = 1\n\n    async def g(self): pass",
    "async with a as b:\n    await c\nx = [i async for i in y]",
    "x = '''a''' '''\nb''' f'''{1}\nd'''",
    "match x:\n  case {'a': '''\n'''}:\n    y = 1",
    "",
    "# only a comment",
    "\x0ca = 1",
    "x = 1  \n   \ny = 2",
    "lambda: (yield)",
)


@pytest.mark.parametrize("text", MOVED)
def test_text_that_is_moved_means_the_same(text: str) -> None:
    moved = indented(text)
    assert moved is not None
    body = ast.parse(f"async def f():\n    0\n{moved}").body[0]
    assert isinstance(body, ast.AsyncFunctionDef)
    assert [ast.dump(one) for one in body.body[1:]] == [ast.dump(one) for one in ast.parse(text).body]
    assert moved.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", ["a = (", "a = '''", "x = 1\n  y = 2", "from __future__ import nothing\x00", "\ud800"])
def test_text_that_is_no_python_is_not_moved(text: str) -> None:
    assert indented(text) is None


def test_lines_outside_of_strings_are_indented_and_no_others() -> None:
    text = "if a:\n    x = '''\n  in\n'''; y = [\n1]\n"
    assert indented(text) == textwrap.dedent("""\
        |    if a:
        |        x = '''
        |  in
        |'''; y = [
        |    1]
        |""").replace("|", "")
