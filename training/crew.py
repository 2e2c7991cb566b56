"""Worker processes that do numbered pieces of work; one that dies is replaced, and what it was at is tried again."""

import errno
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from refatomnet.errors import DataError

MAX_DEATHS = 3  # workers lost in a row, without a piece between, that end the run
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)  # no use to go on after these

Seconds = dict[str, float]
Prepare = Callable[[Any], Callable[[int], Seconds]]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _work(pipe: Connection, prepare: Prepare, job: Any) -> None:
    """A worker: receive an index, answer (index, seconds by stage, error's text, whether to give up), until None."""
    import cv2

    cv2.setNumThreads(1)
    try:
        make = prepare(job)
    except KeyboardInterrupt:
        return
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    try:
        while (index := pipe.recv()) is not None:
            try:
                pipe.send((index, make(index), None, False))
            except OSError as error:
                full = error.errno in NO_ROOM
                pipe.send((index, {}, str(error) if full else traceback.format_exc(), full))
            except Exception:  # one bad piece is reported, and the run goes on
                pipe.send((index, {}, traceback.format_exc(), False))
    except (EOFError, KeyboardInterrupt, BrokenPipeError):
        pass


@dataclass
class Worker:
    """A running worker process, our end of its pipe, and the piece it is at."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection
    index: int | None = None

    @classmethod
    def start(cls, prepare: Prepare, job: Any) -> "Worker":
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, prepare, job), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, todo: deque[int]) -> None:
        self.index = todo.popleft() if todo else None
        try:
            self.pipe.send(self.index)
        except (BrokenPipeError, OSError):
            pass  # it died; its closed pipe is noticed where answers are read


@dataclass
class Progress:
    """Clips done and time left, a line on standard error every few seconds.

    finished: When each clip was done, in seconds from the start. seconds: What it took, by stage.
    """

    name: str
    total: int
    every: float = 10.0
    finished: list[float] = field(default_factory=list)
    seconds: list[Seconds] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    said: float = -1e9

    def step(self, seconds: Seconds) -> None:
        now = time.monotonic() - self.began
        self.finished.append(now)
        self.seconds.append(seconds)
        done = len(self.finished)
        if now - self.said < self.every and done < self.total:
            return
        self.said = now
        left = round(now / done * (self.total - done))
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        say(f"{self.name}: {done}/{self.total} clips, {now / done:.2f} s a clip, {clock} left")


def run_crew(prepare: Prepare, job: Any, indices: list[int], workers: int, progress: Progress) -> dict[int, str]:
    """Do the pieces of these indices; returns the failed ones with their error.

    Args:
        prepare: Called once in every worker with ``job``; returns what does one piece. A function of a module.
        workers: Number of processes, each of one thread.
        progress: Told of every piece that is over.

    Raises:
        DataError: If the disk is full or may not be written, or workers keep dying without finishing a piece.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"  # inherited by the workers
    failed: dict[int, str] = {}
    died_at: Counter[int] = Counter()
    todo, deaths, what = deque(indices), 0, progress.name
    crew = [Worker.start(prepare, job) for _ in range(min(workers, len(indices)))]
    try:
        for worker in crew:
            worker.give(todo)
        while busy := [w for w in crew if w.index is not None]:
            for pipe in wait([w.pipe for w in busy], timeout=30):
                worker = next(w for w in busy if w.pipe is pipe)
                try:
                    index, seconds, error, give_up = worker.pipe.recv()
                    deaths = 0
                    if give_up:
                        raise DataError(f"clip {index} of {what} cannot be written: {error}; finished clips are kept")
                    if error is not None:
                        failed[index] = error
                        say(f"clip {index} of {what} failed and is skipped:\n{error}")
                    progress.step(seconds)
                except (EOFError, OSError):
                    worker.process.join(timeout=5)
                    assert worker.index is not None  # it was busy
                    index, deaths = worker.index, deaths + 1
                    died_at[index] += 1
                    say(f"a worker died (exit code {worker.process.exitcode}) at clip {index} of {what}")
                    if deaths >= MAX_DEATHS:
                        raise DataError(
                            f"{deaths} workers died in a row making {what}, last at clip {index}; see above, "
                            "then run the same command again"
                        ) from None
                    if died_at[index] < 2:
                        todo.appendleft(index)
                    else:
                        failed[index] = "its worker died twice"
                        progress.step({})
                    crew.remove(worker)
                    if not todo:
                        continue
                    worker = Worker.start(prepare, job)
                    crew.append(worker)
                worker.give(todo)
    finally:
        for worker in crew:
            worker.pipe.close()
        for worker in crew:
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.terminate()
    return failed


def memory_figure(name: str, process: int | str = "self") -> float:
    """A line of a process's memory figures in /proc, such as VmHWM, the most it ever held; in megabytes.

    Not from ``getrusage``: it counts the process that started this one.

    Raises:
        DataError: If the system has no such figures.
    """
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    raise DataError(f"/proc/{process}/status does not tell {name}; memory can only be measured on Linux")
