"""What belongs to a visitor, and how all of it goes away: uploads, answers, the encoded clip.

Gradio stores an upload under a hash of its content, so two visitors with the same file share one path. An upload is
deleted when the last session that holds it lets go, unless somebody has uploaded it anew meanwhile.
"""

import atexit
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refatomnet.demo.limits import CLIENT_IDLE_S, PAGE_IDLE_S
from refatomnet.heap import give_back

if TYPE_CHECKING:
    import numpy as np

    from refatomnet.demo.handlers import Answered, AnyPredictor, Options
    from refatomnet.types import Result

log = logging.getLogger(__name__)

SWEEP_S = 60


class Session:
    """What one visitor keeps between requests.

    name: Gradio's name of the page or the program. page: whether it is an open page. clip, pictures: the clip encoded
    last, with its key frames. first: the result of the last run, as it was before anybody followed a runner-up.
    answered: the last answer. stop: ends the work that goes on. choosing: ends the wait for a model; told: what the
    page says of it; chosen: the last that came, and its device. folder: where the answers' files are, shown: those of
    the last one. held: uploads, and when they were written. working: the files that requests which go on need;
    used: when a program last needed one.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self.page = False
        self.stop: threading.Event | None = None
        self.choosing = threading.Event()
        self.told = ""
        self.chosen: tuple[str | None, str] = (None, "auto")
        self.folder: Path | None = None
        self.shown: Path | None = None
        self.held: dict[Path, int] = {}
        self.seen = time.monotonic()
        self.working: Counter[Path] = Counter()
        self.used: dict[Path, float] = {}
        self.forget()

    def halt(self) -> None:
        """End the work that goes on, if any does."""
        if self.stop is not None:
            self.stop.set()

    def forget(self) -> None:
        """Drop what was encoded and answered."""
        self.key: tuple[Any, ...] | None = None
        self.clip: Any = None
        self.pictures: tuple[np.ndarray, ...] = ()
        self.predictor: AnyPredictor | None = None
        self.options: Options | None = None
        self.first: Result | None = None
        self.answered: Answered | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        """Gradio gives every visitor a copy of the page's first one."""
        return Session()


class Cloakroom:
    """Keeps what visitors bring and what they are given, and clears it away.

    Args:
        folder: Gradio's folder of uploads; the sessions' folders are made in it.
        uploads: Says which files have been uploaded to this page.
        clock: Seconds.
    """

    def __init__(
        self,
        folder: Path,
        uploads: Callable[[], Iterable[str]] = lambda: (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.uploads = uploads
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: set[Session] = set()
        self._named: dict[str, set[Session]] = {}
        self._closing = threading.Event()

    def enter(self, session: Session, name: str | None = None, *, page: bool = False) -> None:
        """A visitor does something; ``name`` tells on which page, or by which program, and is told when they leave."""
        with self._lock:
            session.seen = self._clock()
            session.name = name or session.name
            session.page = session.page or page
            self._sessions.add(session)
            if session.name:
                self._named.setdefault(session.name, set()).add(session)

    def hold(self, session: Session, path: str | Path | None) -> None:
        """The visitor's clip is ``path`` now; others are let go, but those of the last answer and of work under way."""
        with self._lock:
            self._take(session, path)
            keep = set(session.working) | ({Path(path)} if path else set())
            keep |= {Path(session.key[0])} if session.key else set()
            for other in set(session.held) - keep:
                self._let_go(session, other)

    @contextmanager
    def at_work(self, session: Session, *paths: Path) -> Iterator[None]:
        """The visitor's request about these files goes on: neither is cleared away meanwhile."""
        with self._lock:
            for path in paths:
                self._take(session, path)
            session.working.update(paths)
        try:
            yield
        finally:
            with self._lock:
                session.working -= Counter(paths)
                session.seen = self._clock()
                if not session.page:
                    session.used.update(dict.fromkeys(paths, session.seen))

    def new_folder(self, session: Session) -> Path:
        """An empty folder for the files of an answer, under a name that nobody can guess."""
        with self._lock:
            self.enter(session)
            if session.folder is None:
                session.folder = self.folder / secrets.token_urlsafe(24)
            return Path(tempfile.mkdtemp(dir=_made(session.folder)))

    def discard(self, folder: Path) -> None:
        """Delete the files of an answer, and the session's folder if nothing is left in it."""
        with self._lock:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                folder.parent.rmdir()

    def leave(self, name: str | None) -> bool:
        """The page of that name was closed, or the program has gone; says whether it was a page."""
        with self._lock:
            gone = self._named.pop(name or "", set())
            for session in gone:
                self.close(session)
            return any(session.page for session in gone)

    def close(self, session: Session) -> None:
        """Stop a visitor's work and delete all that is theirs; they may come back with nothing."""
        with self._lock:
            session.halt()
            session.choosing.set()
            self._sessions.discard(session)
            others = self._named.get(session.name or "", set()) - {session}
            if others:
                self._named[session.name or ""] = others
            else:
                self._named.pop(session.name or "", None)
            for path in list(session.held):
                self._let_go(session, path)
            if session.folder is not None:
                shutil.rmtree(session.folder, ignore_errors=True)
            session.folder = session.shown = None
            session.used.clear()
            session.forget()
        give_back()

    def close_all(self) -> None:
        """Delete all that is anybody's, and sweep no more."""
        self._closing.set()
        with self._lock:
            for session in list(self._sessions):
                self.close(session)
            for path in map(Path, list(self.uploads())):
                _delete(path)

    def sweep(self) -> None:
        """Close the sessions of visitors who are gone, and delete uploads that nobody took and programs' old files."""
        with self._lock:
            now = self._clock()
            for session in list(self._sessions):
                idle = PAGE_IDLE_S if session.page else CLIENT_IDLE_S
                if not session.working and now - session.seen > idle:
                    self.close(session)
                self._clear_old(session, now)
            held = {path for session in self._sessions for path in session.held}
            for path in map(Path, list(self.uploads())):
                if path not in held and path.is_file() and time.time() - path.stat().st_mtime > CLIENT_IDLE_S:
                    _delete(path)

    def sweep_on(self) -> None:
        """Sweep again and again, on a thread of its own."""

        def work() -> None:
            while not self._closing.wait(SWEEP_S):
                try:
                    self.sweep()
                except OSError:
                    log.exception("what visitors left behind could not be swept")

        threading.Thread(target=work, name="sweep", daemon=True).start()

    def _clear_old(self, session: Session, now: float) -> None:
        """Delete what a program, which may ask on and on, brought and was given long ago."""
        for path, last in list(session.used.items()):
            if path in session.working or now - last <= CLIENT_IDLE_S:
                continue
            del session.used[path]
            if path in session.held:
                self._let_go(session, path)
            elif path.parent == session.folder:
                self.discard(path)

    def _take(self, session: Session, path: str | Path | None) -> None:
        self.enter(session)
        if path and (own := Path(path)).is_relative_to(self.folder) and own.is_file():
            session.held[own] = own.stat().st_mtime_ns

    def _let_go(self, session: Session, path: Path) -> None:
        written = session.held.pop(path)
        if any(path in other.held for other in self._sessions):
            return
        if path.is_file() and path.stat().st_mtime_ns == written:
            _delete(path)


def private_folder() -> Path:
    """Gradio's folder of uploads: this process's own, deleted at its end, unless GRADIO_TEMP_DIR names another."""
    given = os.environ.get("GRADIO_TEMP_DIR")
    if given:
        return Path(given)
    folder = tempfile.mkdtemp(prefix="refatomnet-")
    os.environ["GRADIO_TEMP_DIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):  # the same content may lie there under other names
        path.parent.rmdir()
