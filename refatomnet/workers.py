"""A function over many jobs, here or in worker processes of this machine; knows nothing of videos.

Outcomes come as they are ready, each job's once. :mod:`refatomnet.cluster` does the same on Ray.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from refatomnet.console import hush

# A worker may die of something else than its job, so a job is tried again; twice is no chance.
DEATHS_ALLOWED = 2


class WorkerDied(RuntimeError):
    """The outcome of a job that took its worker with it every time it was tried."""

    def __init__(self, said: str = f"{DEATHS_ALLOWED} workers died of it, perhaps for want of memory") -> None:
        super().__init__(said)


def in_processes(work: Callable[[Any], Any], jobs: Sequence[Any], count: int) -> Iterator[tuple[int, Any]]:
    """Do jobs in processes of their own, and go on when one of these is killed.

    Args:
        work: A function that can be pickled; what it raises ends it all.
        jobs: Its arguments.
        count: Processes.

    Yields:
        The index of a job and what ``work`` returned, or :class:`WorkerDied`; as they come.
    """
    others = multiprocessing.active_children()
    # One executor a process: when one breaks, it is known of which job, and the others do not notice.
    idle = [_process() for _ in range(min(count, len(jobs)))]
    busy: dict[Future[Any], tuple[ProcessPoolExecutor, int]] = {}
    waiting, deaths = deque(range(len(jobs))), Counter[int]()
    try:
        while waiting or busy:
            while waiting and idle:
                number, process = waiting.popleft(), idle.pop()
                try:
                    future = process.submit(work, jobs[number])
                except BrokenProcessPool:  # killed while it had nothing to do
                    process = _process()
                    future = process.submit(work, jobs[number])
                busy[future] = process, number
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                process, number = busy.pop(future)
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    process = _process()
                    deaths[number] += 1
                    outcome = WorkerDied()
                idle.append(process)
                if isinstance(outcome, WorkerDied) and deaths[number] < DEATHS_ALLOWED:
                    waiting.append(number)  # last, so that the others are answered whatever it does
                else:
                    yield number, outcome
    finally:
        # Workers write no files, so that one can be stopped at any moment.
        for process in [*idle, *(process for process, _ in busy.values())]:
            process.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            if child not in others:
                child.terminate()


def quieten() -> None:
    """Keep a worker off standard error; its failures travel as outcomes."""
    hush()
    logging.getLogger("refatomnet").setLevel(logging.ERROR)


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_start)


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    quieten()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers; without this they would wait for jobs for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
