"""What checkpoints need from the hub: told without it, asked of it, fetched with words on the way, stopped."""

import json
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import FakeHub, hub_on

from refatomnet import downloads
from refatomnet.downloads import HubFiles, Outlook, fetch, glance, is_hub_id, look_up, megabytes, needs, public_models
from refatomnet.errors import Cancelled, CheckpointError

ONE = "someone/one"
SIZE = 3 * 2**20


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[FakeHub]:
    with hub_on(monkeypatch, cache) as running:
        running.repos[f"models/{ONE}"] = {
            "config.json": b"{}", "model.safetensors": bytes(SIZE), "optimizer.pt": bytes(99), "README.md": b"#",
        }  # fmt: skip
        yield running


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def whole_files(cache: Path) -> set[str]:
    return {path.name for path in cache.rglob("*") if path.is_symlink()}


def half_files(cache: Path) -> list[Path]:
    return list(cache.rglob("*.incomplete"))


def test_ids_are_told_from_folders_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    ids = {"someone/model": True, "some-one/model-0.2": True, "a/b": False, "compact": False, "a/b/c": False}
    ids |= {"./x": False, "~/x": False, "/x/y": False, "../x": False, "a/": False, "a/x.safetensors": False}
    assert {name: is_hub_id(name) for name in ids} == ids
    assert needs(None) == needs("compact") == needs("a/b") == needs(tmp_path) == ()
    assert needs(ONE) == (HubFiles(ONE, ("config.json", "model.safetensors")),)


def test_sizes_in_words() -> None:
    said = {1: "0.0 MB", 1_500_000: "1.5 MB", 9_960_000: "10 MB", 845_300_000: "845 MB", 999_600_000: "1.0 GB"}
    assert {size: megabytes(size) for size in said} == said


def test_what_needs_no_hub_never_touches_the_network(no_network: None, checkpoint: Path) -> None:
    from refatomnet import Predictor

    for source in (None, "compact", checkpoint):
        assert glance(source) == look_up(source) == Outlook(0)
        fetch(source)
        assert Predictor.from_pretrained(source, device="cpu").card["name"]
    assert glance(ONE) == Outlook(None), "not even to say that it is not here"


def test_the_network_guard_would_notice(no_network: None) -> None:
    with pytest.raises(pytest.fail.Exception, match="a socket was opened"):
        socket.create_connection(("127.0.0.1", 9))


def test_sizes_come_before_and_progress_with_the_download(hub: FakeHub, cache: Path) -> None:
    assert glance(ONE) == Outlook(None) and hub.asked == []
    assert look_up(ONE) == Outlook(SIZE), "what is not needed is not counted"
    hub.pause_s = 0.004
    told: list[tuple[str, float]] = []
    fetch(ONE, lambda said, done: told.append((said, done)))
    assert whole_files(cache) == {"config.json", "model.safetensors"} and half_files(cache) == []
    shares = [done for _, done in told]
    assert {said for said, _ in told} == {"Downloading someone/one, 3.1 MB"}
    assert shares[0] == 0 and shares[-1] == 1 and shares == sorted(shares) and any(0 < done < 0.9 for done in shares)
    asked = len(hub.asked)
    assert glance(ONE) == look_up(ONE) == Outlook(0)
    fetch(ONE, lambda said, done: pytest.fail("nothing is left to do"))
    assert len(hub.asked) == asked, "what is here is not asked for again"


def test_what_is_fetched_is_what_loads(hub: FakeHub, checkpoint: Path, cache: Path) -> None:
    from refatomnet import Predictor

    hub.repos[f"models/{ONE}"] = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    fetch(ONE)
    hub.refuses = 503
    options: dict[str, Any] = {"device": "cpu", "cache_dir": cache, "local_files_only": True}
    assert Predictor.from_pretrained(ONE, **options).card["name"] == "fresh"
    with pytest.raises(CheckpointError, match="at revision 'v2'"):
        Predictor.from_pretrained(ONE, revision="v2", **options)
    hub.refuses = 0
    other = cache.with_name("other")
    assert Predictor.from_pretrained(ONE, device="cpu", cache_dir=other, token="secret").card["name"] == "fresh"
    assert whole_files(other) == {"config.json", "model.safetensors"} and "Bearer secret" in hub.tokens


def test_only_what_is_missing_is_fetched(hub: FakeHub, cache: Path) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(ONE, "config.json")
    assert glance(ONE) == Outlook(None) and look_up(ONE) == Outlook(SIZE)
    fetch(ONE)
    assert sum(line.startswith("GET") and "config.json" in line for line in hub.asked) == 1
    assert whole_files(cache) == {"config.json", "model.safetensors"}


def test_a_stopped_download_ends_at_once_and_leaves_no_half_file(hub: FakeHub, cache: Path) -> None:
    hub.pause_s = 0.5  # 24 s in all
    stop = threading.Event()
    stopped: list[float] = []

    def progress(said: str, done: float) -> None:
        if half_files(cache) and not stopped:
            stopped.append(time.monotonic())
            stop.set()

    with pytest.raises(Cancelled, match="the download of someone/one was stopped"):
        fetch(ONE, progress, stop.is_set)
    assert time.monotonic() - stopped[0] < 8
    assert half_files(cache) == [] and "model.safetensors" not in whole_files(cache)
    hub.pause_s = 0.0
    fetch(ONE)
    assert glance(ONE) == Outlook(0), "and it can be begun again"


@pytest.mark.parametrize(
    ("source", "status", "says"),
    [
        (ONE, 503, r"'someone/one' is neither on this machine nor reachable on the hub; .* or use 'compact', which"),
        ("someone/none", 0, r"the hub has no 'someone/none', or does not show it to you; .*hf auth login"),
        ("someone/data", 0, r"'someone/data' on the hub is nothing that someone/data can use: it has no config\.json"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(hub: FakeHub, source: str, status: int, says: str) -> None:
    hub.repos["models/someone/data"] = {"model.safetensors": b"x"}
    hub.refuses = status
    with pytest.raises(CheckpointError, match=says) as caught:
        fetch(source)
    assert "\n" not in str(caught.value)
    assert look_up(source) == Outlook(None, str(caught.value))


def test_without_a_network_it_says_so_soon(monkeypatch: pytest.MonkeyPatch, hub: FakeHub) -> None:
    from huggingface_hub import constants

    for name, value in (("HF_HUB_OFFLINE", True), ("ENDPOINT", "http://127.0.0.1:9")):
        monkeypatch.setattr(constants, name, value)
        begun = time.monotonic()
        assert "nor reachable on the hub" in look_up(ONE).problem
        assert time.monotonic() - begun < 8
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert hub.asked == []


def test_a_download_that_breaks_off_is_one_sentence(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    files = downloads._missing(ONE)
    del hub.repos[f"models/{ONE}"]["model.safetensors"]
    monkeypatch.setattr(downloads, "_missing", lambda source, public: files)
    with pytest.raises(
        CheckpointError, match=r"the download of someone/one failed \(.*model\.safetensors.*\); see"
    ) as e:
        fetch(ONE)
    assert "\n" not in str(e.value)


def test_the_public_models_a_config_names_come_too(hub: FakeHub, cache: Path, tmp_path: Path) -> None:
    config = {
        "encoders": {"visual": {"name": "big/vit"}, "text": {"name": "big/vit"}, "other": {"name": "MobileNetV2, x"}}
    }
    hub.repos[f"models/{ONE}"]["config.json"] = json.dumps(config).encode()
    hub.repos["models/big/vit"] = {
        "config.json": b"{}", "tokenizer.json": b"[]", "a.safetensors": bytes(500), "a.bin": bytes(500),
    }  # fmt: skip
    assert look_up(ONE) == Outlook(SIZE + 504)
    fetch(ONE)
    assert whole_files(cache) == {"config.json", "model.safetensors", "tokenizer.json", "a.safetensors"}
    assert glance(ONE) == Outlook(0)
    assert [need.repo for need in public_models(ONE)] == ["big/vit"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.json").write_text(json.dumps({"encoders": {"visual": {"name": "big/other"}}}))
    assert [need.repo for need in needs(tmp_path / "own")] == ["big/other"] and glance(tmp_path / "own").missing is None
    for text in ("", "[]", '{"encoders": 1}', '{"encoders": {"visual": 1}}'):
        (tmp_path / "own" / "config.json").write_text(text)
        assert needs(tmp_path / "own") == ()


def test_the_public_models_can_be_left_where_they_are(hub: FakeHub, cache: Path) -> None:
    hub.repos[f"models/{ONE}"]["config.json"] = json.dumps({"encoders": {"visual": {"name": "big/vit"}}}).encode()
    fetch(ONE, public=False)
    assert whole_files(cache) == {"config.json", "model.safetensors"}
    assert not any("big/vit" in line for line in hub.asked) and glance(ONE) == Outlook(None)
    with pytest.raises(CheckpointError, match="the hub has no 'big/vit'"):
        fetch(ONE)
    hub.refuses = 503
    with pytest.raises(CheckpointError, match="'someone/one' needs 'big/vit', which is neither .* to fetch it, or"):
        fetch(ONE)


def test_weights_in_parts_are_here_when_all_parts_are(
    hub: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import hf_hub_download

    parts = {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}
    hub.repos["models/big/vit"] = {"config.json": b"{}", **{name: bytes(100) for name in parts.values()}}
    hub.repos["models/big/vit"]["model.safetensors.index.json"] = json.dumps({"weight_map": parts}).encode()
    monkeypatch.setitem(downloads.NAMED, "vit", (downloads.public_model("big/vit"),))
    for name in ("config.json", "model.safetensors.index.json", parts["a"]):
        hf_hub_download("big/vit", name)
    assert glance("vit") == Outlook(None) and look_up("vit") == Outlook(100)
    fetch("vit")
    assert glance("vit") == Outlook(0)


def test_the_readmes_commands_fetch_what_a_folder_needs(hub: FakeHub, tmp_path: Path) -> None:
    told = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    lines = [shlex.split(line) for line in told.splitlines() if line.startswith("hf download ")]
    assert len(lines) == 2
    for _, _, repo, *options in lines:
        needed = {"config.json", "model.safetensors", "preprocessor_config.json", "vocab.json", "merges.txt"}
        hub.repos[f"models/{repo}"] = dict.fromkeys((*needed, "pytorch_model.bin"), b"{}")
        target = tmp_path / repo
        options[options.index("--local-dir") + 1] = str(target)
        command = [str(Path(sys.executable).with_name("hf")), "download", repo, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and needed <= {path.name for path in target.iterdir()}, done.stderr


def test_the_public_models_known_here_are_those_that_are_loaded() -> None:
    from refatomnet.detectors import DETR
    from refatomnet.zero_shot import NEEDED

    for model in (*NEEDED, DETR):
        assert downloads.PUBLIC[str(model.source)] == (model.revision, model.megabytes)
    assert [need.repo for need in needs("zero-shot")] == [model.source for model in NEEDED]


def test_zero_shot_out_of_reach_says_what_is_missing_and_how_large_it_is(hub: FakeHub) -> None:
    hub.refuses = 503
    said = look_up("zero-shot").problem
    assert re.match(
        r"'zero-shot' needs 'ustc-[\w/-]+' \(42 MB\) and 'google/[\w/-]+' \(1.5 GB\), which are neither", said
    )
    assert said.count("'compact'") == 1


def test_several_repositories_are_one_download(hub: FakeHub, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    hub.repos["models/other/two"] = {
        "weights-1.safetensors": bytes(10),
        "weights-2.safetensors": bytes(20),
        "x.bin": b"x",
    }
    both = (HubFiles(ONE, ("config.json",)), HubFiles("other/two", ("weights-*.safetensors",)))
    monkeypatch.setitem(downloads.NAMED, "both", both)
    assert look_up("both") == Outlook(32)
    fetch("both")
    assert whole_files(cache) == {"config.json", "weights-1.safetensors", "weights-2.safetensors"}
    assert glance("both") == Outlook(0)
