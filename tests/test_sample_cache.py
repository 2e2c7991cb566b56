"""Answers about samples are made once and shared; those about anything else are not."""

import shutil
from pathlib import Path

import pytest
from fake_predictor import FakePredictor, write_clip

pytest.importorskip("gradio")

from refatomnet.demo import sample_cache
from refatomnet.demo.handlers import Answered, Arrived, Desk, Options
from refatomnet.demo.sessions import Session

COAT = "the person in the beige coat"


class CountingPredictor(FakePredictor):
    """Counts how often an annotated video was drawn."""

    drawn = 0

    def ask(self, clip, *sentences, **options):
        result = super().ask(clip, *sentences, **options)
        plain = result.save_video

        def save_video(path, **more):
            self.drawn += 1
            plain(path, **more)

        object.__setattr__(result, "save_video", save_video)
        return result


@pytest.fixture
def sample(tmp_path):
    (tmp_path / "samples").mkdir()
    return write_clip(tmp_path / "samples" / "walk.mp4")


@pytest.fixture
def fake():
    return CountingPredictor()


@pytest.fixture
def desk(fake, sample, tmp_path):
    return Desk(fake, tmp_path / "uploads", samples=[sample])


def copied(sample, tmp_path, visitor, name="walk.mp4"):
    """As Gradio gives a visitor a sample, or anything they upload."""
    folder = tmp_path / "uploads" / visitor
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(sample, folder / name))


def ask(desk, clip, sentence=COAT, **options):
    """A new visitor asks; returns their session, the answer, and what arrived before it."""
    session = Session()
    *before, last = desk.run(session, str(clip), sentence, Options(**options))
    assert isinstance(last, Answered), last
    return session, last, [step for step in before if isinstance(step, Arrived)]


def test_the_second_visitor_gets_the_first_ones_answer(desk, fake, sample, tmp_path):
    first, answered, moments = ask(desk, copied(sample, tmp_path, "a"))
    desk.visitors.close(first)
    assert not (tmp_path / "uploads" / "a" / "walk.mp4").exists(), "what is kept is no visitor's"
    _, again, arrived = ask(desk, copied(sample, tmp_path, "b"))
    assert len(fake.encoded) == fake.drawn == 1 and fake.encoded == [str(sample)]
    assert again.result == answered.result and sum(len(a.moments) for a in arrived) == sum(
        len(a.moments) for a in moments
    )
    assert again.video != answered.video and Path(again.video).stat().st_size > 0
    for file in (again.json, again.csv, again.zip):
        assert Path(file).stat().st_size > 0


def test_other_options_and_sentences_are_answered_anew(desk, fake, sample, tmp_path):
    ask(desk, copied(sample, tmp_path, "a"))
    ask(desk, copied(sample, tmp_path, "b"), "the dragon")
    assert (len(fake.encoded), fake.drawn) == (1, 2), "another sentence needs no second look"
    ask(desk, copied(sample, tmp_path, "c"), stride=0.5)
    ask(desk, copied(sample, tmp_path, "d"), top_k=2)
    assert (len(fake.encoded), fake.drawn) == (2, 4)
    ask(desk, copied(sample, tmp_path, "e"), top_k=2)
    assert (len(fake.encoded), fake.drawn) == (2, 4)


def test_uploads_are_not_shared(desk, fake, sample, tmp_path):
    own = write_clip(tmp_path / "own.mp4", hue=20)
    for visitor in ("a", "b"):
        ask(desk, copied(own, tmp_path, visitor, "walk.mp4"))
    assert len(fake.encoded) == fake.drawn == 2, "the name alone makes no sample"
    ask(desk, copied(sample, tmp_path, "c", "mine.mp4"))
    assert "mine.mp4" in fake.encoded[-1], "nor the content under another name"


def test_a_changed_sample_is_looked_at_again(desk, fake, sample, tmp_path):
    ask(desk, copied(sample, tmp_path, "a"))
    write_clip(sample, hue=20)
    ask(desk, copied(sample, tmp_path, "b"))
    assert len(fake.encoded) == fake.drawn == 2


def test_the_least_recently_used_go_first_and_all_at_the_end(fake, sample, tmp_path, monkeypatch):
    monkeypatch.setattr(sample_cache, "MAX_ANSWERS", 2)
    monkeypatch.setattr(sample_cache, "MAX_CLIPS", 1)
    desk = Desk(fake, tmp_path / "uploads", samples=[sample])
    for number, sentence in enumerate(["one", "two", "one", "three", "one", "two"]):
        ask(desk, copied(sample, tmp_path, str(number)), f"the person {sentence}")
    assert fake.drawn == 4, "two went when three came; one was used since"
    kept = Path(desk.samples._folder.name)
    assert len(list(kept.iterdir())) == 2
    ask(desk, copied(sample, tmp_path, "x"), stride=0.5)
    ask(desk, copied(sample, tmp_path, "y"))
    assert len(fake.encoded) == 3
    desk.samples._folder.cleanup()
    assert not kept.exists()
