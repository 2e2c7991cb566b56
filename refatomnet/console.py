"""What the commands share: progress and messages on standard error, JSON on standard output, quiet libraries."""

import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import refatomnet
from refatomnet.errors import RefAtomNetError, VideoError

if TYPE_CHECKING:
    from refatomnet.predictor import Predictor


class Progress:
    """One updating line on a terminal; elsewhere a line a finished stage, and one every ten seconds."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._shown = self._began = time.monotonic()
        self._stage = ""

    def __call__(self, stage: str, part: float) -> None:
        if self._quiet:
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began = stage, now
        elif now - self._shown < (0.1 if self._live else 10) and part < 1:
            return
        if self._live:
            sys.stderr.write(f"\r\x1b[K{stage} {part:4.0%}" if part else f"\r\x1b[K{stage} …")
            sys.stderr.flush()
        elif part >= 1:
            say(f"{stage}: done in {now - self._began:.1f} s")
        elif part and now - self._shown >= 10:
            say(f"{stage}: {part:.0%}")
        else:
            return
        self._shown = now

    def about(self, name: str) -> Callable[[str, float], None]:
        """The same for one of several things; only a terminal is told of its stages."""
        return lambda stage, part: self(f"{name}: {stage}", part) if self._live else None

    def line(self, text: str) -> None:
        """Write a line that stays."""
        if not self._quiet:
            self._clear()
            say(text)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._live and not self._quiet:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _Kept(logging.Handler):
    """Keeps warnings for the end, so that an error is the only line when there is one; one about time cannot wait."""

    def __init__(self, quiet: bool) -> None:
        super().__init__(logging.WARNING)
        self.quiet = quiet
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = f"warning: {record.getMessage()}"
        if not getattr(record, "at_once", False):
            self.lines.append(line)
        elif not self.quiet:
            say(line)


@contextmanager
def quiet_libraries(quiet: bool) -> Iterator[None]:
    """Keep libraries off standard error; show our own warnings after success, unless asked to be quiet."""
    ours, kept = logging.getLogger("refatomnet"), _Kept(quiet)
    passed_on = ours.propagate
    ours.addHandler(kept)
    ours.propagate = False
    try:
        with warnings.catch_warnings():
            hush()
            yield
        for line in () if quiet else dict.fromkeys(kept.lines):
            say(line)
    finally:
        ours.removeHandler(kept)
        ours.propagate = passed_on


def hush() -> None:
    """Keep libraries quiet from here on, unless we are being debugged."""
    if not debugging():
        warnings.simplefilter("ignore")
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def print_json(data: dict[str, Any]) -> None:
    """JSON on standard output."""
    sys.stdout.write(json.dumps(data, indent=1) + "\n")
    sys.stdout.flush()


def in_words(error: Exception) -> str:
    """An error in one line: our own as they are, others with their kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, RefAtomNetError) else f"{type(error).__name__}: {text}"


def say(text: str) -> None:
    """One line on standard error, whatever it holds."""
    sys.stderr.write("".join(letter if letter.isprintable() else " " for letter in text) + "\n")


def debugging() -> bool:
    """Whether the user wants to see where things go wrong."""
    return os.environ.get("REFATOMNET_DEBUG") == "1"


def load_predictor(
    checkpoint: str | None, device: str, progress: Callable[[str, float], None] | None = None
) -> "Predictor":
    """The predictor of a checkpoint (None: the shipped one), fetched first if need be; no bars of libraries."""
    from refatomnet.downloads import fetch

    fetch(checkpoint, progress)
    if progress is not None:
        progress("Loading the model", 0)
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return refatomnet.Predictor.from_pretrained(checkpoint, device=device)


def check_folder(folder: Path, path: Path) -> None:
    """See that files can be made in a folder, so that ``path`` can be written.

    Raises:
        VideoError: If not.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise VideoError(f"cannot write {path}: {error.strerror}; give a path in a folder you can write to") from error
