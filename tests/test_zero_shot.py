"""Answers without training: the real loading on tiny random models, the reasoning on models that are never wrong."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from fake_hub import hub_on
from test_video import make_video
from tiny_public import save_matcher, save_zero_shot
from torch import nn
from torch.nn import functional

from refatomnet import cli
from refatomnet.actions import ACTIONS, MOVEMENT, action
from refatomnet.detectors import Detector, Objects
from refatomnet.errors import CheckpointError, SentenceError
from refatomnet.matchers import Matcher
from refatomnet.places import Scene
from refatomnet.predictor import EncodedClip, Predictor, read_card
from refatomnet.preprocess import Letterbox
from refatomnet.public import PublicModel
from refatomnet.zero_shot import (
    DOING,
    NEEDED,
    ZERO_SHOT,
    SeenTokens,
    ZeroShot,
    ZeroSight,
    cut_out,
    others_blurred,
    zero_shot_card,
)

ROOT = Path(__file__).parents[1]
SIZE = (320, 180)
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_zero_shot(tmp_path_factory.mktemp("public") / "tiny", detector="detr", matcher="clip")


@pytest.fixture(scope="module")
def matchers(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("matchers")
    return {"siglip": save_matcher(root / "siglip", "siglip"), "clip": folder / "matcher"}


def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(3)]


# --- the models, through the real code path


@pytest.mark.parametrize("kind", ["siglip", "clip"])
def test_features_are_those_of_transformers(kind: str, matchers: dict[str, Path]) -> None:
    import transformers as hf

    loaded = Matcher(PublicModel("matcher", matchers[kind]))
    sentences = ["A photo of a woman, in a red coat!", "the man"]
    ours = loaded.texts(sentences), loaded.pictures(pictures())
    classes = {"siglip": (hf.SiglipModel, hf.SiglipImageProcessorPil), "clip": (hf.CLIPModel, hf.CLIPImageProcessorPil)}
    model, prepare = (one.from_pretrained(matchers[kind]) for one in classes[kind])
    words = hf.PreTrainedTokenizerFast.from_pretrained(matchers[kind])
    pixels = prepare(images=pictures(), return_tensors="pt")["pixel_values"]
    if kind == "siglip":  # lower case, filled up at the end, no mask
        plain, full = ["a photo of a woman, in a red coat!", "the man"], {"padding": "max_length", "max_length": 16}
        text = {"input_ids": words(plain, **full, padding_side="right", return_tensors="pt")["input_ids"]}
    else:
        told = words(sentences, padding=True, return_tensors="pt")
        text = {name: told[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        output = model.eval()(pixel_values=pixels, **text)
    assert torch.allclose(ours[0], functional.normalize(output.text_embeds, dim=-1), atol=1e-5)
    assert torch.allclose(ours[1], functional.normalize(output.image_embeds, dim=-1), atol=1e-5)
    logits = loaded.scale * ours[1] @ ours[0].T + (loaded.bias or 0.0)
    assert torch.allclose(logits, output.logits_per_image, atol=1e-4)
    assert (loaded.bias is None) == (kind == "clip") and loaded.width == ours[0].shape[1]


def test_wide_and_tall_pictures_are_seen_whole(matchers: dict[str, Path]) -> None:
    """CLIP's own preparation cuts the ends off; what stands there must make a difference."""
    loaded = Matcher(PublicModel("matcher", matchers["clip"]))
    plain = np.full((30, 120, 3), 90, dtype=np.uint8)
    ended = plain.copy()
    ended[:, :20] = 250
    one, other = loaded.pictures([plain, ended])
    assert float(one @ other) < 0.999
    assert loaded.pictures([]).shape == (0, loaded.width)


def test_another_kind_of_model_is_no_matcher(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the matcher in .* cannot be used"):
        Matcher(PublicModel("matcher", folder / "detector"))


def test_the_name_alone_offline_says_what_is_missing(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", 3)
    assert cli.main(["predict", str(clip), "the man", "--checkpoint", ZERO_SHOT]) == 2
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "dfine-small-coco' (42 MB) and 'google/siglip2-base-patch16-224' (1.5 GB), which are neither" in said.err
    assert cli.main(["info", ZERO_SHOT]) == 0, "what it is can be told without them"
    said = capfd.readouterr()
    assert json.loads(said.out)["detector"] == "ustc-community/dfine-small-coco" and "milliseconds" not in said.out
    assert said.err.count("\n") == 1 and "size and speed are not told: they need 'ustc" in said.err


def test_the_options_of_a_download_reach_both_models(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_on(monkeypatch, tmp_path / "usual") as hub:
        for wanted, part in zip(NEEDED, ("detector", "matcher"), strict=True):
            files = {path.name: path.read_bytes() for path in (folder / part).iterdir()}
            hub.repos[f"models/{wanted.source}"] = files
        options: dict[str, Any] = {"device": "cpu", "cache_dir": tmp_path / "other"}
        with pytest.raises(CheckpointError, match="the detector 'ustc-community.*is neither on this machine"):
            Predictor.from_pretrained(ZERO_SHOT, local_files_only=True, **options)
        assert hub.asked == []
        assert Predictor.from_pretrained(ZERO_SHOT, token="secret", **options).card["name"] == ZERO_SHOT
        assert hub.tokens == {"Bearer secret"} and not (tmp_path / "usual").exists()
        asked = len(hub.asked)
        assert Predictor.from_pretrained(ZERO_SHOT, local_files_only=True, **options).card["name"] == ZERO_SHOT
        assert len(hub.asked) == asked


def test_a_folder_is_asked_like_any_checkpoint_and_touches_no_network(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*given: object, **more: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", forbidden)
    clip = make_video(tmp_path / "clip.mp4", 15, size=(160, 96))
    given = [str(clip), "the man in a red coat", "the second person from the left", "--checkpoint", str(folder)]
    assert cli.main(["predict", *given, "--quiet"]) == 0
    data = json.loads(capfd.readouterr().out)
    assert data["schema_version"] == 1 and len(data["queries"]) == 2
    assert data["checkpoint"]["name"] == "zero-shot (tiny)"
    assert data["checkpoint"]["trained_on"] == "no clips: detr finds people, clip compares them with sentences"
    assert [key["time"] for key in data["queries"][0]["keyframes"]] == [0.5, 1.5]
    assert data["queries"][0]["keyframes"][0]["presence"] > 0, "random weights see somebody here"

    out = tmp_path / "out"
    given = ["--out", str(out), "--sentence", "the man", "--checkpoint", str(folder), "--quiet"]
    assert cli.main(["batch", str(tmp_path), *given]) == 0 and (out / "summary.csv").is_file()
    before = (out / "clip.json").stat().st_mtime_ns
    assert cli.main(["batch", str(tmp_path), *given]) == 0
    assert (out / "clip.json").stat().st_mtime_ns == before, "what is finished is skipped"

    assert cli.main(["info", str(folder), "--quiet"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["detector"] == "detr" and told["matcher"] == "clip" and "not measured" in told["limits"]
    assert told["parameters"]["total"] == sum(told["parameters"]["parts"].values()) > 10_000
    assert all(told["milliseconds"][name] > 0 for name in ("picture", "person", "sentence"))
    assert read_card(folder)["name"] == "zero-shot (tiny)" and read_card(ZERO_SHOT)["matcher"].startswith("google/")


def test_a_few_clips_can_be_asked_about_and_looked_at(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.references import main

    make_video(tmp_path / "clip.mp4", 15, size=(160, 96))
    one = {"clip": "clip.mp4", "frame": 7, "description": "the man", "box_xyxy": None, "actions": ["stand"]}
    out = tmp_path / "out.json"
    for refs, checkpoint, code, says in (
        ("[]", ZERO_SHOT, 2, "error: the detector 'ustc-community/dfine-small-coco'"),
        ('{"a": 1}', str(folder), 2, "refs.json is no list of references"),
        (json.dumps([one | {"frame": 15}]), str(folder), 2, "clip.mp4 has no frame 15, but 15"),
        (json.dumps([one | {"frame": -1}]), str(folder), 2, "clip.mp4 has no frame -1"),
        (json.dumps([one]), str(folder), 0, ""),
    ):
        (tmp_path / "refs.json").write_text(refs)
        assert main([str(tmp_path), "--checkpoint", checkpoint, "--json", str(out)]) == code
        said = capfd.readouterr()
        assert says in said.err and (code == 0 or said.err.strip().count("\n") == 0)
    (row,) = json.loads(out.read_text())
    assert row["frame"] == 7 and not row["in_view"] and len(row["top_actions"]) == 5 * row["found"]
    assert "of 0 boxes right" in said.out
    asked, ask = [], Predictor.ask

    def noted(predictor: Predictor, clip: EncodedClip, *sentences: str, **options: Any) -> Any:
        asked.extend(clip.frames)
        return ask(predictor, clip, *sentences, **options)

    monkeypatch.setattr(Predictor, "ask", noted)
    ends = [one | {"frame": frame} for frame in (0, 7, 14)]
    (tmp_path / "refs.json").write_text(json.dumps(ends))
    assert main([str(tmp_path), "--checkpoint", str(folder)]) == 0
    assert asked == [0, 7, 14], "each at its own frame, at the ends of the clip too"


def test_the_demo_takes_the_name_and_the_folder(folder: Path) -> None:
    app = pytest.importorskip("app")
    for checkpoint in (ZERO_SHOT, str(folder)):
        assert app.parse_arguments(["--checkpoint", checkpoint]).checkpoint == [checkpoint]


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, refatomnet.predictor, refatomnet.zero_shot\n"
        "refatomnet.predictor.read_card('zero-shot')\n"
        "print([n for n in sys.modules if n.split('.')[0] in {'transformers', 'timm', 'torchvision'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_window_is_seen_as_the_models_see_it(folder: Path) -> None:
    """What is kept of a key frame equals what the two models say of its pictures, one by one."""
    find, match = Detector(PublicModel("detector", folder / "detector")), Matcher(PublicModel("m", folder / "matcher"))
    model = ZeroShot(find, match)
    random = np.random.default_rng(2)
    shots = {t: random.integers(0, 256, (90, 160, 3), dtype=np.uint8) for t in (0.0, 0.3, 0.6)}
    box = Letterbox.fit(160, 90, canvas_width=160, canvas_height=100)
    sight = ZeroSight(model, box, "cpu")
    people, seen = sight.look(shots, [(0.0, 0.3, 0.6)])
    assert seen is not None and seen.mask.sum() >= 1
    first = find([shots[0.3]], threshold=0.1)[0].boxes_xyxy[0]
    x1, y1, x2, y2 = first
    cx, cy, w, h = (float(v) for v in people.boxes_cxcywh[1, 0])
    assert np.allclose([cx * 160, cy * 100 - 5, w * 160, h * 100], [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
                       atol=1e-3)  # fmt: skip
    assert np.allclose(seen.people[0, 0], first / 90, atol=1e-6) and float(seen.aspect[0]) == pytest.approx(16 / 9)
    around = shots[0.3][max(int(y1 - 0.1 * (y2 - y1)), 0) : int(np.ceil(y2 + 0.1 * (y2 - y1)))]
    around = around[:, max(int(x1 - 0.1 * (x2 - x1)), 0) : int(np.ceil(x2 + 0.1 * (x2 - x1)))]
    assert torch.allclose(seen.tokens[0, 0, 0], match.pictures([around])[0], atol=1e-6)
    assert torch.allclose(people.looks[1, 0], seen.tokens[0, 0, 0])
    mean = functional.normalize(people.looks[:, 0].sum(0), dim=-1)  # the boxes hardly move, so they are one person
    assert torch.allclose(seen.tokens[0, 2, 0], mean, atol=1e-6)
    sight.forget(0.5)
    assert list(sight._seen) == [0.6]


# --- the reasoning, on blocks of colour and models that are never wrong about them


class Blocks:
    """Finds blocks of the three colours as people; large grey ones are couches."""

    names, person = ("person", "couch"), 0
    model = nn.Identity()

    def __call__(self, shots: list[np.ndarray], *, threshold: float) -> list[Objects]:
        found = []
        for shot in shots:
            spread = shot.max(2).astype(int) - shot.min(2)
            boxes, labels = [], []
            for mask, label in ((spread > 90, 0), ((shot.min(2) > 215), 1)):
                _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
                for x, y, w, h, area in stats[1:]:
                    if area > 300:
                        boxes.append((x, y, x + w, y + h))
                        labels.append(label)
            found.append(
                Objects(np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), 0.9), np.array(labels, int))
            )
        return found


class Colours(nn.Module):
    """Knows how much of a picture has which colour, which colour a text names, that runners and girls are blue.

    With a bias it speaks as SigLIP, without as CLIP.
    """

    scale, width = 10.0, 4

    def __init__(self, bias: float | None) -> None:
        super().__init__()
        self.bias = bias

    def pictures(self, shots: list[np.ndarray]) -> torch.Tensor:
        rows = [torch.zeros(0, 4)]
        for shot in shots:
            strong = shot.reshape(-1, 3)[(shot.max(2).astype(int) - shot.min(2) > 90).ravel()]
            share = np.bincount(strong.argmax(1), minlength=3) / max(len(strong), 1)
            rows.append(torch.tensor([[*share, 0.5]]).float())
        return functional.normalize(torch.cat(rows), dim=-1)

    def texts(self, sentences: list[str]) -> torch.Tensor:
        rows = [[float(bool(re.search(rf"\b{colour}", text))) for colour in COLOURS] for text in sentences]
        for row, text in zip(rows, sentences, strict=True):
            row[2] += "running" in text or "girl" in text
        plain = [[*row, 0.3 if any(row) else 1.0] for row in rows]
        strange = [
            [0.0, 0.0, 0.0, -1.0] if "yellow" in text else row for row, text in zip(plain, sentences, strict=True)
        ]
        return functional.normalize(torch.tensor(strange).reshape(-1, 4), dim=-1)

    read = texts


def draw(places: dict[str, float], couch: float | None = None) -> np.ndarray:
    """A picture with people of these colours at these places across, 0 to 1."""
    shot = np.full((SIZE[1], SIZE[0], 3), 120, dtype=np.uint8)
    if couch is not None:
        shot[120:170, int(couch * 320) - 35 : int(couch * 320) + 35] = 240
    for colour, place in places.items():
        x = int(place * 320)
        shot[60:160, x - 15 : x + 15] = COLOURS[colour]
    return shot


def predictor(bias: float | None = None) -> Predictor:
    model = ZeroShot(Blocks(), Colours(bias))  # type: ignore[arg-type]
    model.config = replace(model.config, image_width=SIZE[0], image_height=SIZE[1])
    return Predictor(model, zero_shot_card(ZERO_SHOT), device="cpu")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red walks from the left to the middle, green and blue stand; three seconds."""
    shots = [draw({"red": 0.12 + 0.009 * i, "green": 0.6, "blue": 0.85}, couch=0.75) for i in range(30)]
    return make_video(tmp_path_factory.mktemp("walk") / "walk.mp4", shots, size=SIZE)


@pytest.fixture(scope="module", params=[None, -11.0], ids=["clip", "siglip"])
def asked(request: pytest.FixtureRequest, walk: Path) -> Any:
    """Answers about that film by a sentence, with either way of scoring."""
    one = predictor(request.param)
    clip = one.encode(walk)

    def ask(sentence: str) -> Any:
        (query,) = one.ask(clip, sentence, top_k=80).queries
        return query

    return ask


def centres(query: Any) -> list[float]:
    return [(key.box_xyxy[0] + key.box_xyxy[2]) / 2 / SIZE[0] for key in query.keyframes if key.found]


@pytest.mark.parametrize(
    ("sentence", "where"),
    [
        ("the man in green", [0.6] * 3), ("somebody in red", [0.165, 0.255, 0.345]), ("blue", [0.85] * 3),
        ("the person on the right", [0.85] * 3), ("the leftmost person", [0.165, 0.255, 0.345]),
        ("the second person from the right", [0.6] * 3), ("the person in green on the right", [0.6] * 3),
        ("the person left of the one in green", [0.165, 0.255, 0.345]),
        ("the person left of the one on the far right", [0.6] * 3),
        ("the one in red left of the girl on the right", [0.165, 0.255, 0.345]),
        ("the person between the one in red and the one in blue", [0.6] * 3),
    ],
)  # fmt: skip
def test_the_described_person_is_found_and_followed(asked: Any, sentence: str, where: list[float]) -> None:
    query = asked(sentence)
    assert query.found and centres(query) == pytest.approx(where, abs=0.02)
    assert query.presence > 0.6
    assert [point.frame for point in query.track] == list(range(5, 26))
    boxes = {point.frame: point.box_xyxy for point in query.track}
    assert (boxes[15][0] + boxes[15][2]) / 2 / SIZE[0] == pytest.approx(where[1], abs=0.02)


@pytest.mark.parametrize("sentence", ["the man in yellow", "the fifth person from the left", "red on the far right"])
def test_nobody_is_said_where_nobody_fits(asked: Any, sentence: str) -> None:
    query = asked(sentence)
    assert not query.found and query.presence < 0.5 and query.track == ()
    assert len(query.keyframes[0].candidates) == 3, "who is there can still be looked at"


@pytest.mark.parametrize("bias", [None, -11.0])
def test_a_match_is_two_thirds_the_cut_out_and_one_third_the_frame(bias: float | None) -> None:
    model = ZeroShot(Blocks(), Colours(bias))  # type: ignore[arg-type]
    tokens = torch.zeros(1, 3, 2, 4)
    tokens[0, 0, 0, 0] = tokens[0, 1, 0, 1] = tokens[0, 2, 0, 2] = 1  # red cut out, green in the frame, blue over time
    mask = torch.tensor([[True, False]])
    boxes, aspect, things = torch.zeros(1, 2, 4), torch.ones(1), torch.zeros(1, 0, 4)
    seen = SeenTokens(tokens, boxes, mask, boxes, aspect, things, torch.zeros(1, 0).long(), torch.zeros(1, 0))
    output = model(seen, model.read(["red", "green", "blue"]))
    cosine = 1 / (1 + 0.3**2) ** 0.5  # of a colour with a text that names it
    even = 0.0 if bias is None else bias + 6.0  # texts that name nothing have none of the colours
    expected = [10 * share * cosine + even for share in (2 / 3, 1 / 3, 0)]
    assert output.presence.tolist() == pytest.approx(expected, abs=1e-4)
    assert output.choice[:, 1].tolist() == [-torch.inf] * 3 and output.choice[:, 2].tolist() == [0] * 3
    assert (output.everyone[:, 0, action("run/jog").id - 1] > 3).all(), "actions are told over time"


def test_every_key_frame_has_its_own_places() -> None:
    model = ZeroShot(Blocks(), Colours(None))  # type: ignore[arg-type]
    people = torch.tensor([[[0.1, 0.2, 0.4, 0.9], [1.2, 0.2, 1.5, 0.9]], [[1.2, 0.2, 1.5, 0.9], [0.1, 0.2, 0.4, 0.9]]])
    boxes, mask, aspect = torch.zeros(2, 2, 4), torch.ones(2, 2, dtype=torch.bool), torch.full((2,), 1.6)
    labels, scores = torch.zeros(2, 0).long(), torch.zeros(2, 0)
    seen = SeenTokens(torch.zeros(2, 3, 2, 4), boxes, mask, people, aspect, torch.zeros(2, 0, 4), labels, scores)
    reading = model.read(["the person on the left", "the person on the right", "the second person from the left"])
    output = model(seen, reading.select(torch.arange(3).repeat(2)))
    assert output.choice[:, :2].argmax(-1).tolist() == [0, 1, 1, 1, 0, 0]
    left_of_all = model.read(["the person left of the one on the far left"])
    assert (model(seen, left_of_all.select(torch.zeros(2).long())).presence < 0).all(), (
        "the other person is named by place too"
    )
    for k in range(2):  # one key frame at a time says the same
        alone = model(seen.select(torch.tensor([k])), reading)
        assert torch.equal(alone.choice, output.choice[3 * k : 3 * k + 3])


def test_another_person_is_told_by_their_own_noun() -> None:
    model = ZeroShot(Blocks(), Colours(None))  # type: ignore[arg-type]
    text, reading = model.read(["the boy left of the girl on the right"]).phrases["the girl on the right"]
    solid = [np.full((9, 9, 3), COLOURS[colour], dtype=np.uint8) for colour in ("red", "blue")]
    features = model.match.pictures(solid).repeat(3, 1, 1)
    people = np.array([[0.1, 0.2, 0.4, 0.9], [1.2, 0.2, 1.5, 0.9]])
    boys, girls = (Scene(people, 1.6, np.array(fits), {}, {}) for fits in ([1.0, 0.01], [0.01, 1.0]))
    told = [model._other(features, text, reading, scene) for scene in (boys, girls)]
    assert np.array_equal(*told) and told[0][1] > told[0][0] + 5


def test_actions_are_told_as_ava_groups_them(asked: Any) -> None:
    for sentence, runs in (("the person in blue", True), ("the person in green", False)):
        scores = {entry.action.id: entry.score for entry in asked(sentence).keyframes[1].actions}
        poses = [scores[one.id] for one in ACTIONS if one.group == MOVEMENT]
        assert sum(poses) == pytest.approx(1, abs=1e-3), "one of the poses"
        assert (scores[action("run/jog").id] == max(poses) > 0.5) is runs
        others = [scores[one.id] for one in ACTIONS if one.group != MOVEMENT]
        assert max(others) < 0.2, "what fits no better than nothing is not said to be done"


def test_there_is_a_prompt_for_every_action() -> None:
    assert len(DOING) == len(set(DOING)) == len(ACTIONS)
    told = dict(zip((one.name for one in ACTIONS), DOING, strict=True))
    for name, doing in (("walk", "walking"), ("swim", "swimming"), ("fishing", "fishing"), ("row boat", "rowing"),
                        ("write", "writing"), ("hand wave", "waving"), ("kiss (a person)", "kissing"),
                        ("watch (a person)", "watching another"), ("drink", "drinking"), ("eat", "eating"),
                        ("take a photo", "taking a photo"), ("listen to (a person)", "listening to another"),
                        ):  # fmt: skip
        assert told[name].startswith(doing)


def test_an_empty_film_has_nobody_at_any_level(tmp_path: Path) -> None:
    one = predictor()
    clip = one.encode(make_video(tmp_path / "empty.mp4", [draw({})] * 12, size=SIZE))
    for level in (None, 0.0):
        (query,) = one.ask(clip, "the man in red", threshold=level).queries
        assert not query.found and query.presence < 1e-5 and query.keyframes[0].candidates == ()
    assert one.explain(clip, "the man in red") == ((),)
    (rows,) = one._rows(clip, ["the man in red"], None, None)
    assert (rows[0].share == 0).all(), "no share of nobody is not a number"
    with pytest.raises(SentenceError):
        one.ask(clip, "?!")


def test_somebody_who_comes_later_is_absent_before(tmp_path: Path) -> None:
    shots = [draw({"green": 0.6} if i < 20 else {"green": 0.6, "red": 0.3}) for i in range(40)]
    one = predictor()
    clip = one.encode(make_video(tmp_path / "late.mp4", shots, size=SIZE))
    (query,) = one.ask(clip, "the man in red").queries
    assert [key.found for key in query.keyframes] == [False, False, True, True]
    (other,) = one.follow(clip, "the man in red", key=3, candidate=1).queries
    assert centres(other) == pytest.approx([0.6] * 4, abs=0.02)


def test_only_the_others_are_blurred() -> None:
    shot = np.random.default_rng(3).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    boxes = np.array([[20.0, 10, 60, 90], [50.0, 20, 120, 95], [150.0, 0, 200, 100]])
    alone = others_blurred(shot, boxes, 1)
    same = (alone == shot).all(axis=2)
    assert same[20:95, 50:120].all(), "the person meant is untouched, also where another overlaps"
    assert same[:, 120:150].all() and same[:10, 20:60].all()
    for left, right, top, bottom in ((20, 50, 10, 90), (150, 200, 0, 100)):
        part = alone[top:bottom, left:right]
        assert part.std() < 0.25 * shot[top:bottom, left:right].std()
    assert others_blurred(shot, boxes[:1], 0) is shot


def test_cut_outs_stay_inside() -> None:
    shot = np.zeros((100, 200, 3), dtype=np.uint8)
    assert cut_out(shot, np.array([50.0, 20, 100, 70])).shape == (60, 60, 3)
    assert cut_out(shot, np.array([0.0, 0, 200, 100])).shape == (100, 200, 3)
    assert cut_out(shot, np.array([199.0, 99, 200, 100])).size > 0
