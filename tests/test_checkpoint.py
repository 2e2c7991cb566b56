"""Checkpoint folders: what is in them, and what is said of those that do not fit."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from test_model import TINY, random_features, random_text, same, tiny_model

from refatomnet.checkpoint import (
    ENCODER_FILE,
    SHIPPED,
    encoder_hash,
    encoder_state,
    find_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from refatomnet.config import ModelConfig
from refatomnet.errors import CheckpointError
from refatomnet.model import RavarModel

# What format 1 called the tensors of format 2, written out by hand; all others had the names they have.
NAMES_IN_FORMAT_1 = {
    "fusion.scene_retrieval.": "scene_retrieval.",
    "fusion.word_retrieval.": "word_retrieval.",
    "fusion.scan_scene.norm.": "scan_scene.norm.",
    "fusion.scan_scene.mixer.": "scan_scene.mamba.",
    "fusion.scan_words.norm.": "scan_words.norm.",
    "fusion.scan_words.mixer.": "scan_words.mamba.",
    "fusion.scan_visual.norm.": "scan_visual.norm.",
    "fusion.scan_visual.mixer.": "scan_visual.mamba.",
    "fusion.aligned.temporal.": "temporal.",
    "fusion.aligned.spatial.": "spatial.",
    "branch.box.": "branch_box.",
    "branch.action.": "branch_action.",
    "choice.nobody": "nobody",
    "choice.among.": "among.",
    "choice.reading.": "reading.",
    "choice.follow.": "follow.",
    "choice.score.": "score.",
    "choice.match_person.": "match_person.",
    "choice.match_word.": "match_word.",
    "choice.match_gate.": "match_gate.",
}
NEW_IN_FORMAT_2 = "encoder text levels branches retrieval scan answer presence frame_boxes looks".split()
NEW_IN_FORMAT_3 = ["relations"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[RavarModel, Path]:
    torch.set_num_threads(1)
    model = tiny_model()
    model.encoder.load_state_dict(encoder_state())
    folder = tmp_path_factory.mktemp("saved") / "deep" / "one"
    save_checkpoint(model, folder, {"name": "one", "seed": 3})
    return model, folder


@pytest.fixture
def copy(saved: tuple[RavarModel, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved[1], tmp_path / "copy"))


def edit_tensors(folder: Path, change: Callable[[dict], object]) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def edit_config(folder: Path, change: Callable[[dict], object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def put_back_to_format_1(folder: Path) -> None:
    """Make of a saved checkpoint the one that version 0.2 would have written."""
    state = load_file(folder / "model.safetensors")
    for new, old in NAMES_IN_FORMAT_1.items():
        moved = [name for name in state if name.startswith(new)]
        assert moved, new
        for name in moved:
            state[old + name.removeprefix(new)] = state.pop(name)
    assert not [name for name in state if name.startswith(("fusion.", "choice.", "branch."))]
    save_file(state, folder / "model.safetensors")
    edit_config(
        folder,
        lambda c: [c["model"].pop(name) for name in NEW_IN_FORMAT_2 + NEW_IN_FORMAT_3] and c.update(format_version=1),
    )


def refused(source: str | Path, said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        load_checkpoint(source)
    assert "\n" not in str(caught.value)


def test_what_is_loaded_answers_as_what_was_saved(saved: tuple[RavarModel, Path]) -> None:
    model, folder = saved
    loaded, config = load_checkpoint(folder)
    assert not loaded.training and loaded.config == TINY == ModelConfig.from_dict(config["model"])
    assert loaded.card == {"name": "one", "seed": 3} and config == json.loads((folder / "config.json").read_text())
    trained = {name: value for name, value in model.state_dict().items() if not name.startswith("encoder.")}
    for name, value in loaded.state_dict().items():
        expected = trained[name].half().float() if name in trained else model.state_dict()[name]
        assert torch.equal(value, expected), name
    half = tiny_model(seed=1)
    half.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
    text = random_text(2)
    outputs = [m(m.encode_clips(random_features(2))[0], text) for m in (half, loaded, model)]
    same(outputs[0], outputs[1], ignore=("words",))
    torch.testing.assert_close(outputs[1].branch_actions, outputs[2].branch_actions, atol=0.01, rtol=0.01)
    pixels = torch.randn(1, 3, 64, 96)
    assert torch.equal(loaded.encode_frames(pixels).deep, model.encode_frames(pixels).deep)


def test_only_what_was_trained_is_stored(saved: tuple[RavarModel, Path]) -> None:
    model, folder = saved
    state = load_file(folder / "model.safetensors")
    assert set(state) == {name for name, p in model.named_parameters() if p.requires_grad}
    assert not [name for name in state if name.startswith("encoder.")]
    assert all(value.dtype == torch.float16 for value in state.values())
    size = sum(2 * p.numel() for p in model.parameters() if p.requires_grad)
    assert (folder / "model.safetensors").stat().st_size < size + 48_000
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_the_config_says_what_it_belongs_to(saved: tuple[RavarModel, Path]) -> None:
    config = json.loads((saved[1] / "config.json").read_text())
    assert config["format_version"] == 4 and config["name"] == "one" and config["seed"] == 3
    assert len(config["actions"]) == 80 and config["actions"][11] == "stand"
    assert config["preprocessing"]["mean"] == [0.485, 0.456, 0.406]
    assert config["encoders"]["visual"]["sha256"] == encoder_hash() and len(encoder_hash()) == 64


def test_the_config_names_the_text_encoder_that_was_used(tmp_path: Path) -> None:
    model = RavarModel(replace(TINY, text="bag-of-words"))
    save_checkpoint(model, tmp_path, {})
    assert json.loads((tmp_path / "config.json").read_text())["encoders"]["text"] == {"name": "bag of words"}


def test_a_card_may_not_speak_for_the_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"may not set \['actions', 'version'\]"):
        save_checkpoint(tiny_model(), tmp_path / "new", {"name": "x", "version": "9", "actions": []})
    assert not (tmp_path / "new").exists()


def test_saving_again_replaces(copy: Path) -> None:
    save_checkpoint(tiny_model(seed=5), copy, {"name": "two"})
    model, config = load_checkpoint(copy)
    assert config["name"] == "two" and "seed" not in config
    assert torch.equal(model.choice.nobody, tiny_model(seed=5).choice.nobody.half().float())


@pytest.fixture
def old(tmp_path: Path) -> tuple[RavarModel, Path]:
    """A model without boxes of its own in every frame, as format 1 knew it alone, and its folder in format 1."""
    torch.manual_seed(7)
    model = RavarModel(replace(TINY, frame_boxes=False, looks=False, relations=False)).eval()
    torch.nn.init.constant_(model.detector.category.bias, 0.0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half())
    model.encoder.load_state_dict(encoder_state())
    save_checkpoint(model, tmp_path / "old", {"name": "old", "scores": {"val": {"miou": 0.5}}})
    put_back_to_format_1(tmp_path / "old")
    return model, tmp_path / "old"


def test_a_checkpoint_of_format_1_answers_as_it_did(old: tuple[RavarModel, Path], tmp_path: Path) -> None:
    model, folder = old
    loaded, config = load_checkpoint(folder)
    assert config["format_version"] == 4 and loaded.config == model.config and loaded.card["name"] == "old"
    text = random_text(2)
    before, after = (m(m.encode_clips(random_features(2))[0], text) for m in (model, loaded))
    same(before, after, ignore=("place", "words"), tolerance=0)
    save_checkpoint(loaded, tmp_path / "again", loaded.card)
    again, config = load_checkpoint(tmp_path / "again")
    assert json.loads((tmp_path / "again" / "config.json").read_text()) == config
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in loaded.state_dict().items())


def put_back_to_format_3(model: RavarModel, folder: Path) -> None:
    """Save a model with what format 3 knew of looks, and only that said in the model itself."""
    width, looks = model.config.width, model.looks
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half())
        columns = looks.out[1].in_features // 2
        looks.out[1].weight[:, columns:] = 0
        looks.token.weight[:, width:] = 0
        for name, parameter in model.named_parameters():
            if name.startswith(("looks.actions.", "look_shown.")):
                parameter.zero_()
    model.encoder.load_state_dict(encoder_state())
    save_checkpoint(model, folder, {"name": "old"})

    def without(state: dict[str, torch.Tensor]) -> None:
        for name in [
            name for name in state if name.startswith(("look_", "looks.changes.", "looks.seen_norm.", "looks.actions."))
        ]:
            state.pop(name)
        state["looks.out.1.weight"] = state["looks.out.1.weight"][:width, :columns].contiguous()
        state["looks.out.1.bias"] = state["looks.out.1.bias"][:width].contiguous()
        state["looks.out.3.weight"] = state.pop("looks.token.weight")[:, :width].contiguous()
        state["looks.out.3.bias"] = state.pop("looks.token.bias")

    edit_tensors(folder, without)
    edit_config(folder, lambda c: c.update(format_version=3))


@pytest.mark.parametrize("version", [2, 3])
def test_a_checkpoint_of_the_last_formats_answers_as_it_did(version: int, tmp_path: Path) -> None:
    model = tiny_model(relations=version == 3)
    put_back_to_format_3(model, tmp_path / "old")
    if version == 2:
        edit_config(tmp_path / "old", lambda c: (c["model"].pop("relations"), c.update(format_version=2)))
    loaded, config = load_checkpoint(tmp_path / "old")
    assert config["format_version"] == 4 and loaded.config == model.config
    text = random_text(2)
    before, after = (m(m.encode_clips(random_features(2))[0], text) for m in (model, loaded))
    same(before, after, ignore=("place", "words"), tolerance=1e-6)
    hidden = loaded.looks.out[1]
    assert hidden.weight[TINY.width :, : hidden.in_features // 2].abs().amax(1).min() > 0  # and there is room to learn


def test_a_damaged_checkpoint_of_format_3_is_called_damaged(tmp_path: Path) -> None:
    put_back_to_format_3(tiny_model(), tmp_path / "old")
    edit_tensors(tmp_path / "old", lambda state: state.update({"looks.out.3.bias": torch.zeros(3)}))
    refused(tmp_path / "old", "damaged: shapes of looks.out do not go together")
    edit_tensors(tmp_path / "old", lambda state: state.pop("looks.out.3.bias"))
    refused(tmp_path / "old", "does not fit: missing")


def test_an_old_checkpoint_is_loaded_as_strictly(old: tuple[RavarModel, Path]) -> None:
    folder = old[1]
    edit_tensors(folder, lambda state: state.update({"scan_nothing.norm.weight": torch.zeros(2)}))
    refused(folder, r"missing \[\], unknown \['scan_nothing.norm.weight'\]")
    edit_tensors(folder, lambda state: (state.pop("scan_nothing.norm.weight"), state.pop("nobody")))
    refused(folder, r"missing \['choice.nobody'\]")
    edit_tensors(folder, lambda state: state.update({name: torch.zeros(32) for name in ("nobody", "choice.nobody")}))
    refused(folder, "under its old and its new name")


def test_keys_that_do_not_fit_are_named(copy: Path) -> None:
    nobody = "choice.nobody"
    edit_tensors(copy, lambda state: state.pop(nobody))
    refused(copy, r"missing \['choice.nobody'\]")
    edit_tensors(copy, lambda state: state.update({nobody: torch.zeros(TINY.width), "somebody": torch.zeros(2)}))
    refused(copy, r"unknown \['somebody'\]")
    edit_tensors(copy, lambda state: (state.pop("somebody"), state.update({nobody: torch.zeros(TINY.width + 1)})))
    refused(copy, rf"choice.nobody has shape \({TINY.width + 1},\)")
    edit_tensors(copy, lambda state: state.update({nobody: torch.full((TINY.width,), torch.nan)}))
    refused(copy, "not finite")
    edit_tensors(copy, lambda state: state.update({nobody: torch.zeros(TINY.width), "encoder.x": torch.zeros(1)}))
    refused(copy, r"unknown \['encoder\.x'\]")


def test_a_checkpoint_of_another_size_does_not_fit(copy: Path) -> None:
    edit_config(copy, lambda config: config["model"].update(width=64))
    refused(copy, "does not fit: .* has shape")


def test_damaged_files_are_called_damaged(copy: Path) -> None:
    whole = (copy / "model.safetensors").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"not a checkpoint at all"):
        (copy / "model.safetensors").write_bytes(content)
        refused(copy, r"model\.safetensors is damaged")
    (copy / "model.safetensors").unlink()
    refused(copy, r"has no model\.safetensors")
    for content in (b"{", b"\xff\xfe"):
        (copy / "config.json").write_bytes(content)
        refused(copy, r"config\.json is damaged")
    (copy / "config.json").unlink()
    refused(copy, r"has no config\.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(format_version=5), "format version 5, this version reads 1 to 4"),
        (lambda c: c.pop("format_version"), "format version None"),
        (lambda c: c["actions"].reverse(), "another list of actions"),
        (lambda c: c.update(actions=c["actions"][:60]), "another list of actions"),
        (lambda c: c["model"].update(depth=3), r"unknown keys \['depth'\]"),
        (lambda c: c["preprocessing"]["mean"].reverse(), "otherwise prepared pictures"),
        (lambda c: c["encoders"]["visual"].update(sha256="0" * 64), "another visual encoder"),
        (lambda c: c.pop("encoders"), "lacks its model or its encoders"),
        (lambda c: c.pop("model"), "lacks its model or its encoders"),
        (lambda c: c["model"].update(width="wide"), "not supported between"),
        (lambda c: c["model"].update(heads=0), "heads is 0; expected more than 0"),
    ],
)
def test_a_config_of_another_kind_is_refused(copy: Path, change: Callable[[dict], object], said: str) -> None:
    edit_config(copy, change)
    refused(copy, said)


def test_a_config_that_is_no_object_is_refused(copy: Path) -> None:
    (copy / "config.json").write_text("[]")
    refused(copy, "format version None")


@pytest.mark.parametrize("name", ["compakt", "./nowhere", "a/b/c", "/no/such/folder", "folder/model.safetensors", ""])
def test_unknown_names_never_ask_the_hub(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    if name:
        refused(name, f"there is no checkpoint '{name}'; give 'compact'")
    else:
        assert find_checkpoint(tmp_path) == tmp_path
    refused("zero-shot", "has no weights of ours")


def test_a_hub_id_out_of_reach_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    monkeypatch.chdir(tmp_path)
    for error in (LocalEntryNotFoundError("offline"), OSError("no\nnetwork"), ValueError("odd name")):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
        refused("someone/some-model", "'someone/some-model' is neither a folder here nor reachable on the hub")


def test_a_hub_id_is_fetched(saved: tuple[RavarModel, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", lambda name, **options: asked.append((name, options)) or str(saved[1])
    )
    wanted = {"allow_patterns": ["config.json", "model.safetensors"]}
    for name in ("someone/some-model", "someone/model-0.2"):
        assert load_checkpoint(name)[1]["name"] == "one"
        assert asked.pop() == (name, wanted)


def test_the_shipped_name_is_a_folder_of_the_package() -> None:
    assert find_checkpoint(None) == find_checkpoint(SHIPPED) == ENCODER_FILE.parent / "compact"


def test_a_config_survives_json() -> None:
    assert ModelConfig.from_dict(json.loads(json.dumps(TINY.to_dict()))) == TINY
    assert ModelConfig.from_dict({}) == ModelConfig() and ModelConfig().categories[0] == "person"
