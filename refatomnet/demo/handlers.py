"""What happens behind the page: loading, answering, stopping. Knows files and results, no components."""

import contextvars
import logging
import os
import queue
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from refatomnet.demo.limits import MAX_SENTENCES as MAX_SENTENCES
from refatomnet.demo.limits import Limits, check_clip
from refatomnet.demo.limits import split_sentences as split_sentences
from refatomnet.demo.models import LazyPredictor as LazyPredictor
from refatomnet.demo.models import Models
from refatomnet.demo.pace import Pace
from refatomnet.demo.sample_cache import SampleCache
from refatomnet.demo.sessions import Cloakroom
from refatomnet.demo.sessions import Session as Session
from refatomnet.errors import Cancelled, OptionError, RefAtomNetError, VideoError
from refatomnet.heap import give_back
from refatomnet.types import KeyFrame, Query, Result, WordPath

if TYPE_CHECKING:
    from refatomnet.video import Header

log = logging.getLogger(__name__)

MAX_PICTURES = 240
POLL_S = 0.1
STOPPED = "Stopped. Nothing was written; you can run again."
OUR_FAULT = "Something went wrong on our side; it has been noted, and you can try again or use another clip."

LOOK, READ, DRAW = "look", "read", "draw"
DRAWING = "Drawing the answer"
ENDS = ("-annotated.mp4", ".json", ".csv", ".zip")  # of the names of an answer's files

Progress = Callable[[str, float], None]
Tell = Callable[[str, str, float], None]  # which stage, what it is called to the user, the share of it done
Stop = Callable[[], bool]
Done = TypeVar("Done")


class AnyPredictor(Protocol):
    """The part of ``refatomnet.predictor.Predictor`` that the demo uses."""

    @property
    def card(self) -> dict[str, Any]: ...

    def encode(
        self,
        path: str,
        *,
        stride: float = 1.0,
        start: float | None = None,
        end: float | None = None,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
        arrived: Callable[[Any, list[np.ndarray]], object] | None = None,
    ) -> Any: ...

    def ask(
        self,
        clip: Any,
        *sentences: str,
        top_k: int = 5,
        threshold: float | None = None,
        progress: Progress | None = None,
        cancelled: Stop | None = None,
    ) -> Result: ...

    def follow(self, clip: Any, sentence: str, *, key: int, candidate: int, top_k: int = 5) -> Result: ...

    def explain(self, clip: Any, sentence: str) -> tuple[tuple[WordPath, ...], ...]: ...


@dataclass(frozen=True)
class Options:
    """The advanced settings; None leaves the choice to the predictor."""

    stride: float = 1.0
    top_k: int = 5
    threshold: float | None = None
    start: float | None = None
    end: float | None = None
    checkpoint: str | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Working:
    """Work goes on: what is done now, the share of the whole run done in [0, 1], and seconds left where known."""

    stage: str
    done: float
    left_s: float | None = None


@dataclass(frozen=True)
class Moment:
    """A key frame answered: seconds, picture RGB uint8 (h, w, 3), smaller than the frame, and one answer a sentence.

    size: Width and height of the frame, in whose pixels the boxes are.
    """

    time: float
    picture: np.ndarray
    keys: tuple[KeyFrame, ...]
    size: tuple[int, int]


@dataclass(frozen=True)
class Arrived:
    """The key frames that were answered since the last one."""

    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class Answered:
    """A result, the pictures of its first MAX_PICTURES key frames, and the paths of its four files."""

    result: Result
    pictures: tuple[np.ndarray, ...]
    video: str
    json: str
    csv: str
    zip: str


@dataclass(frozen=True)
class Failed:
    """A sentence for the user; ``stopped`` where they asked for it."""

    message: str
    stopped: bool = False


class Line:
    """Requests that wait for their turn, first come, first served, by one thread.

    What PyTorch keeps for every thread that ever ran a network, it keeps once.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._tickets: list[object] = []
        self._moved = threading.Condition()
        self._work: queue.SimpleQueue[tuple[contextvars.Context, Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._server: threading.Thread | None = None

    def serve(
        self,
        work: Callable[[], Done],
        cancelled: Stop = lambda: False,
        waiting: Callable[[int], object] = lambda before: None,
    ) -> Done:
        """Do the work once it is its turn; ``waiting`` is told how many come before.

        Returns:
            What the work returns; it raises what that raises.

        Raises:
            RefAtomNetError: If too many wait already.
            Cancelled: If the caller asked to stop.
        """
        with self._turn(cancelled, waiting):
            if self._server is None:
                self._server = threading.Thread(target=self._serve, name="model", daemon=True)
                self._server.start()
            done: Future[Done] = Future()
            # In the request's context, which tells a ZeroGPU Space whose share of its GPU is used.
            self._work.put((contextvars.copy_context(), done, work))
            try:
                return done.result()
            finally:
                del done  # or an error, which holds this frame, would be held by it, and all that it holds

    def _serve(self) -> None:
        while True:
            context, done, work = self._work.get()
            try:
                done.set_result(context.run(work))
            except BaseException as error:
                done.set_exception(error)
            del context, done, work  # nothing of a request is held while the next is waited for

    @contextmanager
    def _turn(self, cancelled: Stop, waiting: Callable[[int], object]) -> Iterator[None]:
        ticket = object()
        with self._moved:
            if len(self._tickets) > self._longest:
                raise RefAtomNetError(f"{self._longest} requests wait already; try again in a minute.")
            self._tickets.append(ticket)
        try:
            while True:
                with self._moved:
                    before = self._tickets.index(ticket)
                    if before:
                        self._moved.wait(POLL_S)
                if cancelled():
                    raise Cancelled("stopped while waiting")
                if not before:
                    break
                waiting(before)
            yield
        finally:
            with self._moved:
                self._tickets.remove(ticket)
                self._moved.notify_all()


class Desk:
    """Answers requests, one at a time.

    Args:
        source: What answers: a predictor, what loads one, or several to choose from.
        folder: Where files are kept: Gradio's folder of uploads, so that it serves them.
        limits: What a request may be.
        samples: Clips whose answers are kept for everybody.
    """

    def __init__(
        self,
        source: AnyPredictor | Callable[[], AnyPredictor] | Models,
        folder: str | Path,
        limits: Limits | None = None,
        samples: Sequence[Path] = (),
    ) -> None:
        self.models = source if isinstance(source, Models) else Models(source)
        self.visitors = Cloakroom(Path(folder))
        self.limits = limits or Limits()
        self.samples = SampleCache(samples)
        self._line = Line(self.limits.queue)
        self._drawing = 0.3  # what drawing takes beside looking; learnt from run to run

    @property
    def predictor(self) -> LazyPredictor:
        """The predictor that the page began with."""
        return self.models.first

    def receive(self, session: Session, video: str | None) -> "Header | None":
        """A visitor gives another clip, or none; what cannot be used is refused at once, and theirs from before goes.

        Returns:
            What the clip's header says; None without a clip.

        Raises:
            VideoError: If the clip is outside the limits or cannot be read; one that is too long may still be trimmed.
        """
        self.visitors.hold(session, video)
        if not video:
            return None
        with _nameless(Path(video).parent):
            return check_clip(Path(video), self.limits, span=0.0)

    def answer(
        self,
        session: Session,
        video: str | None,
        sentences: str | None,
        options: Options,
        progress: Tell = lambda stage, said, done: None,
        cancelled: Stop = lambda: False,
        arrived: Callable[[Arrived], object] | None = None,
    ) -> Result:
        """Encode the clip, unless it is the session's last one, and ask."""
        asked = split_sentences(sentences, self.limits)
        if not video:
            raise VideoError("No clip was given; upload one, record one or pick a sample.")
        path = Path(video)
        check_options(options)
        with self.visitors.at_work(session, path), _nameless(path.parent):
            check_clip(path, self.limits, span=_span(options))
            model = self.models.pick(options.checkpoint, options.device)
            # The bar is of the run, which has not begun.
            predictor = model.get(
                cancelled, lambda said, done: progress(LOOK, f"{said}: {done:.0%}" if done else said, 0.0)
            )

            def work() -> tuple[bool, tuple[np.ndarray, ...], Result]:
                told = self._encode(predictor, session, path, asked, options, progress, cancelled, arrived)
                clip, pictures = session.clip, session.pictures
                if clip is None:
                    raise Cancelled("the visitor has left")
                result = predictor.ask(
                    clip,
                    *asked,
                    top_k=options.top_k,
                    threshold=options.threshold,
                    progress=lambda said, done: progress(READ, said, done),
                    cancelled=cancelled,
                )
                session.options = options
                return told, pictures, result

            told, pictures, result = self._line.serve(
                work, cancelled, lambda before: progress(LOOK, _waiting(before), 0.0)
            )
        if arrived and not told:
            arrived(_moments(result, pictures))
        return result

    def run(
        self, session: Session, video: str | None, sentences: str | None, options: Options
    ) -> Iterator[Working | Arrived | Answered | Failed]:
        """Answer on a thread, telling how far it is; the last item is Answered or Failed.

        Closing the iterator, as Gradio does when a visitor leaves or cancels, stops the work too.
        """
        session.halt()
        stop = session.stop = threading.Event()
        told: queue.SimpleQueue[Working | Arrived] = queue.SimpleQueue()
        outcome: list[Answered | Failed] = []
        pace = Pace({LOOK: 1.0, READ: 0.1, DRAW: self._drawing})
        clips = [Path(video)] if video else []

        def progress(stage: str, said: str, done: float) -> None:
            told.put(Working(said, *pace.tell(stage, done)))

        def answered() -> Answered:
            result = self.answer(session, video, sentences, options, progress, stop.is_set, told.put)
            kept = self._keep(session, result, result, progress, stop.is_set)
            if pace.took(LOOK) > 1:
                self._drawing += 0.5 * (pace.took(DRAW) / pace.took(LOOK) - self._drawing)
            return kept

        def work() -> None:
            with self.visitors.at_work(session, *clips):
                outcome.append(attempt(answered))

        # In this request's context, which tells a ZeroGPU Space whose share of its GPU is used.
        worker = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="answer", daemon=True)
        worker.start()
        try:
            yield Working("Starting", 0.0)
            while worker.is_alive() and not stop.is_set():
                worker.join(POLL_S)
                yield from _latest(told)
            if stop.is_set():  # said at once, and last; the work itself ends at its next look
                yield Failed(STOPPED, stopped=True)
                return
            yield from _latest(told)
            yield outcome[0]
        finally:
            stop.set()

    def follow(
        self,
        session: Session,
        query: int,
        key: int,
        candidate: int,
        progress: Callable[[float], None] = lambda done: None,
    ) -> Answered:
        """The last answer, with one sentence answered by a runner-up of one of its key frames.

        Args:
            session: Whose answer.
            query: Which sentence, counted from 0.
            key: The key frame whose runner-up is meant.
            candidate: Which of that key frame's candidates.
            progress: Told the share done, in [0, 1].

        Raises:
            OptionError: If there is no answer, sentence, key frame or candidate of that number.
        """
        before = _asked(session, query)
        sentence = before.queries[query].sentence

        def work() -> Result:
            predictor, options = _encoded(session)
            return predictor.follow(session.clip, sentence, key=key, candidate=candidate, top_k=options.top_k)

        other = self._line.serve(work)
        return self._switch(session, query, other.queries[0], progress)

    def restore(self, session: Session, query: int, progress: Callable[[float], None] = lambda done: None) -> Answered:
        """The last answer, with one sentence answered as it was before somebody else was followed.

        Raises:
            OptionError: If there is no answer, or no sentence of that number.
        """
        _asked(session, query)
        assert session.first is not None  # there is an answer, so there was a first one
        return self._switch(session, query, session.first.queries[query], progress)

    def explain(self, session: Session, query: int) -> tuple[tuple[WordPath, ...], ...]:
        """What each word of a sentence of the last answer followed, by key frame.

        Raises:
            OptionError: If there is no answer, or no sentence of that number.
        """
        sentence = _asked(session, query).queries[query].sentence
        return self._line.serve(lambda: _encoded(session)[0].explain(session.clip, sentence))

    def predict(
        self, session: Session, video: str | None, sentences: str | None, cancelled: Stop = lambda: False
    ) -> dict[str, Any]:
        """The result as plain containers, for programs.

        ``video.path`` is None and ``video.name`` is the file's name: gradio_client takes every dict with a text
        ``path`` for a file to download, which would end in an error instead of the result.
        """
        data = _public(self.answer(session, video, sentences, Options(), cancelled=cancelled)).to_dict()
        data["video"] = {"path": None, "name": data["video"].pop("path"), **data["video"]}
        return data

    def annotate(
        self, session: Session, video: str | None, sentences: str | None, cancelled: Stop = lambda: False
    ) -> str:
        """The path of the annotated video, for programs."""
        result = self.answer(session, video, sentences, Options(), cancelled=cancelled)
        return self._write(session, result, cancelled=cancelled, alone=True)[0]

    def _encode(
        self,
        predictor: AnyPredictor,
        session: Session,
        path: Path,
        asked: list[str],
        options: Options,
        progress: Tell,
        cancelled: Stop,
        arrived: Callable[[Arrived], object] | None,
    ) -> bool:
        """Sees to it that the session holds the clip; says whether its key frames were told on the way."""
        status = path.stat()
        # Gradio's folder names uploads by their content and writes them anew each time, so there the date says nothing.
        changed = 0 if path.is_relative_to(self.visitors.folder) else status.st_mtime_ns
        key = (str(path), changed, status.st_size, options.stride, options.start, options.end, id(predictor))
        if key == session.key:
            return False
        session.forget()
        sample = self.samples.which(path)
        known = self.samples.clip(sample, key[3:]) if sample else None
        if known:
            session.clip, session.pictures = known
            session.predictor, session.key = predictor, key
            return False
        pictures: list[np.ndarray] = []

        def here(part: Any, images: list[np.ndarray]) -> None:
            kept = images[: max(0, MAX_PICTURES - len(pictures))]
            pictures.extend(kept)
            if arrived and kept:
                result = predictor.ask(
                    part, *asked, top_k=options.top_k, threshold=options.threshold, cancelled=cancelled
                )
                arrived(_moments(result, kept))

        session.clip = predictor.encode(
            str(sample or path),  # a visitor's copy goes when they do
            stride=options.stride,
            start=options.start,
            end=options.end,
            progress=lambda said, done: progress(LOOK, said, done),
            cancelled=cancelled,
            arrived=here,
        )
        session.pictures, session.predictor, session.key = tuple(pictures), predictor, key
        if sample:
            self.samples.keep_clip(sample, key[3:], (session.clip, session.pictures))
        return True

    def _switch(self, session: Session, query: int, other: Query, progress: Callable[[float], None]) -> Answered:
        """The session's answer with another query in place of one, its files written anew."""
        before = _asked(session, query)
        assert session.first is not None  # there is an answer, so there was a first one
        queries = (*before.queries[:query], other, *before.queries[query + 1 :])
        result = replace(before, queries=queries)
        return self._keep(session, session.first, result, lambda stage, said, done: progress(done), lambda: False)

    def _keep(self, session: Session, first: Result, result: Result, progress: Tell, cancelled: Stop) -> Answered:
        """Write a result and make it the session's answer."""
        pictures = session.pictures
        answered = Answered(result, pictures, *self._write(session, result, progress, cancelled))
        session.first, session.answered = first, answered
        replaced, session.shown = session.shown, Path(answered.video).parent
        if replaced is not None:
            self.visitors.discard(replaced)
        return answered

    def _write(
        self,
        session: Session,
        result: Result,
        progress: Tell = lambda stage, said, done: None,
        cancelled: Stop = lambda: False,
        *,
        alone: bool = False,
    ) -> list[str]:
        """The paths of an answer's four files, written into a folder of its own; the video's alone, if it is to be."""
        if cancelled():
            raise Cancelled("stopped before drawing")
        folder = self.visitors.new_folder(session)
        public, source = _public(result), Path(result.video.path)
        stem = source.stem[:60] or "clip"
        files = [str(folder / f"{stem}{end}") for end in (ENDS[:1] if alone else ENDS)]
        video, *others = files
        try:
            with self.visitors.at_work(session, source, folder), _nameless(source.parent), _nameless(folder):
                progress(DRAW, DRAWING, 0.0)
                if not self.samples.fetch(source, public.to_dict(), files):
                    result.save_video(video, progress=lambda done: progress(DRAW, DRAWING, done), cancelled=cancelled)
                    if others:
                        _write_others(public, video, *others)
                    self.samples.keep(source, public.to_dict(), files)
            if cancelled():
                raise Cancelled("stopped after drawing")
        except BaseException:
            self.visitors.discard(folder)
            raise
        return files


def _write_others(public: Result, video: str, told: str, table: str, bundle: str) -> None:
    """JSON and CSV, and a ZIP of them and the video."""
    public.save_json(told)
    public.save_csv(table)
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as together:
        for file in (video, told, table):
            together.write(file, Path(file).name)


def _moments(result: Result, pictures: Sequence[np.ndarray]) -> Arrived:
    """The key frames of a result that there are pictures of."""
    size = (result.video.width, result.video.height)
    rows = zip(pictures, *(query.keyframes for query in result.queries), strict=False)
    return Arrived(tuple(Moment(keys[0].time, picture, tuple(keys), size) for picture, *keys in rows))


def _latest(told: "queue.SimpleQueue[Working | Arrived]") -> Iterator[Working | Arrived]:
    """What was told since the last time: all key frames at once, and of the progress the last word."""
    moments: list[Moment] = []
    working: Working | None = None
    while not told.empty():
        step = told.get()
        if isinstance(step, Arrived):
            moments += step.moments
        else:
            working = step
    if moments:
        yield Arrived(tuple(moments))
    if working:
        yield working


def _asked(session: Session, query: int) -> Result:
    """The session's last result, if it has a sentence of that number."""
    if session.answered is None:
        raise OptionError("There is no answer any more; press Run again.")
    result = session.answered.result
    if not 0 <= query < len(result.queries):
        raise OptionError(f"There is no sentence {query} in the answer; it has {len(result.queries)}, counted from 0.")
    return result


def _encoded(session: Session) -> tuple[AnyPredictor, Options]:
    """What looked at the session's clip, and how."""
    if session.predictor is None or session.options is None:
        raise OptionError("There is no answer any more; press Run again.")
    return session.predictor, session.options


def _span(options: Options) -> float | None:
    """Seconds asked for, where both ends are given."""
    return None if options.end is None else options.end - (options.start or 0.0)


def _waiting(before: int) -> str:
    return f"Waiting for {before} other request{'s' if before > 1 else ''}"


def check_options(options: Options) -> None:
    """Refuse what no clip could make sense of; the predictor checks the rest against the clip.

    Raises:
        OptionError: If the span is empty.
    """
    if options.start is not None and options.end is not None and options.end <= options.start:
        raise OptionError(
            f"The end ({options.end:g} s) must lie after the start ({options.start:g} s); change one or leave it empty."
        )


def attempt(work: Callable[[], Done]) -> Done | Failed:
    """Do a piece of work; an error becomes a sentence, and the memory that is free then goes back to the system.

    An error that went further would hold all that the work had in hand.
    """
    try:
        return work()
    except Exception as error:
        return explain(error)
    finally:
        give_back()


def explain(error: Exception) -> Failed:
    """A sentence for the user; what was not foreseen is logged whole and told in general."""
    if isinstance(error, Cancelled):
        return Failed(STOPPED, stopped=True)
    if isinstance(error, RefAtomNetError):
        text = str(error)
        first = text.split(maxsplit=1)[0] if text.strip() else ""
        text = text[:1].upper() + text[1:] if first.isalpha() else text  # a file's name keeps its letters
        return Failed(text + ("" if text.endswith((".", "!", "?")) else "."))
    log.error("a request failed at %s", time.strftime("%H:%M:%S"), exc_info=error)
    return Failed(OUR_FAULT)


@contextmanager
def _nameless(folder: Path) -> Iterator[None]:
    """Leaves the server's folder out of what is said about a file in it."""
    try:
        yield
    except RefAtomNetError as error:
        raise type(error)(str(error).replace(f"{folder}{os.sep}", "")) from error


def _public(result: Result) -> Result:
    """Without the server's folders."""
    return replace(result, video=replace(result.video, path=Path(result.video.path).name))
