"""A function over many jobs on a Ray cluster, as :mod:`refatomnet.workers` does it on one machine."""

import logging
import os
import pickle
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any
from urllib.parse import urlsplit

from refatomnet.console import debugging, in_words
from refatomnet.errors import OptionError
from refatomnet.workers import DEATHS_ALLOWED, WorkerDied, quieten


def on_ray(
    work: Callable[[Any], Any], jobs: Sequence[Any], address: str, *, gpu: bool | None = False
) -> Iterator[tuple[int, Any]]:
    """Do jobs in actors of Ray Data, one a CPU (or GPU) of the cluster, and go on when one is killed.

    Outcomes travel to this process, which alone writes files; so nothing is written twice.

    Args:
        work: A function that Ray can pickle; what it raises ends it all.
        jobs: Its arguments, such as can be pickled.
        address: "local" for a cluster of this machine alone, "auto" for the one running here, or where one listens.
        gpu: Whether each actor has a GPU to itself; None for wherever the cluster has any.

    Yields:
        The index of a job and what ``work`` returned, or :class:`~refatomnet.workers.WorkerDied`; as they come.

    Raises:
        OptionError: If Ray is not installed, no cluster answers, or it has no such processors.
    """
    with _connected(address) as ray:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = ray.cluster_resources()
        gpu = there.get("GPU", 0) >= 1 if gpu is None else gpu
        kind = "GPU" if gpu else "CPU"
        if (count := min(len(jobs), int(there.get(kind, 0)))) < 1:
            raise OptionError(f"the Ray cluster at {address!r} has no {kind}; give another --ray or --device")
        rows = [{"number": number, "job": pickle.dumps(job)} for number, job in enumerate(jobs)]
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        tally = ray.remote(_Tally).options(num_cpus=0, scheduling_strategy=here).remote()
        outcomes = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            _Worker,
            fn_constructor_args=(work, tally),
            # One job in flight, so that an actor that is killed takes no waiting ones with it; the pool may shrink at
            # the end, so that actors of a lost machine find room on the others.
            compute=ray.data.ActorPoolStrategy(
                min_size=1, initial_size=count, max_size=count, max_tasks_in_flight_per_actor=1
            ),
            num_cpus=1,
            num_gpus=1 if gpu else 0,
        )
        outcomes.context.enable_progress_bars = outcomes.context.print_on_execution_start = debugging()
        try:
            for row in outcomes.iter_rows():
                fatal, outcome = pickle.loads(row["outcome"])
                if fatal:
                    raise outcome
                yield row["number"], outcome
        except ray.exceptions.RayError as error:
            said = str(error).strip().splitlines()[-1]
            raise OptionError(
                f"the workers of the Ray cluster at {address!r} cannot start ({said}); install refatomnet[ray] there"
            ) from error


class _Worker:
    """Does one job a call, in an actor's process; a model that ``work`` caches is loaded once there."""

    def __init__(self, work: Callable[[Any], Any], tally: Any) -> None:
        quieten()
        self._work, self._tally = work, tally

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        import ray

        try:
            # Ray does a job again whenever its worker dies; here is where it ends.
            died = ray.get(self._tally.tries.remote(row["number"]))
            outcome = False, WorkerDied() if died >= DEATHS_ALLOWED else self._work(pickle.loads(row["job"]))
        except Exception as error:  # told to whoever asked, where Ray would only log it
            outcome = True, error
        return {"number": row["number"], "outcome": pickle.dumps(outcome)}


class _Tally:
    """Counts how often each job was begun; lives where the batch was started, so that it dies with no worker."""

    def __init__(self) -> None:
        self._tries = Counter[int]()

    def tries(self, number: int) -> int:
        """How often this job was begun before."""
        self._tries[number] += 1
        return self._tries[number] - 1


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected; a caller's own connection is used and left alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise OptionError(f"--ray needs Ray ({error}): pip install 'refatomnet[ray]', or use --workers N") from error
    ours = not ray.is_initialized()
    if ours:
        _see_that_it_listens(address)
        options = {"include_dashboard": False} if address == "local" else {}
        try:
            ray.init(address, log_to_driver=debugging(), logging_level=logging.ERROR, **options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise _no_cluster(address, in_words(error)[:200]) from error
    loggers = [logging.getLogger(name) for name in ("ray", "ray.data")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers if not debugging() else ():
            logger.setLevel(logging.CRITICAL)
        with redirect_stdout(sys.stderr):  # where Ray reports that a worker died
            yield ray
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if ours:
            ray.shutdown()


def _see_that_it_listens(address: str) -> None:
    """Ray itself would try for minutes."""
    if address in ("local", "auto"):
        return
    try:
        place = urlsplit(address if "//" in address else f"//{address}")
        if not place.hostname or not place.port:
            raise ValueError("it is not HOST:PORT")
        socket.create_connection((place.hostname, place.port), timeout=10).close()
    except (OSError, ValueError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, said: str) -> OptionError:
    return OptionError(f"no Ray cluster answers at {address!r} ({said}); give local, auto or HOST:PORT of one")
