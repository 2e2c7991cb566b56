"""What the page beside the code says of it: its snippets run, and it names every module and every switch."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from refatomnet.config import ModelConfig
from refatomnet.model import Output
from refatomnet.text import TextTokens

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "refatomnet"
PAGE = (PACKAGE / "README.md").read_text(encoding="utf-8")


def run_snippet(with_word: str) -> dict:
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL) if with_word in code]
    names: dict = {}
    exec(compile(code, "refatomnet/README.md", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def test_the_model_answers_without_the_predictor_as_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from refatomnet import Predictor
    from refatomnet.boxes import cxcywh_to_xyxy, fraction_to_px

    monkeypatch.chdir(ROOT)
    names = run_snippet("load_checkpoint")
    assert capsys.readouterr().out.startswith("tensor")
    output, info = names["output"], names["info"]
    assert isinstance(output, Output)
    inside = names["box"].to_frame(cxcywh_to_xyxy(output.box_cxcywh))
    mine = fraction_to_px(inside, width=info.width, height=info.height)
    predictor = Predictor(names["model"], names["card"])
    half = 0.5  # the one key frame lies in the middle of the stretch
    clip = predictor.encode(names["path"], stride=1.0, start=names["moment"] - half, end=names["moment"] + half)
    result = predictor.ask(clip, "the man on the left", "the woman on the right", threshold=0.0)
    scale = names["card"]["calibration"]["presence"]
    for row, query in enumerate(result.queries):
        (key,) = query.keyframes
        assert key.time == names["moment"]
        # The shelf keeps tokens in half precision; the key frame's own box is smoothed along the person's track.
        torch.testing.assert_close(mine[row], torch.tensor(key.candidates[0].box_xyxy), atol=1.0, rtol=0.0)
        presence = torch.sigmoid(scale["scale"] * output.presence[row] + scale["bias"])
        assert abs(float(presence) - key.presence) < 0.01


def test_the_fusion_of_the_page_is_one() -> None:
    model = run_snippet("class Product")["model"].eval()
    config = model.config
    features = model.encode_frames(torch.zeros(config.frames, 3, config.image_height, config.image_width))
    states = torch.randn(4, 5, config.word_width)
    real = torch.ones(4, 5, dtype=torch.bool)
    text = TextTokens(states, real, real, states.mean(1), (("word",) * 5,) * 4)
    clip, _ = model.encode_clips(features.stack([features, features]))
    output = model(clip, text)
    assert output.choice.shape == (4, config.people + 1) and output.branch_boxes.shape == (4, 1, 4)
    assert not torch.equal(output.branch_actions[0], output.branch_actions[1])


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_every_module_has_its_row(path: Path) -> None:
    if not path.name.startswith("__"):
        rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
        assert any(f"`{path.name}`" in row for row in rows)


def test_every_module_and_name_on_the_page_is_there() -> None:
    table = PAGE.split("## Modules")[1].split("## ")[0]
    for row in (line for line in table.splitlines() if line.startswith("| `")):
        named = re.findall(r"`([^`]+)`", row.split("|")[1])
        files = [PACKAGE / name for name in named if name.endswith((".py", "/"))]
        assert files and all(path.exists() for path in files), row
        code = "".join(path.read_text(encoding="utf-8") for path in files if path.is_file())
        for name in named:
            if not name.endswith((".py", "/")):
                assert re.search(rf"^(class|def) {name}\b", code, flags=re.MULTILINE), f"{name} is not in {named}"


def test_every_field_of_the_config_and_every_value_of_a_switch_is_named() -> None:
    from refatomnet.config import _CHOICES

    part = PAGE.split("## Switches")[1].split("## ")[0]
    for name in [field.name for field in fields(ModelConfig)] + [
        value for known in _CHOICES.values() for value in known
    ]:
        assert f"`{name}`" in part


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", PAGE):
        assert (PACKAGE / link).exists(), link
