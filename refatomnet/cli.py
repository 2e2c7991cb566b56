"""The command line: ``python -m refatomnet predict | batch | bench | info``.

JSON goes to standard output, progress and messages to standard error. Exit codes: 0 done, 2 bad arguments or input
(one line says what to do), 1 our fault (one line; ``REFATOMNET_DEBUG=1`` shows where), 130 interrupted. Heavy
libraries are imported inside the commands, so that ``--help`` and refusals are quick.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

import refatomnet
from refatomnet.console import (
    Progress,
    check_folder,
    debugging,
    in_words,
    load_predictor,
    print_json,
    quiet_libraries,
    say,
)
from refatomnet.errors import OptionError, RefAtomNetError, VideoError
from refatomnet.types import write_whole

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; see the module's first lines."""
    try:
        options = _parser().parse_args(arguments)
        with quiet_libraries(options.quiet):
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
        say(f"error: {error}")
        return 2
    except Exception as error:
        if debugging():
            traceback.print_exc()
        say(f"refatomnet failed: {in_words(error)}; please report it with what REFATOMNET_DEBUG=1 prints")
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
    many.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster: local, auto or HOST:PORT")

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
    with Progress(options.quiet) as progress:
        predictor = load_predictor(options.checkpoint, options.device, progress)
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
        print_json(result.to_dict())
    return 0


def _batch(options: argparse.Namespace) -> int:
    from refatomnet.batch import Settings, run_batch
    from refatomnet.downloads import fetch

    if options.workers < 1:
        raise OptionError(f"--workers is {options.workers}; give the number of processes, 1 or more")
    if options.source.resolve() == (options.out / "summary.csv").resolve():
        raise OptionError(f"{options.source} would be overwritten by the summary; give another --out")
    sentences = [_decodable(sentence) for sentence in options.sentence]
    settings = Settings(options.checkpoint, options.device, options.stride, options.top_k)
    with Progress(options.quiet) as progress:
        fetch(options.checkpoint, progress)  # once, not by every worker
        return run_batch(
            options.source,
            options.out,
            settings,
            sentences=sentences,
            workers=options.workers,
            ray=options.ray,
            progress=progress,
        )


def _bench(options: argparse.Namespace) -> int:
    from refatomnet.bench import first_sample, time_video

    path = options.video or first_sample()
    if options.json:
        _check_outputs({"--json": options.json}, path)
    with Progress(options.quiet) as progress:
        figures = time_video(path, checkpoint=options.checkpoint, device=options.device, progress=progress)
    if options.json:
        text = json.dumps(figures, indent=1) + "\n"
        write_whole(options.json, lambda part: part.write_text(text, encoding="utf-8"))
    else:
        print_json(figures)
    return 0


def _info(options: argparse.Namespace) -> int:
    from refatomnet.bench import machine, milliseconds, parameters
    from refatomnet.downloads import fetch, in_words, is_here, public_models

    with Progress(options.quiet) as progress:
        fetch(options.checkpoint, progress, public=False)
        if lacking := [need for need in public_models(options.checkpoint) if not is_here(need)]:
            from refatomnet.predictor import read_card

            card, measured = read_card(options.checkpoint, local_files_only=True), {}
            progress.line(f"size and speed are not told: they need {in_words(lacking)}, which predict fetches")
        else:
            predictor = load_predictor(options.checkpoint, options.device, progress)
            progress("Timing", 0)
            card, measured = predictor.card, {"parameters": parameters(predictor)}
            measured |= {"milliseconds": milliseconds(predictor), "machine": machine(predictor.device)}
    print_json({**{key: value for key, value in card.items() if key != "actions"}, **measured})
    return 0


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
        check_folder(path.parent, path)


def _decodable(sentence: str) -> str:
    """The sentence with bytes that are not UTF-8 marked as such, so that it can be written to files."""
    return os.fsencode(sentence).decode("utf-8", "replace")
