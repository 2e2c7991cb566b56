"""Spoilt files and strange sentences, a small fixed budget of them; and that the command would notice a fault."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from refatomnet.errors import VideoError
from training import fuzz
from training.films import KINDS, write_film
from training.fuzz import Case, Verdict, ended, judged


def test_spoilt_files_and_strange_sentences_end_in_a_result_or_one_line(
    checkpoint: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    budget = ["--files", "40", "--sentences", "40", "--seed", "1", "--checkpoint", str(checkpoint)]
    code = fuzz.main([*budget, "--keep", str(tmp_path / "faults")])
    said = capfd.readouterr()
    assert code == 0, said.err
    assert "80 cases" in said.out
    assert "refused" in said.out
    assert list((tmp_path / "faults").iterdir()) == []


def test_the_same_seed_gives_the_same_cases(tmp_path: Path) -> None:
    originals = fuzz.Originals(tmp_path)
    for number in range(12):
        files = []
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir(exist_ok=True)
            files.append(fuzz.spoil(originals, tmp_path / folder, number, 3))
        assert files[0].name == files[1].name
        assert files[0].read_bytes() == files[1].read_bytes()
    assert list(fuzz.sentences(200, 5)) == list(fuzz.sentences(200, 5))
    assert list(fuzz.sentences(200, 5)) != list(fuzz.sentences(200, 6))


def test_every_mutation_changes_a_file(tmp_path: Path) -> None:
    import random

    data = write_film(tmp_path / "film.mp4", KINDS["mp4"]).read_bytes()
    for change in set(fuzz.MUTATIONS):
        spoilt = [bytearray(data) for _ in range(8)]
        for number, copy in enumerate(spoilt):
            change(copy, bytes(reversed(data)), random.Random(number))
        assert any(copy != data for copy in spoilt), change.__name__


def test_a_fault_of_any_kind_is_noticed() -> None:
    def fail(error: Exception) -> tuple[str, str]:
        def attempt() -> None:
            raise error

        return ended(attempt)

    assert ended(lambda: None) == ("answered", "")
    assert fail(VideoError("the file is empty"))[0] == "refused"
    for text in ("two\nlines", "a bell \a", "x" * 1000):
        assert fail(VideoError(text))[0] == "fault: the refusal is not one line"
    assert fail(ValueError("oops")) == ("fault: ValueError", "oops")
    fine = Verdict("case", "answered", seconds=19, megabytes=2000)
    assert judged(fine, [], 0) == fine
    assert judged(fine, ["out.mp4"], 0).outcome == "fault: left behind"
    assert judged(fine, [], 1).outcome == "fault: a file was left open"
    assert judged(replace(fine, seconds=21), [], 0).outcome == "fault: too slow"
    assert judged(replace(fine, megabytes=2049), [], 0).outcome == "fault: too much memory"


class _Death:
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (7,)


def test_a_process_that_dies_is_a_fault_and_the_next_case_goes_on(checkpoint: Path, tmp_path: Path) -> None:
    worker = fuzz.Worker(str(checkpoint), write_film(tmp_path / "clip.mp4", KINDS["mp4"]))
    try:
        killed = worker.try_case(Case("killer", None, _Death()))  # type: ignore[arg-type]
        assert killed.outcome == "fault: the process died (7)"
        assert worker.try_case(Case("sentence", None, "the man")).outcome == "answered"
        assert worker.try_case(Case("empty", None, "")).outcome == "refused"
    finally:
        worker.close()


@pytest.mark.parametrize(("option", "value"), [("--files", "-1"), ("--workers", "0"), ("--sentences", "-3")])
def test_senseless_options_are_refused(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    assert fuzz.main([option, value]) == 2
    assert f"{option} is {value}" in capsys.readouterr().err
