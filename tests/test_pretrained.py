"""The BLIP-2 tier on tiny random models, in folders and through the code that loads the real ones."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from fake_hub import hub_on
from tiny_blip2 import PATCH_WIDTH, PATCHES, QUERIES, QUERY_WIDTH, SIDE, WORD_WIDTH, save_language_model, save_tier
from torch.nn import functional

from refatomnet import Predictor, cli
from refatomnet.bench import parameters
from refatomnet.boxes import cxcywh_to_xyxy
from refatomnet.checkpoint import load_checkpoint, save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.console import hush
from refatomnet.detectors import Objects
from refatomnet.downloads import weights_sha256
from refatomnet.encoders import Features, build_encoder
from refatomnet.encoders import pretrained as tier_module
from refatomnet.encoders.pretrained import Blip2Encoder, PictureFeatures, mean_of_pieces
from refatomnet.errors import CheckpointError
from refatomnet.model import RavarModel
from refatomnet.preprocess import Letterbox
from refatomnet.text import build_text_encoder

SENTENCES = ["the man's red t-shirt on the left", "the woman"]
SMALL = {"width": 32, "heads": 4, "layers": 1, "state_size": 2, "frames": 4, "key_frame": 2, "people": 3, "things": 2}
SMALL |= {"image_height": 64, "image_width": 96}


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    torch.set_num_threads(1)
    hush()
    return save_tier(tmp_path_factory.mktemp("tier"))


@pytest.fixture(scope="module")
def config(tier: dict[str, Any]) -> ModelConfig:
    return ModelConfig(**tier, **SMALL)


@pytest.fixture(scope="module")
def encoder(config: ModelConfig) -> Blip2Encoder:
    made = build_encoder(config)
    assert isinstance(made, Blip2Encoder)
    return made


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (60, 90, 3), dtype=np.uint8) for _ in range(4)]


@pytest.fixture(scope="module")
def features(encoder: Blip2Encoder, config: ModelConfig, pictures: list[np.ndarray]) -> PictureFeatures:
    return encoder(encoder.prepare(pictures, Letterbox.of(config, 90, 60)))


@pytest.fixture(scope="module")
def direct(tier: dict[str, Any], config: ModelConfig, pictures: list[np.ndarray]) -> Any:
    """What transformers' own forward pass says, with its own processors, of the same pictures and sentences."""
    network = transformers.Blip2ForImageTextRetrieval.from_pretrained(tier["blip2"]).eval()
    images = transformers.BlipImageProcessorPil.from_pretrained(tier["blip2"])
    words = transformers.AutoTokenizer.from_pretrained(tier["blip2"])
    seen = images(images=pictures_of(config, pictures), return_tensors="pt", input_data_format="channels_last")
    said = words([" ".join(s) for s in build_text_encoder(config)(SENTENCES).words], padding=True, return_tensors="pt")
    with torch.no_grad():
        out = network(pixel_values=seen.pixel_values, input_ids=said.input_ids, attention_mask=said.attention_mask)
    return network, out


def pictures_of(config: ModelConfig, pictures: list[np.ndarray]) -> list[np.ndarray]:
    """As the model sees them: of the largest size that fits its canvas, without a border."""
    made = build_encoder(config).prepare(pictures, Letterbox.of(config, 90, 60))
    assert made.shape == (4, 3, 64, 96) and made.dtype == torch.uint8
    return [one.permute(1, 2, 0).numpy() for one in made]


def test_tokens_and_patches_are_those_of_a_direct_call(features: PictureFeatures, direct: Any) -> None:
    network, out = direct
    assert features.tokens.shape == (4, QUERIES, QUERY_WIDTH)
    projected = functional.normalize(network.vision_projection(features.tokens), dim=-1)
    torch.testing.assert_close(projected, out.image_embeds, atol=1e-5, rtol=1e-4)
    patches = out.vision_model_output.last_hidden_state[:, 1:]
    assert features.patches.shape == (4, PATCH_WIDTH, PATCHES, PATCHES)
    torch.testing.assert_close(features.patches.flatten(2).transpose(1, 2), patches, atol=1e-5, rtol=1e-4)
    assert (features.tokens[0] - features.tokens[1]).abs().max() > 1e-3  # pictures tell


def test_words_and_sentences_are_those_of_a_direct_call(config: ModelConfig, tier: dict[str, Any], direct: Any) -> None:
    network, out = direct
    text = build_text_encoder(config)(SENTENCES)
    assert text.words[1] == ("the", "woman") and text.states.shape == (2, 7, QUERY_WIDTH)
    projected = functional.normalize(network.text_projection(out.text_model_output.last_hidden_state[:, 0]), dim=-1)
    torch.testing.assert_close(projected, out.text_embeds)
    whole = functional.normalize(out.text_model_output.last_hidden_state[:, 0], dim=-1)
    torch.testing.assert_close(text.sentence, whole, atol=1e-5, rtol=1e-4)
    # "the" is one piece after [CLS]; "woman" is five, of a letter each.
    states = out.text_model_output.last_hidden_state[1]
    torch.testing.assert_close(text.states[1, 0], states[1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(text.states[1, 1], states[2:7].mean(0), atol=1e-5, rtol=1e-4)


def test_one_encoding_a_sentence(config: ModelConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = build_text_encoder(config), []
    real = text.encode_words
    monkeypatch.setattr(text, "encode_words", lambda sentences: asked.append(sentences) or real(sentences))
    text([*SENTENCES, SENTENCES[0]])
    text(SENTENCES)
    assert len(asked) == 2


def test_pieces_are_averaged_by_word() -> None:
    states = torch.arange(6.0).unsqueeze(1)
    offsets = torch.tensor([[0, 0], [0, 2], [2, 3], [3, 7], [0, 0], [0, 0]])  # "abc", then " def" with its space
    assert mean_of_pieces(states, offsets, ["abc", "def"]).flatten().tolist() == [1.5, 3.0]


@pytest.mark.parametrize("inside_blip2", [False, True], ids=["by itself", "inside BLIP-2"])
def test_keywords_of_a_language_model(tier: dict[str, Any], tmp_path: Path, inside_blip2: bool) -> None:
    folder = save_language_model(tmp_path / "words", inside_blip2=inside_blip2)
    config = ModelConfig(**{**tier, "keywords": str(folder), "word_width": WORD_WIDTH}, **SMALL)
    text = build_text_encoder(config)(SENTENCES)
    assert text.states.shape == (2, 7, WORD_WIDTH) and text.sentence.shape == (2, QUERY_WIDTH)
    own = build_text_encoder(replace(config, keywords=None, word_width=QUERY_WIDTH))(SENTENCES)
    assert torch.equal(text.sentence, own.sentence)  # of the sentence the text side speaks
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if inside_blip2:
        whole = transformers.Blip2ForConditionalGeneration.from_pretrained(folder).eval()
        network: Any = whole.language_model.model
    else:
        network = transformers.OPTModel.from_pretrained(folder).eval()
    with torch.no_grad():  # three letters, a space that is of no word, five letters
        states = network(**tokenizer("the woman", return_tensors="pt")).last_hidden_state[0]
    torch.testing.assert_close(text.states[1, :2], torch.stack([states[:3].mean(0), states[4:].mean(0)]))
    with pytest.raises(CheckpointError, match=f"words have {WORD_WIDTH} numbers each"):
        build_text_encoder(replace(config, word_width=7))(SENTENCES)


def test_detections_come_people_first_with_the_names_of_their_kinds(
    encoder: Blip2Encoder, config: ModelConfig, features: PictureFeatures
) -> None:
    assert encoder._loaded is not None
    blip2, detector, table = encoder._loaded
    assert detector.names == ("person", "couch", "bench", "dog", "car")
    torch.testing.assert_close(table[3], blip2.read(["dog"])[1][0])
    boxes = np.array([[0, 0, 48, 32], [48, 32, 96, 64], [0, 32, 24, 64], [10, 10, 20, 30]], float)
    found = Objects(boxes, np.array([0.9, 0.8, 0.5, 0.1]), np.array([3, 0, 1, 0]))
    pixels = torch.zeros(1, 3, 64, 96)
    placed, scores, names = encoder._slots(found, detector, table, pixels)
    assert placed[0].tolist() == [0.75, 0.75, 0.5, 0.5] and placed[3].tolist() == [0.25, 0.25, 0.5, 0.5]
    expected = torch.tensor([0.8, -1, -1, 0.9, 0.5])  # three places for people, two for things
    torch.testing.assert_close(scores, expected)
    assert torch.equal(names[[0, 3, 4]], table[[0, 3, 1]]) and not names[1].any()
    unsure = encoder._slots(found.only(np.array([3])), detector, table, pixels)
    assert unsure[1].tolist() == pytest.approx([0.1, -1, -1, -1, -1])  # the likeliest, for want of a better one
    nobody = encoder._slots(found.only(np.array([0])), detector, table, pixels)
    assert nobody[1].tolist() == pytest.approx([0, -1, -1, 0.9, -1]) and nobody[0][0].tolist() == [0.5, 0.5, 1, 1]
    assert torch.equal(nobody[2][0], table[0])


def test_regions_are_what_the_vit_saw_in_the_key_frames_boxes() -> None:
    patches = torch.zeros(1, 2, 1, 4, 4)
    patches[0, 0, 0, :2, 2:], patches[0, 1, 0, :2, 2:] = 1.0, 3.0  # the upper right quarter, in both frames
    boxes = torch.zeros(1, 2, 2, 4)
    boxes[0, 1] = torch.tensor([[0.75, 0.25, 0.2, 0.2], [0.25, 0.7, 0.3, 0.4]])  # of the second frame, the key frame
    rest = torch.zeros(1, 2, 2), torch.zeros(1, 2, 2, 5)
    clip = PictureFeatures(torch.zeros(1, 2, 6, 3), patches, boxes, *rest).around(1)
    assert clip.regions.shape == (1, 2, 2, 1) and clip.frames == 2
    assert clip.regions[0, :, :, 0].tolist() == [[1.0, 0.0], [3.0, 0.0]]
    assert torch.equal(clip.boxes_cxcywh, boxes[:, 1])


def clips(features: PictureFeatures) -> Any:
    return Features.stack([features])


VARIANTS: dict[str, dict[str, Any]] = {
    "RefAtomNet++": {"fused_width": 16},
    "RefAtomNet": {"architecture": "refatomnet"},
    "plain": {"architecture": "plain"},
    "by branches, as the papers": {"answer": "branches", "fused_width": 16},
    "grid": {"tokens": "grid"},
    "grid, by place, with boxes in every frame": {"tokens": "grid", "answer": "place", "frame_boxes": True},
    "without a sentence level": {"levels": ("scene", "keyword"), "fused_width": 16},
}


@pytest.mark.parametrize("switches", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_answers_and_learns(
    config: ModelConfig, pictures: list[np.ndarray], switches: dict[str, Any]
) -> None:
    changed = replace(config, **switches)
    model = RavarModel(changed)
    assert not [name for name, _ in model.named_parameters() if name.startswith("encoder.")]
    seen = model.encode_frames(model.encoder.prepare(pictures, Letterbox.of(changed, 90, 60)))
    clip, reading = model.encode_clips(clips(seen))
    output = model(clip, build_text_encoder(changed)(SENTENCES))
    assert output.everyone.shape[-1] == 80 and output.frame_boxes.shape == (2, 4, 4)
    assert torch.isfinite(output.presence).all() and reading.dense is None
    candidates = {"people": 3, "branches": 1, "place": 3}[changed.answer]
    assert output.boxes.shape == (2, candidates, 4)
    loss = output.presence.sum() + output.everyone.sum() + output.branch_boxes.sum() + output.box_cxcywh.sum()
    loss.backward()
    silent = {n for n, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())}
    for part in ("neck", "found", "word_proj", "sentence_proj", "fusion.narrow"):
        if changed.levels == ("scene", "keyword") and part == "sentence_proj":
            continue
        assert not [n for n in silent if n.startswith(part) and not n.endswith("place")], (part, silent)


def test_the_widths_of_the_papers() -> None:
    """768 and 256, and the heads 256-128-4, 256-128-80, 768-512-128-4 and 768-512-256-80."""
    tier = {"encoder": "blip2", "text": "blip2", "word_width": 768, "looks": False, "frame_boxes": False, "width": 768}

    def widths(head: torch.nn.Module) -> list[int]:
        layers = [layer for layer in head.modules() if isinstance(layer, torch.nn.Linear)]
        return [layers[0].in_features, *(layer.out_features for layer in layers)]

    with torch.device("meta"):
        newer = RavarModel(ModelConfig(**tier, fused_width=256))
        older = RavarModel(ModelConfig(**tier, architecture="refatomnet"))
    assert widths(newer.branch.box[0]) == [256, 128, 4] and widths(newer.branch.action[1]) == [256, 128, 80]
    assert widths(older.branch.box[0]) == [768, 512, 128, 4] and widths(older.branch.action[0]) == [768, 512, 256, 80]
    assert newer.fusion.word_retrieval.cue_proj.in_features == 768
    assert newer.fusion.scan_words.mixer.in_proj.in_features == 768
    assert newer.fusion.scan_visual.mixer.in_proj.in_features == 256
    assert newer.neck.place.shape == (768, 1, 32)


def test_tokens_without_a_place_are_not_pooled(config: ModelConfig, features: PictureFeatures) -> None:
    model = RavarModel(config).eval()
    clip, _ = model.encode_clips(clips(features))
    assert clip.spatial.shape == (1, QUERIES, 32) and clip.tokens.shape == (1, 4, QUERIES, 32)
    grid = RavarModel(replace(config, tokens="grid")).eval()
    flat = features.patches.flatten(2).transpose(1, 2)
    clip, _ = grid.encode_clips(clips(replace(features, tokens=flat)))
    assert clip.spatial.shape == (1, (PATCHES // 2) ** 2, 32) and clip.tokens.shape == (1, 4, PATCHES**2, 32)


def test_what_is_no_detection_changes_nothing(config: ModelConfig, features: PictureFeatures) -> None:
    torch.manual_seed(0)
    model = RavarModel(config).eval()
    text = build_text_encoder(config)(SENTENCES)
    scores = features.scores.clone()
    scores[:, 1:] = -1
    garbled = replace(features, scores=scores, boxes_cxcywh=features.boxes_cxcywh.clone(), names=features.names.clone())
    before = model(model.encode_clips(clips(garbled))[0], text)
    garbled.boxes_cxcywh[:, 1:], garbled.names[:, 1:] = 0.3, 9.0
    after = model(model.encode_clips(clips(garbled))[0], text)
    for name in ("presence", "actions", "box_cxcywh"):
        torch.testing.assert_close(getattr(before, name), getattr(after, name))
    assert before.choice[:, 1:3].eq(-torch.inf).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": "minilm"}, "'blip2' is expected of both"),
        ({"looks": True}, "expected looks: false"),
        ({"frame_boxes": True}, "have no place"),
        ({"answer": "place"}, "need tokens: grid"),
        ({"word_width": 20}, "BLIP-2's own words have 24"),
        ({"tokens": "grid", "patches": 3}, "expected an even number"),
        ({"fused_width": 10}, "fused_width is 10; expected a multiple of the 4 heads"),
        ({"fused_width": 16, "architecture": "plain"}, "of RefAtomNet\\+\\+ alone"),
    ],
)
def test_what_cannot_go_together_is_said(config: ModelConfig, change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(config, **change)


def test_a_checkpoint_says_what_it_stands_on_and_refuses_other_weights(
    config: ModelConfig, encoder: Blip2Encoder, tier: dict[str, Any], tmp_path: Path
) -> None:
    model = RavarModel(config)
    model.encoder.load()
    save_checkpoint(model, tmp_path / "one", {"name": "one"})
    said = json.loads((tmp_path / "one" / "config.json").read_text())
    weights = weights_sha256(Path(tier["blip2"]))
    assert said["encoders"]["visual"] == {"name": tier["blip2"], "sha256": weights} == said["encoders"]["text"]
    assert said["encoders"]["detector"]["sha256"] == weights_sha256(Path(tier["detector"]))
    assert "mean" not in said["preprocessing"] and said["model"]["tokens"] == "qformer"
    loaded, _ = load_checkpoint(tmp_path / "one")
    assert loaded.config == config and loaded.encoder.stands_on == said["encoders"]
    loaded.encoder.load()
    said["encoders"]["detector"]["sha256"] = "0" * 64
    (tmp_path / "one" / "config.json").write_text(json.dumps(said))
    other, _ = load_checkpoint(tmp_path / "one")
    with pytest.raises(CheckpointError, match="the detector weights .* are not those it was made with .*000000000000"):
        other.encoder.load()


def test_a_hash_is_read_off_the_hubs_cache(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "blobs" / ("ab" * 32)).write_bytes(b"not read")
    (tmp_path / "kept" / "model.safetensors").symlink_to(tmp_path / "blobs" / ("ab" * 32))
    assert weights_sha256(tmp_path / "kept") == "ab" * 32
    (tmp_path / "kept" / "more.safetensors").write_bytes(b"read")
    assert weights_sha256(tmp_path / "kept") not in ("ab" * 32, weights_sha256(tmp_path / "blobs"))


def test_missing_weights_are_one_sentence_with_name_and_size(
    config: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RavarModel(replace(config, blip2="Salesforce/blip2-itm-vit-g"))
    card = {"calibration": {"actions": {"scale": 1.0, "bias": 0.0}, "presence": {"scale": 1.0, "bias": 0.0}}}
    card["calibration"]["threshold"] = 0.5  # type: ignore[assignment]
    save_checkpoint(real, tmp_path / "real", card)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        Predictor.from_pretrained(tmp_path / "real", device="cpu")
    said = str(caught.value)
    assert "the BLIP-2 'Salesforce/blip2-itm-vit-g' (a download of 4,690 MB) is neither on this machine" in said
    assert "\n" not in said
    with pytest.raises(CheckpointError, match="'someone/detector' is neither on this machine"):
        build_encoder(replace(config, detector="someone/detector")).load()  # type: ignore[attr-defined]


def test_the_options_of_a_download_reach_every_public_model(
    config: ModelConfig, tier: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    words = save_language_model(tmp_path / "words")
    ids = {"blip2": tier["blip2"], "detector": tier["detector"], "keywords": words}
    model = RavarModel(replace(config, **{part: f"tiny/{part}" for part in ids}, word_width=WORD_WIDTH))
    straight = {"scale": 1.0, "bias": 0.0}
    card = {"name": "one", "calibration": {"actions": straight, "presence": straight, "threshold": 0.5}}
    save_checkpoint(model, tmp_path / "one", card)
    with hub_on(monkeypatch, tmp_path / "usual") as hub:
        assert cli.main(["info", str(tmp_path / "one")]) == 0
        said = capfd.readouterr()
        assert json.loads(said.out)["model"]["keywords"] == "tiny/keywords" and hub.asked == []
        assert "they need 'tiny/blip2', 'tiny/detector' and 'tiny/keywords', which predict fetches" in said.err
        for part, source in ids.items():
            hub.repos[f"models/tiny/{part}"] = {path.name: path.read_bytes() for path in Path(source).iterdir()}
        options: dict[str, Any] = {"device": "cpu", "cache_dir": tmp_path / "other"}
        with pytest.raises(CheckpointError, match="'tiny/blip2' is neither on this machine"):
            Predictor.from_pretrained(tmp_path / "one", local_files_only=True, **options)
        assert hub.asked == []
        loaded = Predictor.from_pretrained(tmp_path / "one", token="secret", **options)
        asked = len(hub.asked)
        assert loaded.text(SENTENCES).states.shape == (2, 7, WORD_WIDTH), "the words' model came to the same cache"
        assert hub.tokens == {"Bearer secret"} and len(hub.asked) == asked and not (tmp_path / "usual").exists()
    counted = parameters(loaded)
    assert counted["total"] == sum(counted["parts"].values()) and counted["frozen_text"] > 0
    assert counted["trained"] == sum(p.numel() for p in model.parameters())


def test_other_sizes_are_said(config: ModelConfig) -> None:
    with pytest.raises(CheckpointError, match="queries 6, not 32; put its sizes into the config"):
        build_encoder(replace(config, queries=32)).load()  # type: ignore[attr-defined]


def test_the_vit_works_in_bfloat16_and_the_qformer_in_float32(config: ModelConfig, tier: dict[str, Any]) -> None:
    blip2 = tier_module.Blip2(tier["blip2"])
    picture = [np.full((SIDE, SIDE, 3), 90, np.uint8)]
    exact, _ = blip2.see(picture)
    blip2.model.vision_model.to(torch.bfloat16)  # what moving it to a GPU does
    rough, patches = blip2.see(picture)
    assert rough.dtype == patches.dtype == torch.float32 and blip2.model.query_tokens.dtype == torch.float32
    torch.testing.assert_close(rough, exact, atol=0.1, rtol=0.1)
    assert not torch.equal(rough, exact)


def test_nothing_heavy_is_imported_until_asked() -> None:
    code = """
import sys
import refatomnet.checkpoint
from refatomnet.config import ModelConfig
before = set(sys.modules)
import refatomnet.encoders.pretrained as tier
names = [n for n in sys.modules if n.startswith(("transformers.models.blip", "torchvision", "timm"))]
print(names, "refatomnet.encoders.pretrained" in before, "transformers" in sys.modules)
config = ModelConfig(encoder="blip2", text="blip2", word_width=768, looks=False, frame_boxes=False)
from refatomnet.text import build_text_encoder
tier.Blip2Encoder(config), build_text_encoder(config)
print("transformers" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[] False False", "False"]


def test_boxes_and_canvas_are_the_whole_picture(config: ModelConfig) -> None:
    box = Letterbox.of(config, 40, 160)  # upright, and smaller than the canvas
    assert (box.width, box.height, box.left, box.canvas_width, box.canvas_height) == (16, 64, 0, 16, 64)
    corners = cxcywh_to_xyxy(torch.tensor([0.5, 0.5, 1.0, 0.5]))
    torch.testing.assert_close(box.to_frame(corners), torch.tensor([0.0, 0.25, 1.0, 0.75]))
