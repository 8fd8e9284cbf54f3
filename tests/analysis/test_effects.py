"""The table of library effects: its words, and what it says of some well-known names."""

from __future__ import annotations

import pytest

from nb2pipe.analysis.effects import Result, effects, parse_phrase, parse_table


def test_every_phrase_of_the_table_is_read() -> None:
    table = effects()
    assert len(table.sections) > 100
    bases = {section.base or section.instances for section in table.sections.values()} - {None}
    assert bases <= table.sections.keys()


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="shuffles"):
        parse_phrase("plain; shuffles 0")


def test_a_phrase_has_conditions() -> None:
    effect = parse_phrase("holds; later numpy unless random_state if shuffle")
    assert (effect.later, effect.unless, effect.given) == ({"numpy"}, "random_state", "shuffle")


def test_the_nearest_section_counts() -> None:
    table = parse_table('[a]\notherwise = "plain"\n["a.b"]\notherwise = "view"\n"changes 0" = "c"\n')
    assert table.of_function("a.x").result is Result.PLAIN
    assert table.of_function("a.b.x").result is Result.VIEW
    assert table.of_function("a.b.c").changes == ("0",)


def test_a_module_that_is_not_in_the_table_is_uncertain() -> None:
    assert not effects().of_function("nobody.knows").certain


def test_an_estimator_has_the_methods_of_all() -> None:
    table = effects()
    assert table.of_function("sklearn.linear_model.Ridge").type == "sklearn.linear_model.Ridge"
    fit = table.of_method("sklearn.linear_model.Ridge", "fit")
    assert fit is not None
    assert fit.changes == ("self",)
    assert table.is_a("torch.nn.Linear", "torch.nn.Module")
