"""What happens behind the page: loading, answering, stopping. Knows files and results, no components."""

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

from refatomnet.errors import Cancelled, OptionError, RefAtomNetError, SentenceError, VideoError
from refatomnet.types import Result

log = logging.getLogger(__name__)

MAX_SENTENCES = 8
POLL_S = 0.1
OUR_FAULT = "Something went wrong on our side; it has been noted, and you can try again or use another clip."

Progress = Callable[[str, float], None]
Stop = Callable[[], bool]


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


@dataclass(frozen=True)
class Options:
    """The advanced settings; None leaves the choice to the predictor."""

    stride: float = 1.0
    top_k: int = 5
    threshold: float | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Working:
    """Work goes on; ``done`` in [0, 1]."""

    stage: str
    done: float


@dataclass(frozen=True)
class Answered:
    """A result with its three files."""

    result: Result
    video: str
    json: str
    csv: str


@dataclass(frozen=True)
class Failed:
    """A sentence for the user; ``stopped`` where they asked for it."""

    message: str
    stopped: bool = False


class Session:
    """What one visitor keeps between requests: the clip encoded last, the last result, and how to stop the work."""

    def __init__(self) -> None:
        self.key: tuple[Any, ...] | None = None
        self.clip: Any = None
        self.result: Result | None = None
        self.stop: threading.Event | None = None


class LazyPredictor:
    """A predictor given as it is, or loaded by a callable on a thread of its own."""

    def __init__(self, source: "AnyPredictor | Callable[[], AnyPredictor]") -> None:
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._predictor: AnyPredictor | None = None
        if hasattr(source, "encode"):
            self._predictor = cast("AnyPredictor", source)
            self._ready.set()
        else:
            threading.Thread(target=self._load, args=(source,), name="load-predictor", daemon=True).start()

    @property
    def loading(self) -> bool:
        """Whether the predictor is still on its way."""
        return not self._ready.is_set()

    def get(self, cancelled: Stop = lambda: False) -> AnyPredictor:
        """The predictor, waiting for it; raises what the loading raised, or Cancelled."""
        while not self._ready.wait(POLL_S):
            if cancelled():
                raise Cancelled("stopped while the model was loading")
        if self._predictor is None:
            raise self._error or RuntimeError("the loader returned no predictor")
        return self._predictor

    def _load(self, load: Callable[[], AnyPredictor]) -> None:
        try:
            self._predictor = load()
        except Exception as error:  # handed to whoever asks
            log.exception("the predictor could not be loaded")
            self._error = error
        finally:
            self._ready.set()


class Desk:
    """Answers requests, one at a time; files are written into folders of their own under ``folder``."""

    def __init__(self, source: "AnyPredictor | Callable[[], AnyPredictor]", folder: str | Path) -> None:
        self.predictor = LazyPredictor(source)
        self._folder = Path(folder)
        self._busy = threading.Lock()

    def answer(
        self,
        session: Session,
        video: str | None,
        sentences: str | None,
        options: Options,
        progress: Progress = lambda stage, done: None,
        cancelled: Stop = lambda: False,
    ) -> Result:
        """Encode the clip, unless it is the session's last one, and ask."""
        asked = split_sentences(sentences)
        if not video:
            raise VideoError("No clip was given; upload one, record one or pick a sample.")
        path = Path(video)
        if not path.is_file():
            raise VideoError(f"The clip {path.name} is no longer here; upload it again.")
        check_options(options)
        if self.predictor.loading:
            progress("Loading the model", 0.0)
        predictor = self.predictor.get(cancelled)
        while not self._busy.acquire(timeout=POLL_S):
            if cancelled():
                raise Cancelled("stopped while waiting")
        try:
            self._encode(predictor, session, path, options, progress, cancelled)
            return predictor.ask(
                session.clip,
                *asked,
                top_k=options.top_k,
                threshold=options.threshold,
                progress=progress,
                cancelled=cancelled,
            )
        finally:
            self._busy.release()

    def run(
        self, session: Session, video: str | None, sentences: str | None, options: Options
    ) -> Iterator[Working | Answered | Failed]:
        """Answer on a thread, telling how far it is; the last item is Answered or Failed.

        Closing the iterator, as Gradio does when a visitor leaves or cancels, stops the work too.
        """
        stop = session.stop = threading.Event()
        latest: list[Working] = [Working("Starting", 0.0)]
        outcome: list[Answered | Failed] = []

        def progress(stage: str, done: float) -> None:
            latest[0] = Working(stage, done)

        def work() -> None:
            try:
                result = self.answer(session, video, sentences, options, progress, stop.is_set)
                progress("Drawing the answer", 0.0)
                session.result = result
                outcome.append(self._write(result, stop.is_set))
            except Exception as error:
                outcome.append(explain(error))

        worker = threading.Thread(target=work, name="answer", daemon=True)
        worker.start()
        try:
            told = None
            while worker.is_alive():
                if told != latest[0]:
                    told = latest[0]
                    yield told
                worker.join(POLL_S)
            yield outcome[0]
        finally:
            stop.set()

    def predict(self, session: Session, video: str | None, sentences: str | None) -> dict[str, Any]:
        """The result as plain containers, for programs.

        ``video.path`` is None and ``video.name`` is the file's name: gradio_client takes every dict with a text
        ``path`` for a file to download, which would end in an error instead of the result.
        """
        data = _public(self.answer(session, video, sentences, Options())).to_dict()
        data["video"] = {"path": None, "name": data["video"].pop("path"), **data["video"]}
        return data

    def annotate(self, session: Session, video: str | None, sentences: str | None) -> str:
        """The path of the annotated video, for programs."""
        result = self.answer(session, video, sentences, Options())
        return self._write(result, lambda: False).video

    def _encode(
        self,
        predictor: AnyPredictor,
        session: Session,
        path: Path,
        options: Options,
        progress: Progress,
        cancelled: Stop,
    ) -> None:
        status = path.stat()
        # Gradio's folder names uploads by their content and writes them anew each time, so there the date says nothing.
        changed = 0 if path.is_relative_to(self._folder) else status.st_mtime_ns
        key = (str(path), changed, status.st_size, options.stride, options.start, options.end)
        if key != session.key:
            session.key = session.clip = None
            session.clip = predictor.encode(
                str(path),
                stride=options.stride,
                start=options.start,
                end=options.end,
                progress=progress,
                cancelled=cancelled,
            )
            session.key = key

    def _write(self, result: Result, cancelled: Stop) -> Answered:
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="refatomnet-", dir=self._folder))
        stem = Path(result.video.path).stem[:60] or "clip"
        files = Answered(result, *(str(folder / f"{stem}{end}") for end in ("-annotated.mp4", ".json", ".csv")))
        try:
            result.save_video(files.video)
            public = _public(result)
            public.save_json(files.json)
            public.save_csv(files.csv)
            if cancelled():
                raise Cancelled("stopped after drawing")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return files


def split_sentences(text: str | None) -> list[str]:
    """One sentence a line, empty lines left out.

    Raises:
        SentenceError: If there is none, or more than MAX_SENTENCES.
    """
    sentences = [" ".join(line.split()) for line in (text or "").splitlines() if line.strip()]
    if not sentences:
        raise SentenceError("No sentence was given; say who to look for, for example ‘the woman in the red coat’.")
    if len(sentences) > MAX_SENTENCES:
        raise SentenceError(
            f"{len(sentences)} sentences were given, at most {MAX_SENTENCES} fit one run; ask the others afterwards."
        )
    return sentences


def check_options(options: Options) -> None:
    """Refuse what no clip could make sense of; the predictor checks the rest against the clip.

    Raises:
        OptionError: If the span is empty.
    """
    if options.start is not None and options.end is not None and options.end <= options.start:
        raise OptionError(
            f"The end ({options.end:g} s) must lie after the start ({options.start:g} s); change one or leave it empty."
        )


def explain(error: Exception) -> Failed:
    """A sentence for the user; what was not foreseen is logged whole and told in general."""
    if isinstance(error, Cancelled):
        return Failed("Stopped. Nothing was written; you can run again.", stopped=True)
    if isinstance(error, RefAtomNetError):
        text = str(error)
        return Failed(text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else "."))
    log.error("a request failed at %s", time.strftime("%H:%M:%S"), exc_info=error)
    return Failed(OUR_FAULT)


def _public(result: Result) -> Result:
    """Without the server's folders."""
    return replace(result, video=replace(result.video, path=Path(result.video.path).name))
