from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from nb2pipe.notebook.gates import parse_gate
from nb2pipe.notebook.model import AfterTag, DescriptionTag, GateTag, NestedTag, ParametersTag, Settings
from nb2pipe.pipeline.graph import json_value, to_html, to_json, to_mermaid, to_svg, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.pipeline.model import Pipeline

    Make = Callable[..., Pipeline]

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text></title></style></script><script>alert(1)</script>\"'&\x00\x1b[31m\ud800"


def small(made: Make) -> Pipeline:
    gate = GateTag(parse_gate("accuracy >= 0.9"), "accuracy >= 0.9")
    return made(
        ("lr = 0.1\nt = len('ab')", ParametersTag()),
        ("k = 1",),
        ("raw = k", "load", DescriptionTag("loads the table")),
        ("print(accuracy)", "fit", gate),
        ("3", "report", AfterTag("load")),
        parameters=[
            {"name": "lr", "cell": 1, "line": 1, "value": 0.1},
            {"name": "t", "cell": 1, "line": 1, "is_literal": False, "source": "len('ab')"},
        ],
        uses={"lr": {4}},
        facts={2: {"definitions": "k"}, 3: {"definitions": "raw"}},
        flows=[("k", 2, 3), ("raw", 3, 4, "change", "?"), ("out.csv", 4, 5, "file")],
    )


def test_the_text_shows_steps_with_what_flows_to_them(made: Make) -> None:
    assert to_text(small(made)).splitlines() == [
        "n: 4 steps",
        "",
        "parameters",
        "  lr  = 0.1        (float)",
        "  t   = len('ab')  (computed)",
        "",
        "setup  cell 2 (made for code outside of steps)",
        "  -> k",
        "",
        "load  cell 3",
        "  loads the table",
        "  <- setup: k",
        "  -> raw",
        "",
        "fit  cell 4",
        "  <- load: raw (not certain)",
        "  parameters: lr",
        "  gate: accuracy >= 0.9",
        "",
        "report  cell 5",
        "  <- load: [order] (prev)",
        "  <- fit: [file]",
    ]


def test_mermaid_has_a_node_a_step_and_an_arrow_an_edge(made: Make) -> None:
    assert to_mermaid(small(made)).splitlines() == [
        "flowchart TD",
        '    s1["setup<br/>cell 2"]',
        '    s2["load<br/>cell 3"]',
        '    s3{{"fit<br/>cell 4<br/>lr"}}',
        '    s4["report<br/>cell 5"]',
        '    s1 -->|"k"| s2',
        '    s2 -.->|"raw (not certain)"| s3',
        '    s2 -.->|"#91;order#93; (prev)"| s4',
        '    s3 -.->|"#91;file#93;"| s4',
    ]


def test_the_svg_is_xml_with_a_box_a_step_and_a_tip_an_edge(made: Make) -> None:
    root = ET.fromstring(to_svg(small(made)))
    assert len([rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "box"]) == 4
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") == "tip"]) == 4
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"setup", "load", "fit", "report", "k", "raw ?", "lr", "gate: accuracy >= 0.9", "file"} <= set(texts)
    assert "prefers-color-scheme: dark" in to_svg(small(made))
    assert root.get("role") == "img"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_loads_and_runs_nothing(made: Make) -> None:
    page = Page(to_html(small(made)))
    assert not {"script", "link", "img", "iframe", "object"}.intersection(tag for tag, _ in page.tags)
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")
        assert not [name for name in attributes if name.startswith("on")]


def test_every_step_of_the_page_is_reached_by_a_link(made: Make) -> None:
    page = Page(to_html(small(made)))
    targets = {str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"}
    assert targets == {attributes["id"] for tag, attributes in page.tags if tag == "section"}
    assert len(targets) == 4


def test_the_page_shows_the_code_of_the_steps_escaped(made: Make) -> None:
    text = to_html(made(("x = 1 < 2 and '<b>'", "one")))
    assert "x = 1 &lt; 2 and &#x27;&lt;b&gt;&#x27;" in text


def hostile(made: Make) -> Pipeline:
    return made(
        (f"x = {HOSTILE!r}", ParametersTag()),
        (f"# {HOSTILE}", "one", DescriptionTag(HOSTILE)),
        ("2", "two"),
        parameters=[{"name": "x", "cell": 1, "line": 1, "value": HOSTILE}],
        uses={"x": {2}},
        flows=[(HOSTILE, 2, 3), (HOSTILE, 2, 3, "file")],
        settings=Settings(name=HOSTILE, description=HOSTILE),
    )


def test_hostile_texts_cannot_leave_their_place_in_svg_and_html(made: Make) -> None:
    pipeline = hostile(made)
    svg, page = to_svg(pipeline), to_html(pipeline)
    root = ET.fromstring(svg)
    assert [element.tag for element in root.iter(f"{SVG}script")] == []
    assert "<script" not in page
    assert "\x00" not in page
    page.encode()
    svg.encode()


def test_hostile_texts_cannot_leave_their_place_in_mermaid(made: Make) -> None:
    lines = to_mermaid(hostile(made)).splitlines()
    assert len(lines) == 4
    for line in lines[1:]:
        assert re.fullmatch(r'    s\d(\["[^"<>]*(<br/>[^"<>]*)+"\]| -->\|"[^"<>]*"\| s\d)', line)


def test_what_json_has_no_form_for_is_shown_as_text(made: Make) -> None:
    assert json_value({"a": (1, {2}, b"x"), 3: float("nan")}) == {"a": [1, "{2}", "b'x'"], "3": "nan"}
    pipeline = made(("1", "one"), parameters=[{"name": "x", "cell": 1, "line": 1, "value": (1, 2)}])
    assert to_json(pipeline)["parameters"] == [{"name": "x", "type": "tuple", "default": [1, 2]}]


def test_a_nested_pipeline_is_drawn_in_the_page(made: Make) -> None:
    inner = made(("1", "deep_step"))
    pipeline = made(("", NestedTag(name="sub", path="i.ipynb")), nested={"i.ipynb": inner})
    assert ">notebook: 1 step<" in to_svg(pipeline)
    assert "deep_step" in to_html(pipeline)


@pytest.mark.parametrize("count", [0, 1, 100])
def test_any_number_of_steps_can_be_drawn(made: Make, count: int) -> None:
    pipeline = made(*[("1", f"s{number}") for number in range(count)])
    for text in (to_svg(pipeline), to_html(pipeline), to_mermaid(pipeline), to_text(pipeline)):
        assert text
    assert len(list(ET.fromstring(to_svg(pipeline)).iter(f"{SVG}a"))) == 0


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    found = []
    for rect in ET.fromstring(svg).iter(f"{SVG}rect"):
        if rect.get("class") == "box":
            x, y, width, height = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def big(made: Make, count: int) -> Pipeline:
    flows = [(f"v{source}", source, target) for target in range(2, count + 1) for source in {max(1, target - 3), 1}]
    return made(*[("1", f"step_{number}" * (1 + number % 3)) for number in range(count)], flows=flows)


def test_boxes_never_overlap_and_lines_go_down(made: Make) -> None:
    pipeline = big(made, 60)
    found = boxes(to_svg(pipeline))
    for index, (left, top, right, bottom) in enumerate(found):
        for other_left, other_top, other_right, other_bottom in found[:index]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top
    numbers = {step.name: number for number, step in enumerate(pipeline.steps)}
    for edge in pipeline.edges:
        assert found[numbers[edge.source]][3] < found[numbers[edge.target]][1]


def test_everything_lies_within_the_picture(made: Make) -> None:
    svg = to_svg(big(made, 30))
    left, top, width, height = map(float, str(ET.fromstring(svg).get("viewBox")).split())
    for box in boxes(svg):
        assert left <= box[0]
        assert top <= box[1]
        assert box[2] <= left + width
        assert box[3] <= top + height


def test_drawing_is_always_the_same(made: Make) -> None:
    pipeline = big(made, 300)
    first = to_svg(pipeline)
    assert to_svg(pipeline) == first


def test_a_long_name_is_cut_and_told_in_full_by_the_title(made: Make) -> None:
    name = "a_very_long_name_of_a_step_that_does_not_fit_into_any_box_at_all"
    svg = to_svg(made(("1", name)))
    root = ET.fromstring(svg)
    shown = [text.text or "" for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
    assert shown[0].endswith("…")
    assert any(name in (title.text or "") for title in root.iter(f"{SVG}title"))
