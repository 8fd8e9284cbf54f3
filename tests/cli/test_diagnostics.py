from __future__ import annotations

import click

from nb2pipe.cli.diagnostics import as_json, as_text, diagnostic_text, failure_text, summary
from nb2pipe.diagnostics import Diagnostic, Location, Report, Severity
from nb2pipe.records.events import Failure


def _diagnostic(source: str, column: int | None, end: int | None, *, line: int = 3) -> Diagnostic:
    return Diagnostic(
        code="NB203",
        severity=Severity.ERROR,
        message="`scaler` is used, but no step defines it",
        location=Location(
            notebook="train.ipynb",
            cell="c7",
            position=7,
            line=line,
            column=column,
            end_column=end,
            source_line=source,
            step="fit",
        ),
        hint="remove the tag",
    )


def test_a_diagnostic_shows_what_where_the_line_and_a_hint() -> None:
    text = diagnostic_text(_diagnostic("X = scaler.transform(X_train)", 5, 11), color=False)
    assert text == (
        "error[NB203]: `scaler` is used, but no step defines it\n"
        "  --> train.ipynb, cell 7 (step `fit`), line 3\n"
        "   |\n"
        " 3 | X = scaler.transform(X_train)\n"
        "   |     ^^^^^^\n"
        "hint: remove the tag"
    )


def _underlined(diagnostic: Diagnostic) -> list[str]:
    return [line for line in diagnostic_text(diagnostic, color=False).splitlines() if "|" in line]


def test_the_underline_is_right_under_tabs() -> None:
    assert _underlined(_diagnostic("\tx = y", 6, 7))[1:] == [" 3 |     x = y", "   |         ^"]


def test_the_underline_is_right_under_wide_letters() -> None:
    assert _underlined(_diagnostic("模型 = 数据", 6, 8))[1:] == [" 3 | 模型 = 数据", "   |        ^^^^"]


def test_the_underline_is_right_after_a_control_character() -> None:
    assert _underlined(_diagnostic("a\x1b = b", 6, 7))[1:] == [" 3 | a\\x1b = b", "   |         ^"]


def test_an_end_before_the_start_still_underlines_one_column() -> None:
    assert _underlined(_diagnostic("abc", 2, None))[2] == "   |  ^"
    assert _underlined(_diagnostic("abc", 99, 120))[2] == "   |    ^"


def test_the_gutter_is_as_wide_as_the_number() -> None:
    assert _underlined(_diagnostic("abc", 1, 2, line=120)) == ["     |", " 120 | abc", "     | ^"]


def test_a_long_line_is_cut_around_the_place() -> None:
    source = "x" * 5000 + "bad" + "y" * 5000
    shown = _underlined(_diagnostic(source, 5001, 5004))
    assert len(shown[1]) < 120
    start, end = shown[2].index("^"), shown[2].rindex("^") + 1
    assert shown[1][start:end] == "bad"


def test_a_diagnostic_of_the_whole_notebook_has_no_quote() -> None:
    found = Diagnostic(
        code="NB101", severity=Severity.WARNING, message="odd\x1b[31m", location=Location(notebook="a.ipynb")
    )
    assert diagnostic_text(found, color=False) == "warning[NB101]: odd\\x1b[31m\n  --> a.ipynb"


def test_related_places_are_shown_as_notes() -> None:
    found = Diagnostic(
        code="NB301",
        severity=Severity.ERROR,
        message="closed",
        location=Location(notebook="a.ipynb", position=4),
        related=(("it begins here", Location(notebook="a.ipynb", position=2, line=1, source_line="x = 1")),),
    )
    assert "note: it begins here\n  --> a.ipynb, cell 2, line 1\n   |\n 1 | x = 1" in diagnostic_text(
        found, color=False
    )


def test_colors_change_no_letter() -> None:
    found = _diagnostic("X = scaler.transform(X_train)", 5, 11)
    colored = diagnostic_text(found, color=True)
    assert colored != diagnostic_text(found, color=False)
    assert click.unstyle(colored) == diagnostic_text(found, color=False)


def test_the_summary_counts_by_severity() -> None:
    first = _diagnostic("x", 1, 2)
    second = Diagnostic(code="NB110", severity=Severity.WARNING, message="w", location=first.location)
    assert summary(Report.of([first, second])) == "1 error, 1 warning"
    assert summary(Report()) == "no problems found"


def test_the_json_has_all_fields() -> None:
    report = Report.of([_diagnostic("x", 1, 2)])
    assert as_json(report) == {
        "schema": 1,
        "diagnostics": [
            {
                "code": "NB203",
                "severity": "error",
                "message": "`scaler` is used, but no step defines it",
                "cell": 7,
                "line": 3,
                "column": 1,
                "step": "fit",
                "hint": "remove the tag",
            }
        ],
    }
    assert as_text(report, color=False).count("error[") == 1


def test_a_failure_shows_the_authors_lines_with_the_one_that_failed() -> None:
    failure = Failure(
        step="fit",
        cell=7,
        line=3,
        kind="ValueError",
        message="no\x1b[2Jdata",
        traceback='cell 7, line 3\n    raise ValueError("no data")\n',
        source_line="c()",
    )
    text = failure_text(failure, "train.ipynb", "a()\nb()\nc()\nd()\ne()", color=False)
    assert text == (
        "ValueError: no\\x1b[2Jdata\n"
        "  --> train.ipynb, cell 7 (step `fit`), line 3\n"
        "     |\n"
        "   1 | a()\n"
        "   2 | b()\n"
        " > 3 | c()\n"
        "   4 | d()\n"
        "\n"
        "  cell 7, line 3\n"
        '      raise ValueError("no data")'
    )


def test_a_failure_without_the_cell_shows_the_line_that_is_known() -> None:
    failure = Failure(step="fit", cell=7, line=30, kind="KeyError", message="", source_line="d['x']")
    text = failure_text(failure, "train.ipynb", None, color=False)
    assert text.splitlines()[0] == "KeyError"
    assert " > 30 | d['x']" in text


def test_a_kernel_that_died_names_its_step() -> None:
    failure = Failure(step="fit", cell=None, line=None, kind="KernelDied", message="killed by signal 9")
    assert (
        failure_text(failure, "t.ipynb", None, color=False)
        == "KernelDied: killed by signal 9\n  --> t.ipynb, step `fit`"
    )
