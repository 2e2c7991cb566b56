"""The command line: ``python -m refatomnet predict | batch | bench | info``.

JSON goes to standard output, progress and messages to standard error. Exit codes: 0 done, 2 bad arguments or input
(one line says what to do), 1 our fault (one line; ``REFATOMNET_DEBUG=1`` shows where), 130 interrupted. Heavy
libraries are imported inside the commands, so that ``--help`` and refusals are quick.
"""

import argparse
import csv
import json
import logging
import os
import statistics
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import refatomnet
from refatomnet.errors import DataError, OptionError, RefAtomNetError, SentenceError, VideoError
from refatomnet.types import Query, Result, write_whole

if TYPE_CHECKING:
    from refatomnet.predictor import Predictor

ASSETS = Path(__file__).parents[1] / "assets"
VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv"}
SUMMARY = ("video", "sentence", "status", "found", "presence", "first_seen", "last_seen", "actions", "json", "error")
INTERRUPTED = 130
_TIMED_RUNS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; see the module's first lines."""
    try:
        options = _parser().parse_args(arguments)
        with _quiet_libraries(options.quiet):
            return int(options.run(options))
    except SystemExit as end:  # argparse, after --help or --version
        return int(end.code or 0)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone; keep Python from complaining at exit
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except RefAtomNetError as error:
        _say(f"error: {error}")
        return 2
    except Exception as error:
        if os.environ.get("REFATOMNET_DEBUG") == "1":
            traceback.print_exc()
        _say(f"refatomnet failed: {_in_words(error)}; please report it with what REFATOMNET_DEBUG=1 prints")
        return 1


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("python -m refatomnet", description="What is the described person in this video doing?")
    parser.add_argument("--version", action="version", version=f"refatomnet {refatomnet.__version__}")
    commands = parser.add_subparsers(required=True, metavar="predict | batch | bench | info")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(run=run, quiet=False)
        return made

    predict = command("predict", _predict, "Follow the described person through a video, and say what they do when.")
    predict.add_argument("video", metavar="VIDEO")
    predict.add_argument("sentences", metavar="SENTENCE", nargs="+", help="describes one person, in English")
    predict.add_argument("--video-out", metavar="OUT.mp4", type=Path, help="write the annotated video")
    predict.add_argument("--json", metavar="OUT.json", type=Path, help="write the result here, not to standard output")
    predict.add_argument("--csv", metavar="OUT.csv", type=Path, help="write the key frames in AVA's columns")
    predict.add_argument("--start", metavar="S", type=float, help="first second to look at")
    predict.add_argument("--end", metavar="S", type=float, help="last second to look at")

    batch = command("batch", _batch, "Do so for many videos; run it again to go on where it stopped.")
    batch.add_argument("source", metavar="TABLE.csv|FOLDER", type=Path, help="columns video, sentence; or videos")
    batch.add_argument("--out", metavar="DIR", type=Path, required=True, help="a JSON a video, and summary.csv")
    batch.add_argument("--sentence", metavar="S", action="append", default=[], help="asked of every video; repeatable")
    many = batch.add_mutually_exclusive_group()
    many.add_argument("--workers", metavar="N", type=int, default=1, help="processes, each with its own model")
    many.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster (not available yet)")

    bench = command("bench", _bench, "Time ourselves against bare decoding and encoding of the same file.")
    bench.add_argument("video", metavar="VIDEO", nargs="?", help="default: the first sample clip")
    bench.add_argument("--json", metavar="OUT.json", type=Path, help="write the figures here, not to standard output")

    info = command("info", _info, "Show what a checkpoint is, what it was trained on, its scores and its speed here.")
    info.add_argument("checkpoint", metavar="CHECKPOINT", nargs="?", help="name, folder or hub id")

    for made in (predict, batch):
        made.add_argument("--stride", metavar="SECONDS", type=float, default=1.0, help="between key frames (1.0)")
        made.add_argument("--top-k", metavar="N", type=int, default=5, help="actions a key frame (5)")
    for made in (predict, batch, bench):
        made.add_argument("--checkpoint", metavar="NAME|FOLDER|HUB_ID", help="default: the shipped weights")
    for made in (predict, batch, bench, info):
        made.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where the model runs")
        made.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return parser


def _predict(options: argparse.Namespace) -> int:
    from refatomnet.video import probe

    outputs = {"--video-out": options.video_out, "--json": options.json, "--csv": options.csv}
    _check_outputs({flag: path for flag, path in outputs.items() if path is not None}, options.video)
    probe(options.video)
    from refatomnet.predictor import check_options, check_question

    sentences = [_decodable(sentence) for sentence in options.sentences]
    check_question(sentences)
    check_options(stride=options.stride, top_k=options.top_k)
    with _Progress(options.quiet) as progress:
        predictor = _load(options, progress)
        clip = predictor.encode(
            options.video, stride=options.stride, start=options.start, end=options.end, progress=progress
        )
        result = predictor.ask(clip, *sentences, top_k=options.top_k, progress=progress)
        # The video first: it is the likeliest to fail, and then nothing else has been written.
        if options.video_out:
            from refatomnet.overlay import write_annotated

            write_annotated(result, options.video_out, progress=partial(progress, "Writing the annotated video"))
        if options.csv:
            result.save_csv(options.csv)
        if options.json:
            result.save_json(options.json)
    if not options.json:
        _print_json(result.to_dict())
    return 0


@dataclass(frozen=True)
class _Job:
    """A video of a batch: what to ask, what of that cannot be asked and why, and where the answer goes."""

    video: str
    sentences: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    json: Path


@dataclass(frozen=True)
class _Settings:
    """What all videos of a batch share; goes to the worker processes."""

    checkpoint: str | None
    device: str
    stride: float
    top_k: int
    threads: int | None = None


def _batch(options: argparse.Namespace) -> int:
    if options.ray is not None:
        raise OptionError("--ray is not available yet; use --workers N on one machine")
    if options.workers < 1:
        raise OptionError(f"--workers is {options.workers}; give the number of processes, 1 or more")
    if options.source.resolve() == (options.out / "summary.csv").resolve():
        raise OptionError(f"{options.source} would be overwritten by the summary; give another --out")
    asked = _read_folder(options.source) if options.source.is_dir() else _read_table(options.source)
    extra = [_decodable(sentence) for sentence in options.sentence]
    jobs = _plan({video: [*own, *extra] for video, own in asked.items()}, options.out)
    from refatomnet.checkpoint import find_checkpoint, read_config
    from refatomnet.predictor import check_options

    check_options(stride=options.stride, top_k=options.top_k)
    card = read_config(find_checkpoint(options.checkpoint))
    _make_folder(options.out)
    threads = None if options.workers == 1 else max(1, (os.cpu_count() or 1) // options.workers)
    settings = _Settings(options.checkpoint, options.device, options.stride, options.top_k, threads)
    open_jobs = [job for job in jobs if job.sentences and not _finished(job, settings, card)]
    errors: dict[str, str] = {}
    ours = False
    with _Progress(options.quiet) as progress:
        progress.line(f"{len(jobs)} videos, {len(jobs) - len(open_jobs)} of them finished already")
        try:
            answers = _answers(open_jobs, settings, options.workers, progress)
            for number, (job, outcome) in enumerate(answers, start=1):
                if isinstance(outcome, Exception):
                    ours = ours or not isinstance(outcome, RefAtomNetError)
                    errors[job.video] = _in_words(outcome)
                else:
                    outcome.save_json(job.json)
                note = f"failed: {errors[job.video]}" if job.video in errors else "done"
                progress.line(f"{number}/{len(open_jobs)} {job.video}: {note}")
        except BaseException:
            with suppress(OSError):
                options.out.rmdir()  # only when nothing has been written
            raise
        rows = [row for job in jobs for row in _summary_rows(job, errors)]
        write_whole(options.out / "summary.csv", partial(_write_summary, rows))
        failed = sum(row["status"] == "failed" for row in rows)
        progress.line(f"{len(rows) - failed} of {len(rows)} sentences answered; see {options.out / 'summary.csv'}")
    if failed == len(rows) and not ours:
        raise DataError(f"nothing could be answered, the first because: {rows[0]['error']}")
    return 1 if ours else 0


def _read_folder(folder: Path) -> dict[str, list[str]]:
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in VIDEO_SUFFIXES]
    videos = [str(path) for path in found if path.is_file() and not path.name.startswith(".")]
    if not videos:
        raise DataError(f"{folder} holds no videos ({', '.join(sorted(VIDEO_SUFFIXES))}); give another folder")
    return {video: [] for video in videos}


def _read_table(table: Path) -> dict[str, list[str]]:
    """The sentences of each video; videos are found from the table's folder."""
    asked: dict[str, list[str]] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if "video" not in (rows.fieldnames or []):
                raise DataError(f"{table} has no column 'video'; its first line must name the columns video, sentence")
            for row in rows:
                name = (row["video"] or "").strip()
                if not name:
                    raise DataError(f"{table}, line {rows.line_num}: the column video is empty; name a video file")
                sentences = asked.setdefault(str(table.parent / name), [])
                sentence = row.get("sentence")
                if sentence is not None and sentence not in sentences:
                    sentences.append(sentence)
    except FileNotFoundError as error:
        raise DataError(f"{table} does not exist; give a table (CSV) or a folder of videos") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read as a CSV table in UTF-8 ({error}); save it as such") from error
    if not asked:
        raise DataError(f"{table} has no rows; add a line a video and sentence")
    return asked


def _plan(asked: dict[str, list[str]], out: Path) -> list[_Job]:
    """One job a video; answers are named after their video, with a digest where two videos share a name."""
    from refatomnet.text import split_words

    stems = [Path(video).stem.lower() for video in asked]
    jobs = []
    for video, sentences in asked.items():
        if not sentences:
            raise OptionError("there is no sentence to ask; add --sentence 'the man in the grey shirt'")
        good, refused = [], []
        for sentence in dict.fromkeys(sentences):
            try:
                split_words(sentence)
                good.append(sentence)
            except SentenceError as error:
                refused.append((sentence, str(error)))
        stem = Path(video).stem
        if stems.count(stem.lower()) > 1:
            stem += "-" + sha256(os.fsencode(video)).hexdigest()[:8]
        job = _Job(video, tuple(good), tuple(refused), out / f"{stem}.json")
        if job.json.exists() and _stored(job) is None:
            raise DataError(f"{job.json} is there already and is no result of ours; give another --out")
        jobs.append(job)
    return jobs


def _finished(job: _Job, settings: _Settings, card: dict[str, Any]) -> bool:
    """Whether an earlier run has answered just this, with the same options, about the file as it is now."""
    result = _stored(job)
    if result is None:
        return False
    with suppress(OSError):
        if Path(job.video).stat().st_mtime > job.json.stat().st_mtime:
            return False
    keys = [key for query in result.queries for key in query.keyframes if key.found]
    return (
        result.video.path == job.video
        and tuple(query.sentence for query in result.queries) == job.sentences
        and result.stride == settings.stride
        and result.checkpoint == {name: str(card.get(name, "")) for name in result.checkpoint}
        and all(len(key.actions) == settings.top_k for key in keys)
    )


def _stored(job: _Job) -> Result | None:
    """The answer that lies in the output folder, if there is a readable one."""
    try:
        return Result.from_dict(json.loads(job.json.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RefAtomNetError):
        return None


def _answers(
    jobs: Sequence[_Job], settings: _Settings, workers: int, progress: "_Progress"
) -> Iterator[tuple[_Job, Result | Exception]]:
    """The answer to each job, or why there is none, as they come; a broken checkpoint ends it all."""
    if workers == 1 or len(jobs) < 2:
        for number, job in enumerate(jobs, start=1):
            yield job, _answer(job, settings, progress.about(f"{number}/{len(jobs)} {Path(job.video).name}"))
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        futures = {pool.submit(_answer, job, settings): job for job in jobs}
        for done, future in enumerate(as_completed(futures), start=1):
            yield futures[future], future.result()
            progress("Videos", done / len(jobs))
    except BrokenProcessPool as error:
        raise RuntimeError("a worker process died, perhaps for want of memory: use fewer --workers") from error
    finally:
        # Only the parent writes files, so that a worker can be stopped at any moment.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            if child not in others:
                child.terminate()


def _start_worker() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _hush()
    logging.getLogger("refatomnet").setLevel(logging.ERROR)


def _answer(job: _Job, settings: _Settings, progress: "Callable[[str, float], None] | None" = None) -> Any:
    """The Result, or the exception that this one video caused; other errors, such as of the checkpoint, are raised."""
    from refatomnet.video import probe

    try:
        probe(job.video)  # so that no model is loaded for a bad file
    except RefAtomNetError as error:
        return error
    from refatomnet.predictor import MAX_SENTENCES

    predictor = _worker_predictor(settings)
    try:
        clip = predictor.encode(job.video, stride=settings.stride, progress=progress)
        parts = [
            predictor.ask(clip, *job.sentences[i : i + MAX_SENTENCES], top_k=settings.top_k, progress=progress)
            for i in range(0, len(job.sentences), MAX_SENTENCES)
        ]
        return replace(parts[0], queries=tuple(query for part in parts for query in part.queries))
    except Exception as error:
        if os.environ.get("REFATOMNET_DEBUG") == "1":
            traceback.print_exc()
        return error if isinstance(error, RefAtomNetError) else RuntimeError(f"refatomnet failed: {_in_words(error)}")


@cache
def _worker_predictor(settings: _Settings) -> "Predictor":
    if settings.threads:
        import torch

        torch.set_num_threads(settings.threads)
    return _predictor(settings.checkpoint, settings.device)


def _summary_rows(job: _Job, errors: dict[str, str]) -> Iterator[dict[str, Any]]:
    result = None if job.video in errors else _stored(job)
    answered = {query.sentence: query for query in result.queries} if result else {}
    refused = dict(job.refused)
    for sentence in (*job.sentences, *refused):
        row = {"video": job.video, "sentence": sentence}
        if sentence in answered:
            yield row | _summed_up(answered[sentence]) | {"status": "done", "json": job.json.name}
        else:
            yield row | {"status": "failed", "error": refused.get(sentence) or errors.get(job.video, "not answered")}


def _summed_up(query: Query) -> dict[str, Any]:
    seen = [key.time for key in query.keyframes if key.found]
    names = dict.fromkeys(segment.action.name for segment in sorted(query.segments, key=lambda s: -s.score))
    row = {"found": str(query.found).lower(), "presence": f"{query.presence:.4f}", "actions": "; ".join(names)}
    return row | ({"first_seen": f"{seen[0]:.3f}", "last_seen": f"{seen[-1]:.3f}"} if seen else {})


def _write_summary(rows: Sequence[dict[str, Any]], part: Path) -> None:
    with part.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        table = csv.DictWriter(file, SUMMARY, restval="")
        table.writeheader()
        table.writerows(rows)


def _bench(options: argparse.Namespace) -> int:
    from refatomnet.video import probe

    path = options.video or _first_sample()
    if options.json:
        _check_outputs({"--json": options.json}, path)
    info = probe(path)
    with _Progress(options.quiet) as progress, tempfile.TemporaryDirectory() as folder:
        seconds: dict[str, float] = {}
        began = time.perf_counter()
        predictor = _load(options, progress)
        seconds["load"] = time.perf_counter() - began
        from refatomnet.overlay import write_annotated

        progress("Bare decoding and encoding", 0)
        seconds["decode"] = _timed(lambda: _bare(path))
        seconds["decode_encode"] = _timed(lambda: _bare(path, Path(folder) / "bare.mp4"))
        began = time.perf_counter()
        clip = predictor.encode(path, progress=progress)
        result = predictor.ask(clip, _sentence_of(path))
        result.save_json(Path(folder) / "result.json")
        seconds["json"] = time.perf_counter() - began
        write_annotated(result, Path(folder) / "ours.mp4", progress=partial(progress, "Writing the annotated video"))
        seconds["annotated"] = time.perf_counter() - began
        ratios = {
            "json_to_decode": seconds["json"] / seconds["decode"],
            "annotated_to_decode_encode": seconds["annotated"] / seconds["decode_encode"],
            "json_to_video_duration": seconds["json"] / info.duration,
        }
        size = f"{info.width}x{info.height}, {info.frames} frames, {info.duration:.1f} s"
        progress.line(f"{path}: {size}")
        for name, value in seconds.items():
            progress.line(f"  {name:<28}{value:8.2f} s")
        for name, value in ratios.items():
            progress.line(f"  {name:<28}{value:8.2f}")
    figures = {
        "video": {"path": str(path), "width": info.width, "height": info.height, "frames": info.frames}
        | {"fps": round(info.fps, 4), "duration": round(info.duration, 4)},
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "ratios": {name: round(value, 4) for name, value in ratios.items()},
        "checkpoint": result.checkpoint,
        "machine": _machine(predictor.device),
    }
    if options.json:
        text = json.dumps(figures, indent=1) + "\n"
        write_whole(options.json, lambda part: part.write_text(text, encoding="utf-8"))
    else:
        _print_json(figures)
    return 0


def _bare(path: str | Path, out: Path | None = None) -> None:
    """Decode a file with PyAV as fast as it goes, and encode it again with our own encoder settings if asked to."""
    import av

    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        stream.thread_type = "AUTO"

        def frames() -> Iterator[av.VideoFrame]:
            for packet in file.demux(stream):
                with suppress(av.FFmpegError):  # damaged packets are passed over
                    yield from packet.decode()

        if out is None:
            for _ in frames():
                pass
            return
        with av.open(str(out), "w", options={"movflags": "+faststart"}) as target:
            rate = stream.average_rate or Fraction(25)
            coded = target.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "21"})
            coded.width, coded.height, coded.pix_fmt = stream.width // 2 * 2, stream.height // 2 * 2, "yuv420p"
            for number, frame in enumerate(frames()):
                picture = frame.reformat(width=coded.width, height=coded.height, format="yuv420p")
                picture.pts, picture.time_base, picture.pict_type = number, 1 / rate, 0
                target.mux(coded.encode(picture))
            target.mux(coded.encode(None))


def _first_sample() -> Path:
    clips = sorted((ASSETS / "clips").glob("*.mp4"))
    if not clips:
        raise OptionError("there is no sample clip beside this installation; give a VIDEO to time")
    return clips[0]


def _sentence_of(path: str | Path) -> str:
    """The first sentence that the samples have about this clip, or one that could fit any."""
    with suppress(OSError, ValueError, KeyError):
        for line in (ASSETS / "samples.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if (ASSETS / record["clip"]).resolve() == Path(path).resolve():
                return str(record["sentence"])
    return "the person on the left"


def _info(options: argparse.Namespace) -> int:
    with _Progress(options.quiet) as progress:
        predictor = _load(options, progress)
        progress("Timing", 0)
        card = {key: value for key, value in predictor.card.items() if key != "actions"}
        shown = {**card, "parameters": _parameters(predictor), "milliseconds": _milliseconds(predictor)}
    _print_json({**shown, "machine": _machine(predictor.device)})
    return 0


def _parameters(predictor: "Predictor") -> dict[str, int]:
    """Parameters of the whole, of the part a checkpoint carries, and of the two frozen encoders."""
    parts = (predictor.model.encoder, predictor.model, predictor._text._model)
    visual, model, text = (sum(p.numel() for p in part.parameters()) for part in parts)
    trained = model - visual
    return {"total": trained + visual + text, "trained": trained, "frozen_visual": visual, "frozen_text": text}


def _milliseconds(predictor: "Predictor") -> dict[str, float]:
    """Median time to encode one clip (a window around one key frame) and to answer one more sentence about it."""
    import torch

    from refatomnet.encoders.compact import FrameFeatures
    from refatomnet.text import TextEncoder

    model, config = predictor.model, predictor.model.config
    pixels = torch.zeros(config.frames, 3, config.image_height, config.image_width, device=predictor.device)
    texts = TextEncoder()

    def encode() -> Any:
        features = model.encode_frames(pixels)
        key = slice(config.key_frame, config.key_frame + 1)
        clip = FrameFeatures(features.fine[key], features.middle[None], features.deep[None])
        return model.encode_clips(clip)[0]

    with torch.inference_mode():
        clip = encode()
        sentences = iter([f"the {n + 2}nd person from the left in a grey shirt" for n in range(_TIMED_RUNS + 1)])

        def answer() -> None:
            model(clip, texts([next(sentences)]).to(predictor.device)).presence.item()

        answer()
        times = {"clip": [_timed(encode) for _ in range(_TIMED_RUNS)]}
        times["sentence"] = [_timed(answer) for _ in range(_TIMED_RUNS)]
    return {name: round(1000 * statistics.median(values), 2) for name, values in times.items()}


def _machine(device: str) -> dict[str, Any]:
    import torch

    return {"device": device, "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _load(options: argparse.Namespace, progress: "_Progress") -> "Predictor":
    progress("Loading the model", 0)
    return _predictor(options.checkpoint, options.device)


def _predictor(checkpoint: str | None, device: str) -> "Predictor":
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return refatomnet.Predictor.from_pretrained(checkpoint, device=device)


def _check_outputs(outputs: dict[str, Path], video: str | Path) -> None:
    """See before the long work that every output can be written, and would not overwrite the input or another.

    Raises:
        VideoError: If one cannot be written.
        OptionError: If two are the same, or the annotated video has a name that is not MP4's.
    """
    taken: dict[Path, str] = {}
    for flag, path in outputs.items():
        if flag == "--video-out" and path.suffix.lower() != ".mp4":
            raise OptionError(f"{flag} is {path}, but the annotated video is an MP4; give a name that ends in .mp4")
        if path.is_dir():
            raise VideoError(f"cannot write {path}: it is a folder; give {flag} the path of a file in it")
        if path.exists() and not path.is_file():
            raise VideoError(f"cannot write {path}: it is not a regular file; give {flag} another path")
        if path.resolve() == Path(video).resolve():
            raise VideoError(f"cannot write {path}: it is the video being read; give {flag} another path")
        if (other := taken.setdefault(path.resolve(), flag)) != flag:
            raise OptionError(f"{other} and {flag} are both {path}; give each its own file")
        _check_folder(path.parent, path)


def _check_folder(folder: Path, path: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise VideoError(f"cannot write {path}: {error.strerror}; give a path in a folder you can write to") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}; give --out another path") from error
    _check_folder(folder, folder)


def _decodable(sentence: str) -> str:
    """The sentence with bytes that are not UTF-8 marked as such, so that it can be written to files."""
    return os.fsencode(sentence).decode("utf-8", "replace")


class _Progress:
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
            _say(f"{stage}: done in {now - self._began:.1f} s")
        elif part and now - self._shown >= 10:
            _say(f"{stage}: {part:.0%}")
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
            _say(text)

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._live and not self._quiet:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _Kept(logging.Handler):
    """Keeps warnings for the end, so that an error is the only line when there is one."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"warning: {record.getMessage()}")


@contextmanager
def _quiet_libraries(quiet: bool) -> Iterator[None]:
    """Keep libraries off standard error; show our own warnings after success, unless asked to be quiet."""
    ours, kept = logging.getLogger("refatomnet"), _Kept()
    passed_on = ours.propagate
    ours.addHandler(kept)
    ours.propagate = False
    try:
        with warnings.catch_warnings():
            _hush()
            yield
        for line in () if quiet else dict.fromkeys(kept.lines):
            _say(line)
    finally:
        ours.removeHandler(kept)
        ours.propagate = passed_on


def _hush() -> None:
    if os.environ.get("REFATOMNET_DEBUG") != "1":
        warnings.simplefilter("ignore")
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _print_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, indent=1) + "\n")
    sys.stdout.flush()


def _in_words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, RefAtomNetError) else f"{type(error).__name__}: {text}"


def _say(text: str) -> None:
    """One line on standard error, whatever it holds."""
    sys.stderr.write("".join(letter if letter.isprintable() else " " for letter in text) + "\n")
