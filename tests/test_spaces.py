"""The demo on a Hugging Face Space: its description, what it installs, and the GPU that is lent by the call."""

import multiprocessing
import pickle
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from refatomnet import Predictor
from refatomnet.demo import loading
from refatomnet.errors import Cancelled

ROOT = Path(__file__).parents[1]


class FakeSpaces:
    """Lends as ZeroGPU does: every call in a forked process, what goes in and out pickled; remembers what was asked."""

    def __init__(self):
        self.tasks, self.durations, self.sizes = [], [], []

    def GPU(self, *, duration):
        def decorate(task):
            self.tasks.append(task)

            def call(*args):
                self.durations.append(duration(*args))
                sent = pickle.dumps(args)
                ours, theirs = multiprocessing.Pipe()
                worker = multiprocessing.get_context("fork").Process(
                    target=lambda: theirs.send_bytes(pickle.dumps(task(*pickle.loads(sent))))
                )
                worker.start()
                theirs.close()  # or a worker that died would be waited for
                back = ours.recv_bytes()
                worker.join()
                self.sizes.append((len(sent), len(back)))
                return pickle.loads(back)

            return call

        return decorate


@pytest.fixture
def spaces(monkeypatch):
    fake = FakeSpaces()
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=fake.GPU))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return fake


@pytest.fixture(scope="module")
def clip_path():
    return sorted((ROOT / "assets" / "clips").glob("*.mp4"))[0]


def test_the_front_matter_says_what_a_space_needs():
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("---")[1]
    said = yaml.safe_load(text)
    assert (said["sdk"], said["app_file"], said["python_version"]) == ("gradio", "app.py", "3.12")
    assert (ROOT / said["app_file"]).is_file() and len(said["short_description"]) <= 60
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {said["colorFrom"], said["colorTo"]} <= colours
    (gradio,) = [need for need in needs("3.12") if need.name == "gradio"]
    assert said["sdk_version"] in gradio.specifier


@pytest.mark.parametrize(("python", "inside", "outside"), [("3.11", "2.13.0", "2.12.0"), ("3.12", "2.8.0", "2.13.0")])
def test_one_torch_is_asked_for_a_python_version(python, inside, outside):
    (torch,) = [need for need in needs(python) if need.name == "torch"]
    assert inside in torch.specifier and outside not in torch.specifier


def test_what_is_installed_here_is_what_is_asked_for():
    for need in needs(f"{sys.version_info.major}.{sys.version_info.minor}"):
        assert need.specifier.contains(Version(version(need.name)).public), need


def needs(python):
    """The lines of requirements.txt that count for a version of Python."""
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    every = [Requirement(line) for line in lines]
    return [need for need in every if need.marker is None or need.marker.evaluate({"python_version": python})]


def test_the_network_alone_runs_on_the_lent_gpu(spaces, checkpoint, predictor, clip_path):
    choose = loading.choose_predictor()
    assert len(spaces.tasks) == 1, "the Space asks at launch, before anything is loaded"
    far = choose(str(checkpoint), "auto")
    arrived = []
    clip = far.encode(clip_path, stride=0.5, arrived=lambda part, pictures: arrived.append(len(pictures)))
    assert len(spaces.durations) == 1 and sum(arrived) == len(clip.times) > 3, "one call a minute of video"
    sent, back = spaces.sizes[0]
    moments = 8 * len(clip.times)
    assert sent < moments * 320 * 192 * 3 + 4096, "bytes of the size the model sees, nothing else"
    assert back < 2 * sent
    result = far.ask(clip, "the person on the left")
    assert len(spaces.durations) == 1, "sentences need no GPU"
    near = predictor.encode(clip_path, stride=0.5)
    expected = predictor.ask(near, "the person on the left")
    for one, other in zip(result.queries[0].keyframes, expected.queries[0].keyframes, strict=True):
        assert (one.time, one.frame) == (other.time, other.frame)
        assert one.presence == pytest.approx(other.presence, abs=1e-4)
        assert one.box_xyxy == pytest.approx(other.box_xyxy, abs=0.05)


def test_a_long_clip_takes_several_calls_and_their_durations_follow_its_length(
    spaces, checkpoint, predictor, clip_path, monkeypatch
):
    from refatomnet.demo import zerogpu

    monkeypatch.setattr(zerogpu.FarSight, "pictures_at_once", 10)
    far = loading.choose_predictor()(str(checkpoint), "auto")
    clip = far.encode(clip_path, stride=0.5)
    assert len(spaces.durations) > 2
    near = predictor.encode(clip_path, stride=0.5)
    assert clip.times == near.times and clip.frames == near.frames
    np.testing.assert_allclose(
        [key.presence for key in far.ask(clip, "the man").queries[0].keyframes],
        [key.presence for key in predictor.ask(near, "the man").queries[0].keyframes],
        atol=1e-4,
    )
    one, minute = (zerogpu.seconds_for("c", np.empty((pictures, 1))) for pictures in (24, 512))
    assert 10 <= one < minute <= 60 and zerogpu.seconds_for("c", np.empty((9999, 1))) == 60


def test_a_worker_from_before_a_checkpoint_was_loaded_loads_it(spaces, checkpoint, clip_path):
    from refatomnet.demo.zerogpu import Borrower, FarSight

    early, far = Borrower(spaces.GPU), Borrower(spaces.GPU).load(str(checkpoint))
    far.sight = lambda model, box, device: FarSight(model, box, device, early.borrowed, str(checkpoint))
    assert len(far.encode(clip_path).times) >= 1 and len(spaces.durations) == 1


def test_stopping_works_between_calls(spaces, checkpoint, clip_path):
    far = loading.choose_predictor()(str(checkpoint), "auto")
    with pytest.raises(Cancelled):
        far.encode(clip_path, cancelled=lambda: True)
    assert spaces.durations == []


def test_the_cpu_may_be_chosen_there_too(spaces, checkpoint, clip_path):
    near = loading.choose_predictor()(str(checkpoint), "cpu")
    near.encode(clip_path)
    assert isinstance(near, Predictor) and spaces.durations == []


@pytest.mark.parametrize("zero", ["", "true"])
def test_without_the_package_the_ordinary_predictor_answers(monkeypatch, checkpoint, clip_path, zero):
    monkeypatch.setitem(sys.modules, "spaces", None)
    monkeypatch.setenv("SPACES_ZERO_GPU", zero)
    near = loading.choose_predictor()(str(checkpoint), "auto")
    assert len(near.encode(clip_path).times) >= 1


def test_elsewhere_the_package_is_not_even_imported(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace())  # touching its GPU would fail
    assert loading.choose_predictor() is loading._ordinary
