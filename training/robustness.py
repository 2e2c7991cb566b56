"""How much of a checkpoint's scores is left on spoilt clips, in a mirror, and for sentences in other words.

From the command line:

    python -m training.robustness --data DIR [--split test] [--checkpoint C] [--corruptions NAME …] [--levels L …]
        [--limit N] [--json OUT.json]

A row is a whole evaluation of the same clips: as they are, spoilt by every corruption at every level, mirrored
together with boxes and sentences, and asked in other words where DIR has a split for that. Beside every score stands
its difference to the clips as they are. Of the mirror, both sides leave out the sentences that cannot be mirrored.
Rows are printed, and the file written anew, as they come: what is finished is kept. Under ``accelerate launch`` the
clips are shared among the processes.
"""

import argparse
import dataclasses
import json
import logging
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from refatomnet.checkpoint import SHIPPED, load_checkpoint
from refatomnet.errors import DataError, OptionError
from refatomnet.model import RavarModel
from refatomnet.records import Record
from refatomnet.refava import read_split
from refatomnet.text import build_text_encoder
from training.arguments import Parser, run
from training.data.clips import Change
from training.data.corruptions import CORRUPTIONS, LEVELS, Corruption
from training.data.mirror import mirror_image, mirror_record
from training.data.records import PARAPHRASE, write_text
from training.evaluate import Answers, ask_all, processes, questions_from_videos, score, truth, without_nan
from training.metrics import bootstrap, box_ious

SHOWN = {"acc_iou50": "Acc@0.5", "miou": "mIoU", "map_macro": "macro mAP", "presence_auroc": "presence"}
Ask = Callable[[list[Record], Callable[[Record], Change] | None], Answers]


def first_clips(records: list[Record], limit: int | None) -> list[Record]:
    """The records of the first so many clips, or all."""
    kept = set(list(dict.fromkeys(record.source for record in records))[:limit])
    return [record for record in records if record.source in kept]


def in_other_words(data: Path, split: str, records: list[Record]) -> list[Record] | None:
    """The records about the same clips in other words; None where the data set has none of them."""
    sources = {record.source for record in records}
    try:
        other = read_split(data, split + PARAPHRASE)
    except DataError:
        if (data / f"{split}{PARAPHRASE}.jsonl").exists():
            raise
        return None
    return [record for record in other if record.source in sources] or None


def rows(
    ask: Ask, records: list[Record], paraphrased: list[Record] | None, corruptions: list[Corruption]
) -> Iterator[dict[str, Any]]:
    """The table, row by row: what was done, the number of records, scores, and what they lost (``drop``) against clean.

    Args:
        ask: From records, and what is done to a clip's frames, to answers; every clip's records in the order given.
        records: As they are.
        paraphrased: About the same clips in other words; no such row if None.
        corruptions: A row each.
    """
    clean = ask(records, None)
    yield row("clean", clean, None)
    for corruption in corruptions:
        yield row(f"{corruption.name}:{corruption.level}", ask(records, corruption.of), clean)
    turned = [mirror_record(record) for record in records]
    if kept := [record for record in turned if record is not None]:
        can = {(record.source, record.sentence) for record, other in zip(records, turned, strict=True) if other}
        places = [i for i, record in enumerate(clean.records) if (record.source, record.sentence) in can]
        yield row("mirrored", ask(kept, lambda record: lambda image, index: mirror_image(image)), part(clean, places))
    if paraphrased:
        yield row("paraphrased", ask(paraphrased, None), clean)


def row(name: str, answers: Answers, clean: Answers | None) -> dict[str, Any]:
    """One row; the 95 % interval of the drop in accuracy comes from drawing the same clips on both sides."""
    scores = score(answers)
    found = {"name": name, "records": len(answers.records), **{key: scores[key] for key in SHOWN}}
    if clean is None:
        return found
    before = score(clean)
    return found | {
        "drop": {key: before[key] - scores[key] for key in SHOWN},
        "drop_ci95": _interval_of_drop(clean, answers),
    }


def _interval_of_drop(clean: Answers, answers: Answers) -> list[float]:
    both = [_hits(side) for side in (clean, answers)]
    clips = sorted(set(both[0]) & set(both[1]))
    if not clips:
        return [float("nan")] * 2

    def drop(drawn: np.ndarray) -> dict[str, float]:
        a, b = (np.concatenate([side[clips[i]] for i in drawn]) for side in both)
        return {"acc_iou50": float(a.mean() - b.mean())}

    return bootstrap(drop, np.arange(len(clips)), times=1000)["acc_iou50"]


def _hits(answers: Answers) -> dict[str, np.ndarray]:
    """Of every clip with somebody described, whether each of those is boxed right."""
    present, boxes, _ = truth(answers.records)
    right = box_ious(answers.boxes["own"], boxes) >= 0.5
    by_clip: dict[str, list[bool]] = {}
    for i in np.flatnonzero(present):
        by_clip.setdefault(answers.records[i].source, []).append(bool(right[i]))
    return {clip: np.array(hits) for clip, hits in by_clip.items()}


def part(answers: Answers, places: list[int]) -> Answers:
    """The answers about some of the records."""
    kept = {
        name: {variant: values[places] for variant, values in getattr(answers, name).items()}
        for name in ("boxes", "actions", "presence", "frames")
    }
    return dataclasses.replace(
        answers, records=[answers.records[i] for i in places], clips=answers.clips[places], **kept
    )


def line(entry: dict[str, Any]) -> str:
    """A row of the printed table: each score in per cent, and in brackets its difference to clean."""
    cells = [f"{entry['name']:<15}{entry['records']:>7}"]
    for key in SHOWN:
        gain = f"({-100 * entry['drop'][key]:+.1f})" if "drop" in entry else ""
        cells.append(f"{100 * entry[key]:>6.1f} {gain:<8}")
    low, high = (-100 * value for value in entry["drop_ci95"][::-1]) if "drop" in entry else (0, 0)
    return " ".join([*cells, f"{low:+.1f} to {high:+.1f}" if "drop" in entry else ""]).rstrip()


HEAD = f"{'':<15}{'records':>7} " + " ".join(f"{title:<15}" for title in SHOWN.values()) + " Acc@0.5, 95 %"


def table(options: argparse.Namespace) -> int:
    if options.limit is not None and options.limit < 1:
        raise OptionError(f"--limit must be at least 1, got {options.limit}")
    records = first_clips(read_split(options.data, options.split), options.limit)
    if not any(record.box_xyxy for record in records):
        raise DataError(f"no record of {options.split!r} in {options.data} is about somebody; nothing to measure")
    model, config = load_checkpoint(options.checkpoint)
    model.to(processes().device)
    first = processes().is_main_process
    chosen = [Corruption(name, level) for name in options.corruptions for level in options.levels]
    result: dict[str, Any] = {
        "checkpoint": config.get("name", str(options.checkpoint)),
        "data": f"{options.data.resolve().name}/{options.split}",
        "clips": len({record.source for record in records}),
        "command": f"python -m training.robustness {shlex.join(sys.argv[1:])}",
        "rows": [],
    }
    ask = asker(model, options.data)
    if first:
        print(HEAD, flush=True)
    for entry in rows(ask, records, in_other_words(options.data, options.split, records), chosen):
        if not first:
            continue
        print(line(entry), flush=True)
        result["rows"].append(entry)
        if options.json:
            write_text(options.json, json.dumps(without_nan(result), indent=1) + "\n")
    return 0


def asker(model: RavarModel, data: Path) -> Ask:
    """A model asked about the clips of a data set; sentences are embedded once."""
    embed = build_text_encoder(model.config)

    def ask(records: list[Record], change: Callable[[Record], Change] | None) -> Answers:
        sentences = {"own": [record.sentence for record in records]}
        return ask_all(model, questions_from_videos(model, data, records, sentences, change), embed)

    return ask


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.robustness", description="Measure a checkpoint on spoilt and mirrored clips.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--checkpoint", default=SHIPPED)
    parser.add_argument(
        "--corruptions", nargs="+", default=list(CORRUPTIONS), metavar="NAME", help=", ".join(CORRUPTIONS)
    )
    parser.add_argument("--levels", nargs="+", type=int, default=list(LEVELS), metavar="LEVEL", help="from 1 to 5")
    parser.add_argument("--limit", type=int, help="only the first so many clips")
    parser.add_argument("--json", type=Path)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run(parser, table, arguments)


if __name__ == "__main__":
    sys.exit(main())
