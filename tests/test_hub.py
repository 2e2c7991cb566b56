"""A model on the hub, without one: what is saved, loaded, pushed and said on its page."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.errors import HfHubHTTPError
from test_model import TINY, random_features, random_text, same, tiny_model

from refatomnet.checkpoint import DATA, FORMAT_VERSION, UPGRADES, encoder_state, save_checkpoint
from refatomnet.errors import CheckpointError
from refatomnet.model import RavarModel

CARD = {
    "name": "one",
    "trained_on": "nothing at all",
    "scores": {"val": {"miou": 0.25, "acc_iou50": 0.5}, "test": {"miou": 0.125, "per_class": {"stand": 1.0}}},
    "licence": "Apache-2.0",
}
FILES = ["README.md", "config.json", "model.safetensors"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as training writes it."""
    torch.set_num_threads(1)
    model = tiny_model()
    model.encoder.load_state_dict(encoder_state())
    made = tmp_path_factory.mktemp("hub") / "one"
    save_checkpoint(model, made, CARD)
    return made


def page_of(model: RavarModel) -> str:
    return str(model.generate_model_card())


def same_files(one: Path, other: Path, names: tuple[str, ...] = ("config.json", "model.safetensors")) -> bool:
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def in_one_line(caught: pytest.ExceptionInfo[CheckpointError]) -> bool:
    return "\n" not in str(caught.value)


# ---- folders ------------------------------------------------------------------------------------------------------
def test_a_loaded_model_is_saved_as_the_folder_it_came_from(folder: Path, tmp_path: Path) -> None:
    model = RavarModel.from_pretrained(folder)
    assert type(model) is RavarModel and not model.training and model.card == CARD
    assert model.save_pretrained(tmp_path / "new") is None
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == FILES
    assert same_files(folder, tmp_path / "new")


def test_the_shipped_model_is_saved_as_it_is_shipped(tmp_path: Path) -> None:
    RavarModel.from_pretrained("compact").save_pretrained(tmp_path)
    assert same_files(DATA / "compact", tmp_path, ("model.safetensors",))
    shipped, saved = (json.loads((path / "config.json").read_text()) for path in (DATA / "compact", tmp_path))
    while shipped["format_version"] < FORMAT_VERSION:
        shipped, _ = UPGRADES[shipped["format_version"]](shipped, {})
    assert shipped | {"version": ""} == saved | {"version": ""}


def test_a_loaded_model_answers_as_the_saved_one(tmp_path: Path) -> None:
    model = tiny_model(seed=4)
    model.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
    model.encoder.load_state_dict(encoder_state())
    model.card = {"name": "mine"}
    model.train().save_pretrained(tmp_path / "mine")
    loaded = RavarModel.from_pretrained(str(tmp_path / "mine"))
    assert loaded.card == {"name": "mine"} and loaded.config == TINY
    text = random_text(2)
    before, after = (m(m.encode_clips(random_features(2))[0], text) for m in (model.eval(), loaded))
    same(before, after, ignore=("place", "words"), tolerance=0)


def test_nothing_is_half_read(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    for change, said in (
        ({"model": config["model"] | {"depth": 3}}, "unknown keys"),
        ({"model": config["model"] | {"layers": 2}}, "missing"),
        ({"format_version": FORMAT_VERSION + 1}, f"format version {FORMAT_VERSION + 1}"),
    ):
        copy = Path(shutil.copytree(folder, tmp_path / said))
        (copy / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(CheckpointError, match=said):
            RavarModel.from_pretrained(copy)
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        RavarModel.from_pretrained(tmp_path)
    with pytest.raises(TypeError, match="width"):
        RavarModel.from_pretrained(folder, width=64)


def test_a_page_of_ours_is_replaced_and_one_of_theirs_is_kept(tmp_path: Path) -> None:
    model, page = tiny_model(), tmp_path / "README.md"
    for name in ("first", "second"):
        model.card = {"name": name}
        model.save_pretrained(tmp_path)
        assert f"# {name}" in page.read_text()
    page.write_text("# By hand\n")
    model.save_pretrained(tmp_path)
    assert page.read_text() == "# By hand\n"


# ---- the page -----------------------------------------------------------------------------------------------------
def test_the_page_says_what_the_model_is(folder: Path, tmp_path: Path) -> None:
    RavarModel.from_pretrained(folder).save_pretrained(tmp_path)
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.license == "apache-2.0" and card.data.library_name == "refatomnet"
    assert {"action-recognition", "pytorch_model_hub_mixin"} <= set(card.data.tags)
    lines = card.text.splitlines()
    for line in (
        "# one",
        "Trained on nothing at all.",
        "| measure | val | test |",
        "| mIoU | 0.250 | 0.125 |",
        "| Acc@IoU 0.5 | 0.500 | – |",
        'predictor = Predictor.from_pretrained("owner/name")',
        "Apache-2.0",
    ):
        assert line in lines, line
    for part in (
        "MobileNetV2",
        "all-MiniLM-L6-v2",
        "must not be used to identify persons",
        "Surveillance",
        "2510.16444",
    ):
        assert part in card.text, part
    trained = sum(p.numel() for p in RavarModel(TINY).parameters() if p.requires_grad)
    assert f"{trained:,} trained parameters" in card.text


def test_the_page_of_a_model_that_says_little_claims_nothing() -> None:
    page = page_of(RavarModel(replace(TINY, architecture="refatomnet", presence=False)))
    assert "# unnamed" in page and "does not say what it was trained on" in page and "no measured scores" in page
    assert "states no licence" in page and "license:" not in page
    assert "2407.01872" in page and "2510.16444" not in page and "fits nobody" not in page
    assert "compared with" in page_of(RavarModel(replace(TINY, architecture="plain")))


def test_what_a_card_holds_stays_text_on_the_page() -> None:
    model = tiny_model()
    model.card = {
        "name": "a\n# b",
        "trained_on": "<b> {{ name }} | x",
        "licence": "My Own 2",
        "scores": {"v|l": {"miou": 1}},
    }
    page = page_of(model)
    assert "\n# a \\# b\n" in page and "\\<b\\> {{ name }} \\| x" in page and "| measure | v\\|l |" in page
    card = ModelCard(page)
    assert (card.data.license, card.data.license_name) == ("other", "my-own-2")
    for scores in (None, [], {"val": 0.5}, {"val": {"miou": None}}, {"val": {"other": 1.0}}):
        model.card = {"scores": scores}
        assert "no measured scores" in page_of(model)


def test_the_picture_of_the_misses_goes_where_the_card_goes(folder: Path, tmp_path: Path) -> None:
    model = RavarModel.from_pretrained(folder)
    model.card, model.misses = {"name": "one", "misses": [{"sentence": "the man in red", "iou": 0.0}]}, b"picture"
    model.save_pretrained(tmp_path / "one")
    assert "](misses.webp)" in (tmp_path / "one" / "README.md").read_text()
    again = RavarModel.from_pretrained(tmp_path / "one")
    again.save_pretrained(tmp_path / "two")
    assert (tmp_path / "two" / "misses.webp").read_bytes() == b"picture"
    assert same_files(tmp_path / "one", tmp_path / "two", ("README.md",))
    model.misses = None
    assert "misses.webp" not in page_of(model) and "the man in red" in page_of(model)


# ---- from the hub -------------------------------------------------------------------------------------------------
def put_in_cache(cache: Path, name: str, revisions: dict[str, Path]) -> None:
    """Lay folders into a hub cache as if their revisions had been fetched."""
    place = cache / f"models--{name.replace('/', '--')}"
    for number, (revision, source) in enumerate(revisions.items()):
        commit = f"{number:040x}"
        shutil.copytree(source, place / "snapshots" / commit)
        (place / "refs").mkdir(exist_ok=True)
        (place / "refs" / revision).write_text(commit)


def test_a_revision_comes_from_the_cache_it_lies_in(folder: Path, tmp_path: Path) -> None:
    other = tiny_model(seed=1)
    other.card = {"name": "two"}
    other.save_pretrained(tmp_path / "two")
    put_in_cache(tmp_path / "cache", "someone/model", {"main": folder, "v2": tmp_path / "two"})
    options: dict[str, Any] = {"cache_dir": tmp_path / "cache", "local_files_only": True}
    assert RavarModel.from_pretrained("someone/model", **options).card["name"] == "one"
    assert RavarModel.from_pretrained("someone/model", revision="v2", **options).card["name"] == "two"
    with pytest.raises(CheckpointError, match=r"'someone/model' is neither .* at revision 'v3'") as caught:
        RavarModel.from_pretrained("someone/model", revision="v3", **options)
    assert in_one_line(caught)
    with pytest.raises(CheckpointError, match="neither a folder here nor reachable"):
        RavarModel.from_pretrained("someone/model", cache_dir=tmp_path / "empty")


def test_every_option_reaches_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", lambda name, **o: asked.append({"name": name, **o}) or folder
    )
    options = {"force_download": True, "token": "t", "cache_dir": "c", "local_files_only": True, "revision": "r"}
    assert RavarModel.from_pretrained("someone/model", **options).card == CARD
    wanted = {"name": "someone/model", "allow_patterns": ["config.json", "model.safetensors"], **options}
    assert asked == [wanted]
    RavarModel.from_pretrained(folder, **options)
    assert asked == [wanted]


# ---- to the hub ---------------------------------------------------------------------------------------------------
class FakeHub:
    """What the hub's client was asked, and the files it would have sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
        self.made: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.store = store
        monkeypatch.setattr(HfApi, "create_repo", lambda api, **o: self._create(api, **o))
        monkeypatch.setattr(HfApi, "upload_folder", lambda api, **o: self._upload(**o))

    def _create(self, api: HfApi, **options: Any) -> Any:
        self.made.append({"token": api.token, **options})
        return type("Made", (), {"repo_id": options["repo_id"]})

    def _upload(self, *, folder_path: Path, **options: Any) -> str:
        shutil.copytree(folder_path, self.store)
        self.sent.append({name: value for name, value in options.items() if value is not None})
        return "https://hub/commit/1"


def test_pushing_uploads_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = FakeHub(monkeypatch, tmp_path / "store")
    model = RavarModel.from_pretrained(folder)
    options = {"token": "t", "private": True, "branch": "dev", "commit_message": "More training"}
    assert model.push_to_hub("someone/model", **options) == "https://hub/commit/1"
    assert hub.made == [{"token": "t", "repo_id": "someone/model", "private": True, "exist_ok": True}]
    assert hub.sent == [
        {"repo_id": "someone/model", "repo_type": "model", "revision": "dev", "commit_message": "More training"}
    ]
    assert sorted(path.name for path in hub.store.iterdir()) == FILES and same_files(folder, hub.store)
    assert RavarModel.from_pretrained(hub.store).card == CARD


def test_saving_can_push_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = FakeHub(monkeypatch, tmp_path / "store")
    model = RavarModel.from_pretrained(folder)
    model.save_pretrained(tmp_path / "here", push_to_hub=True, repo_id="someone/model")
    assert same_files(tmp_path / "here", hub.store, tuple(FILES)) and same_files(folder, hub.store)


def test_a_hub_out_of_reach_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = RavarModel.from_pretrained(folder)
    with pytest.raises(CheckpointError, match="cannot push to 'someone/model' .*offline mode") as caught:
        model.push_to_hub("someone/model")
    assert in_one_line(caught)
    transport = HfHubHTTPError.__bases__[0]
    for error in (transport("no\nroute"), OSError("no\nnetwork"), ValueError("odd\nname")):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(HfApi, "create_repo", fail)
        with pytest.raises(CheckpointError, match=r"cannot push to 'someone/model' \((no|odd) \w+\); see") as caught:
            model.push_to_hub("someone/model")
        assert in_one_line(caught)
