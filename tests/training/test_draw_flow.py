"""The picture of the data flow and the table of shapes are those of the model as it is."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from training import draw_flow
from training.draw_flow import AXES, PICTURE, Shapes, check_axes, draw, main, run_once, say, table

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shapes() -> Shapes:
    torch.set_num_threads(1)
    return run_once()


def test_the_picture_is_what_the_command_draws_now(shapes: Shapes) -> None:
    stale = "the shapes have changed: run python -m training.draw_flow"
    assert PICTURE.read_text(encoding="utf-8") == draw(shapes), stale


def test_the_table_of_the_page_is_what_the_command_prints_now(shapes: Shapes) -> None:
    assert table(shapes) in (ROOT / "refatomnet" / "README.md").read_text(encoding="utf-8"), "paste what it prints"


def test_the_command_writes_the_picture_and_prints_the_table(
    shapes: Shapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(draw_flow, "run_once", lambda: shapes)
    assert main(["--out", str(tmp_path / "deep" / "flow.svg")]) == 0
    assert (tmp_path / "deep" / "flow.svg").read_text(encoding="utf-8") == draw(shapes)
    assert capsys.readouterr().out == table(shapes)
    assert main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_shapes_of_a_wider_model_show(shapes: Shapes) -> None:
    wide = {
        name: tuple(256 if axis == "D" else size for axis, size in zip(AXES[name].split(), shape, strict=True))
        for name, shape in shapes.items()
    }
    assert draw(wide).count("D 256") == draw(shapes).count("D 128") > 10


def test_all_is_inside_the_picture_and_words_are_text(shapes: Shapes) -> None:
    root = ElementTree.fromstring(draw(shapes))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for box in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
    words = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert "tokens T 8 × N 240 × D 128" in words and "“the man in the grey shirt”" in words


def test_a_shape_is_said_by_its_axes() -> None:
    shapes = {"ClipTokens.tokens": (1, 8, 240, 128), "Sentence.tokens": (2, 7, 128), "Output.boxes": (2, 8, 4)}
    assert [say(name, shapes) for name in shapes] == ["T 8 × N 240 × D 128", "(L+1) 7 × D 128", "P 8 × 4"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("ClipTokens.temporal", (1, 60, 128)),  # averaged over the wrong axis
        ("FrameFeatures.middle", (1, 8, 99, 24, 40)),  # a stride of 8
        ("Output.choice", (2, 8)),  # without nobody
        ("Output.boxes", (2, 8, 5)),
        ("ClipTokens.people", (1, 8)),
    ],
)
def test_axes_that_are_not_what_they_are_called_are_refused(shapes: Shapes, name: str, shape: tuple[int, ...]) -> None:
    check_axes(shapes)
    with pytest.raises(ValueError, match=name):
        check_axes({**shapes, name: shape})
