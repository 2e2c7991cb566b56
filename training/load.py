"""Put the running demo under load: many users at once, users who leave, users for an hour; a killed batch worker.

    python -m training.load [--users 50] [--soak MINUTES] [--json OUT.json]

app.py is started on a free port of this machine, for this machine alone, with the shipped weights and a temporary
folder of its own. Users come through its public HTTP interface, half of them with gradio_client and half as curl would.
Each has a clip of its own, cut from the samples, and sentences of its own; the right answers are computed beforehand in
this process, and one counts as right when its JSON is the same to the last digit, or its video has its own length; of
the batch, whose workers sum on fewer threads, a last digit may differ by one.

``crowd``: all ask at once; told are their waits and the server's memory before, at most, and after they have left.
``leaving``: a request is given up in its midst in every way there is, while another waits behind it; told is how long
the other waits, less what it takes alone. ``worker``: one of two workers of ``python -m refatomnet batch`` is killed.
``soak``: users of every kind come and go for so many minutes. The demo itself is one process whose workers are threads,
which nothing can kill alone. Exit 1 when a bound is missed; nothing asks longer than LIMIT_S, nor runs past its end.
"""

import argparse
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from refatomnet.errors import DataError, OptionError
from refatomnet.video import probe, read_frames
from training.arguments import Parser, run
from training.crew import memory_figure
from training.data.records import write_text
from training.films import Film, write_film
from training.memory import long_film
from training.opening import ROOT, open_app

MOST_USERS, MOST_MINUTES = 64, 120.0
LIMIT_S = 900.0  # for one answer
FREE_S = 2.0  # in which what is given up must be free
BACK = 1.05  # of the idle memory
LANES = 4  # users at a time in the soak
LONG_MINUTES = 1.0  # of the film that is given up
HANG_UP_S = 16.0  # until gradio_client closes its lasting connection, at the next sign of life from the demo
KEPT_S = 680.0  # within which the demo sweeps away what users without a lasting connection have left


@dataclass(frozen=True)
class Question:
    """What a user asks: a clip and its frames, sentences one a line, and the right answer of ``/predict``."""

    clip: Path
    frames: int
    sentences: str
    answer: dict[str, Any]


@dataclass
class Told:
    """What became of the questions: how often each outcome, seconds of those answered, and the first wrong ones."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: str, seconds: float | None = None, said: str = "") -> None:
        with self.lock:
            self.outcomes[outcome] += 1
            if seconds is not None:
                self.seconds.append(seconds)
            if said and len(self.wrong) < 5:
                self.wrong.append(f"{outcome}: {said[:300]}")


# ---- questions and their answers ----------------------------------------------------------------------------------
def make_questions(folder: Path, users: int, answer: Callable[[Path, list[str]], dict[str, Any]]) -> list[Question]:
    """A clip and sentences for every user, no two alike: stretches of the samples, every other round mirrored.

    Raises:
        DataError: If two answers are the same, so that a mix-up would not be seen.
    """
    records = [json.loads(line) for line in (ROOT / "assets" / "samples.jsonl").read_text("utf-8").splitlines()]
    said: dict[str, list[str]] = {}
    for record in records:
        said.setdefault(record["clip"], []).append(record["sentence"])
    questions = []
    for user in range(users):
        turn, which = divmod(user, len(said))
        clip = list(said)[which]
        images = [frame.image for frame in read_frames(ROOT / "assets" / clip)][12 * turn :][: 30 + user]
        images = [image[:, ::-1] if turn % 2 else image for image in images]
        film = Film(rate=Fraction(25), options={"preset": "ultrafast"})
        path = write_film(folder / f"user{user:02d}.mp4", film, images)
        sentences = [said[clip][(user + k) % len(said[clip])] for k in range(1 + user % 3)]
        questions.append(Question(path, len(images), "\n".join(sentences), answer(path, sentences)))
    if len({json.dumps(question.answer["queries"]) for question in questions}) < users:
        raise DataError("two of the questions have the same answer; give fewer --users")
    return questions


def predicted() -> Callable[[Path, list[str]], dict[str, Any]]:
    """What answers as ``/predict`` should: the shipped weights in this process."""
    from refatomnet.predictor import Predictor

    predictor = Predictor.from_pretrained(device="cpu")

    def answer(clip: Path, sentences: list[str]) -> dict[str, Any]:
        told = predictor.ask(predictor.encode(clip), *sentences).to_dict()
        del told["video"]["path"]
        return told | {"video": {"path": None, "name": clip.name} | told["video"]}

    return answer


# ---- users --------------------------------------------------------------------------------------------------------
@contextmanager
def client_of(address: str, folder: Path) -> Iterator[Client]:
    """A user with gradio_client, who leaves in the end."""
    client = Client(address, verbose=False, download_files=folder, httpx_kwargs={"timeout": LIMIT_S})
    try:
        yield client
    finally:
        client.close()
        client.executor.shutdown(wait=False)


def ask(client: Client, question: Question, name: str = "predict") -> Any:
    return client.submit(handle_file(str(question.clip)), question.sentences, api_name=f"/{name}").result(LIMIT_S)


@contextmanager
def call(address: str, question: Question, name: str = "predict") -> Iterator[Iterator[str]]:
    """A user with plain HTTP, as curl would: upload, ask, and the lines of the answer as they come."""
    with _http(address) as http:
        number = http.post(f"call/{name}", json=_uploaded(http, question)).raise_for_status().json()["event_id"]
        with http.stream("GET", f"call/{name}/{number}") as answer:
            yield answer.iter_lines()


def _http(address: str) -> httpx.Client:
    """Takes a new connection for every request, so that none is used that the demo is about to close."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=f"{address}gradio_api/", timeout=LIMIT_S, limits=limits)


def _uploaded(http: httpx.Client, question: Question) -> dict[str, Any]:
    """What asks the question, its clip uploaded."""
    with question.clip.open("rb") as file:
        (path,) = http.post("upload", files={"files": (question.clip.name, file)}).raise_for_status().json()
    return {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, question.sentences]}


def outcome_of(lines: Iterator[str]) -> Any:
    """What a call ends with.

    Raises:
        AppError: If it is an error.
    """
    event = ""
    for line in lines:
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: ") and event == "complete":
            return json.loads(line[6:])[0]
        elif line.startswith("data: ") and event == "error":
            raise AppError(line[6:])
    raise DataError("the demo closed a call without an answer")


def difference(told: Any, right: Any, place: str = "", *, near: bool = False) -> str:
    """Where two answers differ first, and how; empty when they do not.

    ``near``: Numbers that are no counts may differ by one in their last digit.
    """
    parts: Iterable[tuple[Any, Any, Any]] = ()
    if isinstance(told, dict) and isinstance(right, dict) and told.keys() == right.keys():
        parts = ((key, told[key], right[key]) for key in right)
    elif isinstance(told, list) and isinstance(right, list) and len(told) == len(right):
        parts = ((n, *pair) for n, pair in enumerate(zip(told, right, strict=True)))
    elif told != right and not (near and _near(told, right, place)):
        return f"{place or '/'} is {str(told)[:80]}, not {str(right)[:80]}"
    return next(filter(None, (difference(a, b, f"{place}/{key}", near=near) for key, a, b in parts)), "")


def _near(told: Any, right: Any, place: str) -> bool:
    """Whether two numbers are as near as a last digit: boxes are told to a tenth of a pixel, the rest to 1e-4."""
    if not (isinstance(told, float) and isinstance(right, float)):
        return False
    return abs(told - right) < (0.15 if "/box_xyxy/" in place else 1.5e-4)


def ask_as(kind: str, address: str, question: Question, folder: Path, told: Told) -> None:
    """A user of this kind comes, asks, leaves; whether the answer is right is noted."""
    began, wrong = time.monotonic(), ""
    try:
        if kind == "call":
            with call(address, question) as lines:
                wrong = difference(outcome_of(lines), question.answer)
        elif kind == "annotate":
            with client_of(address, folder) as client:
                video = Path(ask(client, question, "annotate"))
                wrong = difference(probe(video).frames, question.frames)
                video.unlink()
        else:
            with client_of(address, folder) as client:
                wrong = difference(ask(client, question), question.answer)
    except (AppError, DataError, httpx.HTTPError, TimeoutError, OSError, ValueError) as error:
        told.add("failed", said=f"{question.clip.name}: {type(error).__name__}: {error}")
        return
    said = f"{question.clip.name}: {wrong}" if wrong else ""
    told.add("mixed up" if wrong else "right", time.monotonic() - began, said)


def crowd(address: str, questions: Sequence[Question], folder: Path) -> Told:
    """All users ask at the same moment."""
    told, gate = Told(), threading.Barrier(len(questions))

    def come(number: int) -> None:
        gate.wait()
        ask_as("call" if number % 2 else "client", address, questions[number], folder, told)

    with ThreadPoolExecutor(len(questions)) as pool:
        list(pool.map(come, range(len(questions))))
    return told


# ---- leaving ------------------------------------------------------------------------------------------------------
@contextmanager
def closes(address: str, question: Question, folder: Path, name: str = "predict") -> Iterator[None]:
    """Asks; closes the connection in the end."""
    with call(address, question, name):
        yield


@contextmanager
def closes_in_line(address: str, question: Question, folder: Path) -> Iterator[None]:
    """Asks, three others behind; all close their connections."""
    with call(address, question), call(address, question), call(address, question), call(address, question):
        yield


@contextmanager
def closes_direct(address: str, question: Question, folder: Path) -> Iterator[None]:
    """Asks in one request, past Gradio's queue; closes the connection in the end."""
    with _http(address) as http:
        given = {"data": [None, *_uploaded(http, question)["data"]]}  # the state too, which the queue puts in itself
        request = http.build_request("POST", "run/predict", json=given)
    head = f"POST {request.url.raw_path.decode()} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection((request.url.host, request.url.port or 80), LIMIT_S) as line:
        line.sendall(f"{head}\r\n".encode() + request.content)
        yield


@contextmanager
def cancels(address: str, question: Question, folder: Path, name: str = "predict") -> Iterator[None]:
    """Asks with gradio_client; cancels the job in the end, and stays until it is over."""
    with client_of(address, folder) as client:
        job = client.submit(handle_file(str(question.clip)), question.sentences, api_name=f"/{name}")
        yield
        job.cancel()
        try:
            job.result(LIMIT_S)
        except (CancelledError, KeyError, ValueError):  # what gradio_client makes of it; the last if it ends just then
            pass


@contextmanager
def cancels_drawing(address: str, question: Question, folder: Path) -> Iterator[None]:
    """The clip has been looked at before, so that it is drawn at once; cancels the job in the end."""
    with client_of(address, folder) as client:
        ask(client, question)
        job = client.submit(handle_file(str(question.clip)), question.sentences, api_name="/annotate")
        yield
        job.cancel()


@contextmanager
def is_killed(address: str, question: Question, folder: Path) -> Iterator[None]:
    """A process with gradio_client asks and is killed with -9."""
    script = "import sys; from gradio_client import Client, handle_file; url, clip, said = sys.argv[1:];"
    script += "job = Client(url, verbose=False).submit(handle_file(clip), said, api_name='/predict');"
    script += "print(flush=True); job.result()"
    command = [sys.executable, "-c", script, address, str(question.clip), question.sentences]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()


WAYS: dict[str, Callable[..., Any]] = {
    "connection closed": closes,
    "connection closed, annotating": partial(closes, name="annotate"),
    "four closed, three of them waiting": closes_in_line,
    "connection closed, past the queue": closes_direct,
    "cancelled": cancels,
    "cancelled while drawing": cancels_drawing,
    "client killed": is_killed,
}


def time_leaving(address: str, long: Question, short: Question, folder: Path, wait_s: float = 1.5) -> dict[str, float]:
    """By way of giving a long request up, the seconds until a short one behind it is begun.

    Raises:
        DataError: If the long one was over too soon, or the short one was not answered rightly.
    """
    alone = Told()
    for _ in range(3):
        ask_as("call", address, short, folder, alone)
    own = statistics.median(alone.seconds or [0.0])
    free = {}
    for way, leaves in WAYS.items():
        behind = Told()
        waiting = threading.Thread(target=ask_as, args=("call", address, short, folder, behind))
        with leaves(address, long, folder):
            time.sleep(wait_s)
            waiting.start()
            time.sleep(wait_s / 2)
            if behind.outcomes:
                raise DataError(f"{way}: the short request came first, so nothing was given up; take a longer film")
            left = time.monotonic()
        waiting.join()
        if behind.outcomes != {"right": 1}:
            raise DataError(f"{way}: the request behind it failed ({behind.wrong})")
        free[way] = max(0.0, time.monotonic() - left - own)
    return free


# ---- the server's figures -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Server:
    """The demo's address and process, and the folder that all its temporary files are in."""

    address: str
    process: int
    folder: Path

    def figures(self) -> dict[str, float]:
        """Memory in megabytes: all, and without mapped files; threads, open files, and files in its folder."""
        place = Path(f"/proc/{self.process}")
        return {
            "rss_mb": memory_figure("VmRSS", self.process),
            "own_mb": memory_figure("RssAnon", self.process),
            "threads": len(list((place / "task").iterdir())),
            "open": len(list((place / "fd").iterdir())),
            "files": sum(path.is_file() for path in self.folder.rglob("*")),
        }

    def settled(self, patience_s: float = 30.0) -> dict[str, float]:
        """The figures once everybody has hung up, and memory and files have not changed for three seconds."""
        time.sleep(HANG_UP_S)
        end, last, since = time.monotonic() + patience_s, self.figures(), time.monotonic()
        while time.monotonic() < min(end, since + 3):
            time.sleep(0.5)
            now = self.figures()
            if abs(now["rss_mb"] - last["rss_mb"]) > 0.5 or now["files"] != last["files"]:
                last, since = now, time.monotonic()
        return self.figures()

    def begin_peak(self) -> None:
        Path(f"/proc/{self.process}/clear_refs").write_text("5")


def tracebacks(log: str) -> Counter[str]:
    """What the tracebacks in a log end with, and how often."""
    ends = (part.splitlines()[1:] for part in log.split("Traceback (most recent call last):")[1:])
    return Counter(next((line for line in lines if line[:1].strip(" |+")), "cut off")[:200] for lines in ends)


# ---- a worker killed ----------------------------------------------------------------------------------------------
def kill_worker(questions: Sequence[Question], folder: Path) -> Told:
    """Answer all clips by ``batch`` with two workers, one of them killed once the first answer is written.

    Raises:
        DataError: If there is no worker to kill.
    """
    out, table = folder / "answers", folder / "table.csv"
    rows = [f'{q.clip},"{sentence}"' for q in questions for sentence in q.sentences.splitlines()]
    table.write_text("\n".join(["video,sentence", *rows]) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "refatomnet", "batch", str(table), "--out", str(out), "--workers", "2", "--quiet"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while not list(out.glob("*.json")) and process.poll() is None:
            time.sleep(0.05)
        workers = [number for number in _children(process.pid) if "spawn_main" in _command(number)]
        if not workers or process.poll() is not None:
            process.kill()
            raise DataError("batch has no worker process to kill")
        os.kill(workers[0], signal.SIGKILL)
        process.communicate(timeout=LIMIT_S)
    told = Told(Counter({f"exit code {process.returncode}": 1}))
    for question in questions:
        path = out / f"{question.clip.stem}.json"
        queries = json.loads(path.read_text("utf-8"))["queries"] if path.exists() else None
        # A worker has a core of its own, and sums on fewer threads are rounded otherwise.
        wrong = difference(queries, question.answer["queries"], near=True)
        outcome = "lost" if queries is None else "mixed up" if wrong else "right"
        told.add(outcome, said=f"{path.name}: {wrong}" if wrong else "")
    return told


def _children(parent: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _command(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()


# ---- soak ---------------------------------------------------------------------------------------------------------
SOAK = {"client": 8, "call": 4, "annotate": 3, "drop": 3, "cancel": 2, "nonsense": 2}


def soak(
    server: Server, questions: Sequence[Question], folder: Path, minutes: float
) -> tuple[Told, list[dict[str, float]]]:
    """Users of every kind come and go, LANES at a time; their outcomes, and the server's figures every ten seconds."""
    told, end = Told(), time.monotonic() + 60 * minutes

    def lane(number: int) -> None:
        rng = random.Random(number)
        while time.monotonic() < end:
            question = rng.choice(questions)
            (kind,) = rng.choices(list(SOAK), list(SOAK.values()))
            if kind in ("drop", "cancel"):
                with (closes if kind == "drop" else cancels)(server.address, question, folder):
                    time.sleep(rng.uniform(0, 1))
                told.add("given up")
            elif kind == "nonsense":
                try:
                    with call(server.address, Question(question.clip, 0, "", {})) as lines:
                        outcome_of(lines)
                    told.add("nonsense answered", said=question.clip.name)
                except AppError:
                    told.add("refused")
            else:
                ask_as(kind, server.address, question, folder, told)

    samples = []
    with ThreadPoolExecutor(LANES) as pool:
        lanes = [pool.submit(lane, number) for number in range(LANES)]
        while time.monotonic() < end:
            time.sleep(min(10.0, max(0.1, end - time.monotonic())))
            samples.append(server.figures())
            if len(samples) % 6 == 0:
                _say(f"  minute {len(samples) // 6}: {_line(samples[-1])}; {sum(told.outcomes.values())} requests")
        for each in lanes:
            each.result()
    return told, samples


# ---- command ------------------------------------------------------------------------------------------------------
def load(options: argparse.Namespace) -> int:
    if not 2 <= options.users <= MOST_USERS:
        raise OptionError(f"--users must be from 2 to {MOST_USERS}, got {options.users}")
    if not 0 <= options.soak <= MOST_MINUTES:
        raise OptionError(f"--soak must be from 0 to {MOST_MINUTES:g} minutes, got {options.soak:g}")
    if options.json and not options.json.parent.is_dir():
        raise OptionError(f"--json {options.json}: there is no folder {options.json.parent}; make it first")
    misses: list[str] = []
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        here, served = Path(name), Path(name) / "served"
        served.mkdir()
        questions = make_questions(here, options.users, predicted())
        film = long_film(here / "long.mkv", LONG_MINUTES, 12)
        long = Question(film, 0, questions[0].sentences, {})
        _say(f"{options.users} clips of {questions[0].frames} to {questions[-1].frames} frames, answered beforehand")
        log = here / "app.log"
        env = {**os.environ, "TMPDIR": str(served)}
        with open_app(env=env, log=log) as (address, process):
            server = Server(address, process.pid, served)
            found = _measure(server, questions, long, here, options.soak, misses)
        left = [path.name for path in served.rglob("*") if path.is_file()]
        found["files_at_end"] = len(left)
        _expect(misses, not left, f"after the end {len(left)} files are left: {', '.join(left[:3])}")
        found["logged"] = logged = tracebacks(log.read_text(errors="replace"))
        _expect(misses, not logged, f"the demo logged tracebacks: {_counts(logged)}")
        _say("worker: one of two of the batch killed with -9")
        killed = kill_worker(questions, here)
        found["worker"] = killed.outcomes
        _say(f"  {_counts(killed.outcomes)}")
        good = killed.outcomes == {"right": options.users, "exit code 0": 1}
        _expect(misses, good, f"after a worker was killed: {_counts(killed.outcomes)}; {killed.wrong}")
    for miss in misses:
        _say(f"missed: {miss}")
    _say("all bounds held" if not misses else f"{len(misses)} bounds missed")
    if options.json:
        write_text(options.json, json.dumps(found | {"missed": misses}, indent=1) + "\n")
    return 1 if misses else 0


def _measure(
    server: Server, questions: Sequence[Question], long: Question, folder: Path, minutes: float, misses: list[str]
) -> dict[str, Any]:
    """Every part that needs the server, one after the other."""
    warm = Told()
    for kind in ("client", "annotate", "call"):
        for question in questions[:2]:
            ask_as(kind, server.address, question, folder, warm)
    if set(warm.outcomes) != {"right"}:
        raise DataError(f"one user alone is not answered rightly: {warm.wrong}")
    idle = server.settled()
    _say(f"idle, warm: {_line(idle)}")
    found: dict[str, Any] = {"users": len(questions), "idle": idle}

    server.begin_peak()
    began = time.monotonic()
    told = crowd(server.address, questions, folder)
    seconds, peak, after = time.monotonic() - began, memory_figure("VmHWM", server.process), server.settled()
    ratio = after["rss_mb"] / idle["rss_mb"]
    _say(f"crowd: {len(questions)} users at once, {_counts(told.outcomes)} in {seconds:.1f} s")
    if told.seconds:
        _say(f"  waits: median {statistics.median(told.seconds):.1f} s, longest {max(told.seconds):.1f} s")
    _say(f"  memory at most {peak:.0f} MB, afterwards {ratio:.3f} of idle; {_line(after)}")
    found["crowd"] = {"outcomes": told.outcomes, "seconds": seconds, "peak_mb": peak, "after": after, "ratio": ratio}
    _expect(misses, told.outcomes == {"right": len(questions)}, f"crowd: {_counts(told.outcomes)}; {told.wrong}")
    _expect(misses, ratio <= BACK, f"memory after the crowd is {ratio:.3f} of idle, at most {BACK} is allowed")

    _say("leaving: a request given up, another waiting behind it")
    found["free_s"] = time_leaving(server.address, long, questions[0], folder)
    for way, took in found["free_s"].items():
        _say(f"  {way}: free after {took:.2f} s")
        _expect(misses, took <= FREE_S, f"{way}: free after {took:.2f} s, at most {FREE_S:g} s are allowed")
    after = server.settled()
    ratio = after["rss_mb"] / idle["rss_mb"]
    _say(f"  afterwards {ratio:.3f} of idle; {_line(after)}")
    found["left"] = {"after": after, "ratio": ratio}
    _expect(misses, ratio <= BACK, f"memory after leaving is {ratio:.3f} of idle, at most {BACK} is allowed")

    if minutes:
        _say(f"soak: {LANES} users at a time for {minutes:g} minutes")
        server.begin_peak()
        told, samples = soak(server, questions, folder, minutes)
        peak, quarter = memory_figure("VmHWM", server.process), max(1, len(samples) // 4)
        growth = statistics.median(s["rss_mb"] for s in samples[-quarter:]) / statistics.median(
            s["rss_mb"] for s in samples[quarter : 2 * quarter] or samples
        )
        _say(f"  {_counts(told.outcomes)}; last quarter {growth:.3f} of the second in memory, at most {peak:.0f} MB")
        end = time.monotonic() + KEPT_S
        while server.figures()["files"] > idle["files"] and time.monotonic() < end:
            time.sleep(1)
        after = server.settled()
        ratio = after["rss_mb"] / idle["rss_mb"]
        _say(f"  {time.monotonic() - end + KEPT_S:.0f} s later {ratio:.3f} of idle; {_line(after)}")
        found["soak"] = {"minutes": minutes, "outcomes": told.outcomes, "growth": growth, "peak_mb": peak}
        found["soak"] |= {"after": after, "ratio": ratio, "samples": samples}
        good = set(told.outcomes) <= {"right", "given up", "refused"}
        _expect(misses, good, f"soak: {_counts(told.outcomes)}; {told.wrong}")
        _expect(misses, growth <= BACK, f"memory grew to {growth:.3f} in the soak")
        _expect(misses, ratio <= BACK, f"memory after the soak is {ratio:.3f} of idle, at most {BACK} is allowed")
        for what, allowed in (("files", 0), ("open", LANES)):  # a connection may linger
            more = after[what] - idle[what]
            _expect(misses, more <= allowed, f"{more:.0f} {what} more after the soak than before")
    return found


def _expect(misses: list[str], held: bool, else_say: str) -> None:
    if not held:
        misses.append(else_say)


def _line(figures: dict[str, float]) -> str:
    memory = f"{figures['rss_mb']:.0f} MB ({figures['own_mb']:.0f} without files)"
    return memory + "".join(f", {figures[name]:.0f} {name}" for name in ("threads", "open", "files"))


def _counts(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))


def _say(text: str) -> None:
    print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.load", description="Put the running demo under load.")
    parser.add_argument("--users", type=int, default=50, help=f"who ask at once (%(default)s, at most {MOST_USERS})")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="users come and go for so long")
    parser.add_argument("--json", type=Path)
    return run(parser, load, arguments)


if __name__ == "__main__":
    sys.exit(main())
