"""Batches of many videos: what becomes of the others when a worker is killed, here and on a Ray cluster."""

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from test_video import make_video

from refatomnet import batch
from refatomnet.batch import Settings, run_batch
from refatomnet.console import Progress
from refatomnet.errors import CheckpointError, OptionError
from refatomnet.types import Result
from refatomnet.workers import DEATHS_ALLOWED, WorkerDied, in_processes

ROOT = Path(__file__).parents[1]
Spread = Callable[..., Iterator[tuple[int, Any]]]


def perform(job: tuple[str, int, Path]) -> tuple[int, int]:
    """Note the try, then die, die the first time only, raise, wait for the other of two jobs to begin, or answer."""
    what, number, notes = job
    note = notes / str(number)
    tries = note.read_text() if note.exists() else ""
    note.write_text(tries + "x")
    if what == "die" or (what == "die once" and not tries):
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise CheckpointError("is damaged")
    if what == "meet":
        assert all_end(lambda: not (notes / str(1 - number)).exists(), seconds=60), "both at once"
    time.sleep(0.2)
    return number, os.getpid()


def tries(notes: Path) -> dict[int, int]:
    return {int(note.name): len(note.read_text()) for note in notes.iterdir()}


def check_that_killed_workers_lose_nothing(spread: Spread, notes: Path) -> None:
    deadly, unlucky = {2}, {1, 5}
    jobs = [("die" if n in deadly else "die once" if n in unlucky else "answer", n, notes) for n in range(9)]
    outcomes = list(spread(jobs))
    assert Counter(number for number, _ in outcomes) == Counter(range(9)), "every job answered once"
    for number, outcome in outcomes:
        if number in deadly:
            assert isinstance(outcome, WorkerDied) and "2 workers died" in str(outcome)
        else:
            assert outcome[0] == number
    assert tries(notes) == {n: 2 if n in deadly | unlucky else 1 for n in range(9)}


def check_that_two_work_at_once(spread: Spread, notes: Path) -> None:
    outcomes = dict(spread([("meet", n, notes) for n in range(2)]))
    assert outcomes.keys() == {0, 1} and outcomes[0][1] != outcomes[1][1]


def test_killed_processes_lose_no_answer(tmp_path: Path) -> None:
    assert DEATHS_ALLOWED == 2
    check_that_killed_workers_lose_nothing(lambda jobs: in_processes(perform, jobs, 2), tmp_path)
    assert all_end(multiprocessing.active_children)


def test_two_processes_work_at_once(tmp_path: Path) -> None:
    check_that_two_work_at_once(lambda jobs: in_processes(perform, jobs, 2), tmp_path)
    assert all_end(multiprocessing.active_children)


def all_end(living: Callable[[], Any], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while living() and time.monotonic() < end:
        time.sleep(0.1)
    return not living()


def test_an_idle_process_may_be_killed_too(tmp_path: Path) -> None:
    outcomes = in_processes(perform, [("answer", n, tmp_path) for n in range(3)], 1)
    numbers = [next(outcomes)[0]]
    (worker,) = multiprocessing.active_children()
    worker.kill()
    worker.join()
    time.sleep(0.5)  # until the executor has seen it, or not
    numbers += [number for number, _ in outcomes]
    assert sorted(numbers) == [0, 1, 2]
    assert tries(tmp_path) == {0: 1, 1: 1, 2: 1}


def test_what_the_work_raises_ends_it_all(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is damaged"):
        list(in_processes(perform, [("raise", n, tmp_path) for n in range(2)], 2))
    assert all_end(multiprocessing.active_children)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks processes up in /proc")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
    script += "from pathlib import Path\nfrom test_batch import in_processes, perform\n"
    script += "if __name__ == '__main__':\n"
    script += f"    outcomes = in_processes(perform, [('answer', n, Path({str(tmp_path)!r})) for n in range(4)], 2)\n"
    script += "    print(next(outcomes)[1][1], flush=True)\n    sys.stdin.read()\n"
    (tmp_path.parent / "script.py").write_text(script)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path.parent / "script.py")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert Path(f"/proc/{worker}").exists()
    parent.kill()
    parent.communicate()
    assert all_end(Path(f"/proc/{worker}").exists)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four short videos and one that is none, two sentences each."""
    folder = tmp_path_factory.mktemp("videos")
    for n in range(4):
        make_video(folder / f"{n}.mp4", 15, size=(160, 96))
    (folder / "bad.mp4").write_text("not a video")
    rows = [f"{name}.mp4,the {who}\n" for name in (0, 1, "bad", 2, 3) for who in ("man in red", "woman in blue")]
    (folder / "table.csv").write_text("video,sentence\n" + "".join(rows))
    return folder / "table.csv"


def lethal_answer(job: Any, settings: Settings, progress: Any = None, *, marks: Path) -> Any:
    """The real answer, but the first worker to come to video 1 is killed, and so is every one that comes to video 2."""
    stem = Path(job.video).stem
    mark = marks / stem
    if stem == "2" or (stem == "1" and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return batch._answer(job, settings, progress)


def check_a_batch_with_killed_workers(table: Path, tmp_path: Path, checkpoint: Path, **where: Any) -> None:
    out = tmp_path / "out"
    settings = Settings(str(checkpoint), "cpu", 1.0, 5)
    code = run_batch(table, out, settings, sentences=[], progress=Progress(quiet=True), **where)
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = [(Path(row["video"]).stem, row["sentence"], row["status"], row["error"]) for row in csv.DictReader(file)]
    assert len(rows) == len(set(rows)) == 10
    assert {(stem, status) for stem, _, status, _ in rows} == {
        *((stem, "done") for stem in "013"),
        *((stem, "failed") for stem in ("2", "bad")),
    }
    assert {error for stem, *_, error in rows if stem == "2"} == {f"WorkerDied: {WorkerDied()}"}
    assert code == 1, "a worker's death is no fault of the input"
    assert sorted(path.name for path in out.iterdir()) == ["0.json", "1.json", "3.json", "summary.csv"]
    result = Result.from_dict(json.loads((out / "1.json").read_text()))
    assert result.video.path == str(table.parent / "1.mp4"), "as it was given"
    assert [query.sentence for query in result.queries] == ["the man in red", "the woman in blue"]


def test_a_batch_goes_on_when_a_worker_is_killed(
    table: Path, tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_answer", partial(lethal_answer, marks=tmp_path))
    check_a_batch_with_killed_workers(table, tmp_path, checkpoint, workers=2)


def test_without_ray_a_line_says_what_to_install(table: Path, tmp_path: Path, checkpoint: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OptionError, match=r"pip install 'refatomnet\[ray\]'"):
        patch.setitem(sys.modules, "ray", None)
        settings = Settings(str(checkpoint), "cpu", 1.0, 5)
        run_batch(table, tmp_path / "out", settings, sentences=[], ray="local", progress=Progress(quiet=True))
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Ray cluster of two machines with one CPU each, both of them here."""
    pytest.importorskip("ray", reason="Ray is the extra [ray]")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.second = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster
        cluster.shutdown()


@pytest.mark.slow
def test_killed_actors_lose_no_answer(cluster: Any, tmp_path: Path) -> None:
    from refatomnet.cluster import on_ray

    spread = partial(on_ray, perform, address=cluster.address)
    check_that_killed_workers_lose_nothing(spread, tmp_path)
    (tmp_path / "meet").mkdir()
    check_that_two_work_at_once(spread, tmp_path / "meet")


@pytest.mark.slow
def test_on_ray_too_what_the_work_raises_ends_it_all(cluster: Any, tmp_path: Path) -> None:
    from refatomnet.cluster import on_ray

    with pytest.raises(CheckpointError, match="is damaged"):
        list(on_ray(perform, [("raise", n, tmp_path) for n in range(2)], cluster.address))
    with pytest.raises(OptionError, match="has no GPU"):
        list(on_ray(perform, [("answer", 0, tmp_path)], cluster.address, gpu=True))
    for nowhere, why in (("nonsense", "it is not HOST:PORT"), ("127.0.0.1:1", "refused"), ("x:y", "Port")):
        with pytest.raises(OptionError, match=f"no Ray cluster answers at '{nowhere}' .*{why}"):
            list(on_ray(perform, [("answer", 0, tmp_path)], nowhere))


@pytest.mark.slow
def test_a_batch_goes_on_when_an_actor_is_killed(
    cluster: Any, table: Path, tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_answer", partial(lethal_answer, marks=tmp_path))
    monkeypatch.chdir(table.parent)  # paths as given are of this process's folder alone
    check_a_batch_with_killed_workers(Path(table.name), tmp_path, checkpoint, ray=cluster.address)


@pytest.mark.slow
def test_a_lost_machine_loses_no_answer(cluster: Any, tmp_path: Path) -> None:
    from refatomnet.cluster import on_ray

    outcomes = on_ray(perform, [("answer", n, tmp_path) for n in range(10)], cluster.address)
    numbers = [next(outcomes)[0]]
    cluster.remove_node(cluster.second, allow_graceful=False)
    numbers += [number for number, outcome in outcomes if outcome[0] == number]
    assert sorted(numbers) == list(range(10))
