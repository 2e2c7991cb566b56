"""How long the demo lets one wait: for its page beside bare imports, and for answers about a sample, warm."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from refatomnet.errors import DataError

ROOT = Path(__file__).parents[1]
IMPORTS = "import torch, transformers, gradio"
PATIENCE_S = 120.0


def time_page(runs: int) -> dict[str, float]:
    """Seconds, best of so many runs in turns: bare imports in a fresh process, and app.py from its start to its page.

    Raises:
        DataError: If no page comes.
    """
    bare, page = [], []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS], check=True, cwd=ROOT)
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        with open_page():
            page.append(time.perf_counter() - began)
    return {"imports": min(bare), "page": min(page), "ratio": min(page) / min(bare)}


def time_answers(runs: int) -> dict[str, float]:
    """Seconds, medians over so many samples, the model warm: to the first answered key frame, to all with its files.

    Raises:
        DataError: If there are too few samples, or one cannot be answered.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from refatomnet.demo.handlers import Answered, Arrived, Desk, Options
    from refatomnet.demo.samples import read_samples
    from refatomnet.demo.sessions import Session
    from refatomnet.predictor import Predictor

    samples = read_samples(ROOT / "assets")
    if len(samples) <= runs:
        raise DataError(f"{len(samples)} samples lie in assets, {runs + 1} are needed; ask for fewer runs")
    first, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Predictor.from_pretrained(device="cpu"), folder)
        for sample in samples[: runs + 1]:
            session, began, arrived = Session(), time.perf_counter(), 0.0
            for step in desk.run(session, str(sample.clip), sample.sentences[0], Options()):
                if isinstance(step, Arrived):
                    arrived = arrived or time.perf_counter() - began
            if not isinstance(step, Answered):
                raise DataError(f"{sample.clip.name} was not answered: {step}")
            first.append(arrived)
            whole.append(time.perf_counter() - began)
            desk.visitors.close(session)
    return {"first_key_frame": statistics.median(first[1:]), "answer": statistics.median(whole[1:])}


@contextmanager
def open_page() -> Iterator[str]:
    """The address of app.py, started on a free port, once its page is there; ended on the way out.

    Raises:
        DataError: If no page comes.
    """
    with open_app() as (address, _):
        yield address


@contextmanager
def open_app(
    *options: str, env: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The address of app.py with these options, as :func:`open_page`, and its process; ``log`` takes what it says.

    It listens to this machine only.

    Raises:
        DataError: If no page comes, or it does not end when told to.
    """
    port = _free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), *options]
    began = time.perf_counter()
    with ExitStack() as stack:
        said = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, env=env, stdout=said, stderr=said))
        stack.callback(_end, process)
        while not _answers(address):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE_S:
                raise DataError(f"app.py gave no page within {PATIENCE_S:.0f} s; run it by hand to see why")
            time.sleep(0.01)
        yield address, process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise DataError(f"app.py did not end within {PATIENCE_S:.0f} s of being told to") from error


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=PATIENCE_S).read()
    except urllib.error.URLError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
