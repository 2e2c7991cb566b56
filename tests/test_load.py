"""The load command's users, on a demo with hand-made answers: a crowd, those who leave, and what they leave behind."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_predictor import FakePredictor, write_clip

pytest.importorskip("gradio_client")
pytest.importorskip("gradio")

from gradio.utils import get_upload_folder

from refatomnet.demo import build_demo, launch_options
from refatomnet.demo.handlers import Desk, Session
from refatomnet.heap import give_back
from training import load
from training.crew import memory_figure
from training.load import Question, Server, Told, crowd, soak, time_leaving

USERS = 8
STEP_S = 0.4


class Slow(FakePredictor):
    """Takes its time for clips that are called long."""

    def encode(self, path, **more):
        self.pause_s = STEP_S if "long" in Path(path).name else 0.0
        return super().encode(path, **more)


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """A clip and a sentence for every user, answered beforehand."""
    folder, desk = tmp_path_factory.mktemp("clips"), Desk(FakePredictor(), tmp_path_factory.mktemp("desk"))
    made = []
    for user in range(USERS):
        clip = write_clip(folder / f"user{user}.mp4", seconds=1 + 0.1 * user)
        said = f"the person in coat {user}"
        made.append(Question(clip, 10 + user, said, desk.predict(Session(), str(clip), said)))
    return made


@pytest.fixture(scope="module")
def demo():
    built = build_demo(Slow())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradio.utils.get_heartbeat_rate", lambda: 0.2)  # gradio_client hangs up at the next of them
        built.launch(**launch_options([]), prevent_thread_lock=True, quiet=True)
        yield built
    built.close()


def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def uploads():
    return sorted(path.name for path in Path(get_upload_folder()).rglob("user*"))


def test_a_crowd_is_answered_and_leaves_nothing_that_grows(demo, questions, tmp_path):
    told = crowd(demo.local_url, questions, tmp_path)
    assert told.outcomes == {"right": USERS} and len(told.seconds) == USERS, told.wrong
    assert until(lambda: not demo.state_holder.session_data), "what Gradio keeps of each"
    assert not demo.state_holder.time_last_used
    # Who calls without a lasting connection may ask about the uploaded file again; it is swept away later.
    assert until(lambda: uploads() == [f"user{user}.mp4" for user in range(1, USERS, 2)]), uploads()


def test_a_wrong_answer_is_seen(demo, questions, tmp_path):
    mixed = [replace(questions[0], answer=questions[1].answer), replace(questions[1], answer=questions[0].answer)]
    assert crowd(demo.local_url, [*mixed, *questions[2:4]], tmp_path).outcomes == {"mixed up": 2, "right": 2}
    told = Told()
    load.ask_as("annotate", demo.local_url, replace(questions[2], frames=11), tmp_path, told)
    load.ask_as("annotate", demo.local_url, questions[2], tmp_path, told)
    load.ask_as("call", demo.local_url, replace(questions[2], sentences=""), tmp_path, told)
    assert told.outcomes == {"mixed up": 1, "right": 1, "failed": 1}
    assert "No sentence was given" in told.wrong[-1]


def test_what_is_given_up_is_free_soon(demo, questions, tmp_path, monkeypatch):
    clip = write_clip(tmp_path / "long.mp4")
    ways = ("four closed, three of them waiting", "connection closed, past the queue", "cancelled")
    monkeypatch.setattr(load, "WAYS", {way: load.WAYS[way] for way in ways})
    free = time_leaving(demo.local_url, Question(clip, 20, "the man", {}), questions[0], tmp_path, 0.4)
    assert list(free) == list(ways)
    assert max(free.values()) <= load.FREE_S, free
    assert max(free.values()) < 10 * STEP_S - 0.6, "else it was not given up at all"


def test_users_come_and_go_for_a_while(demo, questions, tmp_path):
    server = Server(demo.local_url, os.getpid(), Path(get_upload_folder()))
    told, samples = soak(server, questions, tmp_path, 1.5 / 60)
    assert set(told.outcomes) <= {"right", "given up", "refused"} and told.outcomes["right"], told.wrong
    assert samples and set(samples[0]) == {"rss_mb", "own_mb", "threads", "open", "files"}
    assert samples[-1]["rss_mb"] > samples[-1]["own_mb"] > 10 and samples[-1]["open"] > 3


def test_freed_memory_goes_back():
    parts = [np.ones(100_000, np.uint8) for _ in range(1000)]
    full, last = memory_figure("RssAnon"), parts[-1]
    del parts
    give_back()
    assert full - memory_figure("RssAnon") > 60, "megabytes, below the last part"
    assert last.sum() == 100_000


def test_what_differs_and_what_went_wrong_is_named():
    assert load.difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) == ""
    assert load.difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == "/a/1/b is 2, not 3"
    assert load.difference({"a": [1]}, {"a": [1, 2]}) == "/a is [1], not [1, 2]"
    assert load.difference({"a": 1}, {"b": 1}) == "/ is {'a': 1}, not {'b': 1}"
    told, right = {"n": 3, "box_xyxy": [264.6], "score": 0.9443}, {"n": 3, "box_xyxy": [264.7], "score": 0.9442}
    assert load.difference(told, right) == "/box_xyxy/0 is 264.6, not 264.7"
    assert load.difference(told, right, near=True) == ""
    assert load.difference({"time": 2.5}, {"time": 2.6}, near=True) == "/time is 2.5, not 2.6"
    assert load.difference({"n": 4}, {"n": 3}, near=True) == "/n is 4, not 3"
    assert load.difference({"score": 0.9444}, {"score": 0.9442}, near=True) == "/score is 0.9444, not 0.9442"
    log = "INFO: fine\nTraceback (most recent call last):\n  File x\n    y\nKeyError: 'z'\nINFO: again\n"
    assert load.tracebacks(2 * log) == {"KeyError: 'z'": 2} and not load.tracebacks("all well\n")


@pytest.mark.parametrize(
    "given", [["--users", "1"], ["--users", "65"], ["--soak", "121"], ["--json", "nowhere/a.json"]]
)
def test_what_is_out_of_bounds_is_refused_in_a_line(given, capsys):
    assert load.main(given) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {given[0]}") and said.count("\n") == 1
