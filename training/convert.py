"""Turn real annotations into our records: RefAVA's and RefAVA++'s pickles, or AVA's table with one of sentences.

    python -m training.convert SOURCE --out DIR [--split train] [--frames FOLDER]
    python -m training.convert SOURCE --out DIR --split train --ava ava_train_v2.2.csv --sentences sentences.csv

SOURCE holds ``{split}_{keyframe,label,description}.pkl``, where there is no table, and the films' frames, 30 a second
and numbered from second 900, as ``frames/<video>/image_%06d.jpg``, unless these are in FOLDER. Whoever cannot be used,
or has frames missing, is kept out; report.json says why. DIR has a link to the frames, which are too many to copy.
"""

import argparse
import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from refatomnet.actions import ACTIONS
from refatomnet.errors import DataError, OptionError
from refatomnet.records import Record
from refatomnet.refava import NO_FILM, PARTS, Films, Report, read_refava
from training.arguments import Parser, run
from training.data.ava import read_ava
from training.data.records import read_object, sweep, write_records, write_text
from training.data.statistics import box_numbers, gather, quantiles

SPLITS = ("train", "val", "test")
EXAMPLES = 5  # of keys that a reason was given for
NO_BOX = np.zeros((0, 4))
MAKER = "training.convert"

CARD = """# Described people of films

Each record is a sentence about one person of a film, that person's box on the key frame, and AVA action labels. Made by
`python -m training.convert` from annotations published elsewhere: they stay their makers', and the films may not be
passed on.

{table}

People whose annotations cannot be used, or whose frames are missing, are kept out. `report.json` gives every reason,
with numbers and examples, and names the films without frames.

## Form
`{{split}}.jsonl`: a JSON line a sentence: video, timestamp (second of the film), person_id, split, sentence, actions
(AVA ids, 1 to 80), box_xyxy (fractions of the key frame), key_frame (45), fps (30). `frames/<video>/image_%06d.jpg`
are 30 frames a second, numbered from second 900; the clip of second t is the 90 from (t − 900) · 30 − 45. `frames` may
be a link to the folder they lie in: they were not copied, and are gone when that folder moves.

```
python -m training.evaluate --data DIR --split {split}
```
Every sentence fits somebody in view: how well a model tells that it fits nobody cannot be measured here.

## Labels
People with each label.

{labels}

## Boxes
In fractions of the frame; 5 %, 25 %, median, 75 % and 95 %.

{boxes}
"""


# ---- what was found -----------------------------------------------------------------------------------------------
def account(records: list[Record], report: Report) -> dict[str, Any]:
    """What a split holds and what was kept out of it, as JSON."""
    found = gather(records)
    return {
        "films": len({record.video for record in records}),
        "clips": found.clips,
        "people": found.people,
        "sentences": found.sentences,
        "boxes": report.boxes,
        "box_numbers": {name: quantiles(values) for name, values in box_numbers(found.boxes).items()},
        "people_without_a_sentence": report.unasked,
        "refused": sum(map(len, report.refused.values())),
        "refused_because": [
            {"reason": _shown(reason), "number": len(keys), "such_as": [_shown(key) for key in keys[:EXAMPLES]]}
            for reason, keys in sorted(report.refused.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
        "films_without_frames": sorted({key.rsplit("___", 2)[0] for key in report.refused.get(NO_FILM, ())}),
        "labels": {str(a.id): found.labels[a.id] for a in ACTIONS},
    }


def _shown(text: str) -> str:
    """What a file says, fit for a line of any terminal."""
    plain = ascii(text)[1:-1]
    return plain if len(plain) <= 120 else f"{plain[:117]}..."


def told(split: str, entry: dict[str, Any]) -> str:
    """The account of a split as lines of text."""
    first = (
        f"{split}: {entry['people']} people in {entry['clips']} clips of {entry['films']} films, "
        f"{entry['sentences']} sentences, boxes in {entry['boxes']}; {entry['refused']} refused"
    )
    more = [f"{r['number']:>8}  {r['reason']}, such as {', '.join(r['such_as'][:3])}" for r in entry["refused_because"]]
    if films := entry["films_without_frames"]:
        more.append(f"{len(films):>8}  films have no frames; report.json names them")
    if entry["people_without_a_sentence"]:
        more.append(f"{entry['people_without_a_sentence']:>8}  people of AVA's table have no sentence")
    return "\n".join([first, *more])


def histogram(splits: dict[str, dict[str, Any]]) -> list[list[str]]:
    """Rows of id, action and people by split, the most frequent label first; those of nobody are left out."""
    counts = {a: [entry["labels"][str(a.id)] for entry in splits.values()] for a in ACTIONS}
    order = sorted((a for a in ACTIONS if any(counts[a])), key=lambda a: (-sum(counts[a]), a.id))
    return [["id", "action", *splits], *([str(a.id), a.name, *map(str, counts[a])] for a in order)]


def card(splits: dict[str, dict[str, Any]]) -> str:
    """The folder's README.md."""
    columns = ("films", "clips", "people", "sentences", "refused")
    table = [[name, *(str(entry[column]) for column in columns)] for name, entry in splits.items()]
    numbers = [[name, *(entry["box_numbers"][name] for entry in splits.values())] for name in box_numbers(NO_BOX)]
    return CARD.format(
        table=_markdown([["split", *columns], *table]),
        split=list(splits)[-1],
        labels=_markdown(histogram(splits)),
        boxes=_markdown([["", *splits], *numbers]),
    )


def _markdown(rows: list[list[str]]) -> str:
    rule = ["---"] * len(rows[0])
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


# ---- the folder ---------------------------------------------------------------------------------------------------
def earlier(out: Path) -> dict[str, dict[str, Any]]:
    """The accounts of splits that were converted into this folder before.

    Raises:
        DataError: If the folder holds a data set of other making, which is not to be written over.
    """
    path = out / "report.json"
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is no folder; expected one to write to, or a name that is free")
    if not path.exists():
        there = [name for name in (*(f"{split}.jsonl" for split in SPLITS), "README.md") if (out / name).exists()]
        if there:
            raise DataError(f"{out} holds {', '.join(there)} that {MAKER} did not write; give another folder by --out")
        return {}
    found = read_object(path)
    try:
        if found["made_by"] != MAKER:
            raise DataError(f"{path} is not of {MAKER}; give another folder by --out")
        splits = {split: entry for split, entry in found["splits"].items() if (out / f"{split}.jsonl").exists()}
        card(splits or {"": account([], Report())})  # shows that it has what the next card needs
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not as {MAKER} writes it; delete it and the records beside it") from error
    return splits


def check_frames(out: Path, frames: Path) -> None:
    """See that the frames can be those of this folder.

    Raises:
        DataError: If they are not there, or the folder has others.
    """
    if not frames.is_dir():
        raise DataError(f"{frames} is no folder; expected the films' frames, <video>/image_000015.jpg and so on")
    link = out / "frames"
    if (link.exists() or link.is_symlink()) and os.path.realpath(link) != os.path.realpath(frames):
        raise DataError(f"{link} is neither {frames} nor a link to it; remove it, or give another folder by --out")


def write_folder(
    out: Path, records: dict[str, list[Record]], report: dict[str, Any], splits: dict[str, Any], frames: Path
) -> None:
    """Write records, report and card; all are whole before the first takes its place.

    Raises:
        DataError: If the frames cannot be linked.
    """
    out.mkdir(parents=True, exist_ok=True)
    sweep(out)
    stage = out / f".{MAKER}.{os.getpid()}.partial"
    shutil.rmtree(stage, ignore_errors=True)  # of an earlier process of this number
    try:
        # The report comes first: it tells an interrupted run's folder from one of other making.
        write_text(stage / "report.json", json.dumps(report, indent=1, allow_nan=False) + "\n")
        write_text(stage / "README.md", card(splits))
        for split, lines in records.items():
            write_records(stage / f"{split}.jsonl", lines)
        link_frames(out, frames)
        for name in ("report.json", "README.md", *(f"{split}.jsonl" for split in records)):
            (stage / name).replace(out / name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def link_frames(out: Path, frames: Path) -> None:
    """Refer to the frames, which are too many to be copied unasked.

    Raises:
        DataError: If the file system has no links.
    """
    link = out / "frames"
    if link.exists():  # and leads there, as was seen before
        return
    try:
        link.symlink_to(frames.resolve(), target_is_directory=True)
    except OSError as error:
        raise DataError(
            f"{link} cannot be a link to {frames} ({error.strerror}); move the frames there, and say --frames {link}"
        ) from error


# ---- command ------------------------------------------------------------------------------------------------------
def convert(options: argparse.Namespace) -> int:
    source, out = options.source, options.out
    frames = options.frames or source / "frames"
    if not source.is_dir():
        raise DataError(f"{source} is no folder; expected one with the annotations' pickles or the films' frames")
    splits = earlier(out)
    check_frames(out, frames)
    records: dict[str, list[Record]] = {}
    for split in chosen(options):
        report = Report()
        if options.ava:
            records[split] = read_ava(options.ava, options.sentences, split, report, Films(frames))
        else:
            records[split] = read_refava(source, split, report, Films(frames))
        splits[split] = account(records[split], report)
        print(told(split, splits[split]))
    if not any(records.values()):
        raise DataError(f"nothing of {', '.join(records)} can be used, so nothing was written; the reasons are above")
    splits = {split: splits[split] for split in SPLITS if split in splits}
    report_json = {"made_by": MAKER, "command": options.command, "splits": splits}
    write_folder(out, records, report_json, splits, frames)
    print("\npeople by label:")
    for number, name, *counts in histogram(splits):
        print(f"{number:>4}  {name:<48}" + "".join(f"{count:>8}" for count in counts))
    print(f"\nwritten to {out}: {', '.join(f'{split}.jsonl' for split in records)}, README.md, report.json")
    print(f"frames are those of {frames.resolve()}, which must stay there; none was copied")
    return 0


def chosen(options: argparse.Namespace) -> list[str]:
    """The splits to convert: the one asked for, or all of which there are pickles.

    Raises:
        OptionError: If the options do not belong together.
        DataError: If there is nothing to convert.
    """
    if bool(options.ava) != bool(options.sentences):
        raise OptionError("--ava and --sentences belong together: AVA's table and the sentences about its people")
    if options.ava and not options.split:
        raise OptionError("--ava needs --split: whether its people are train, val or test")
    if options.split:
        return [options.split]
    found = [split for split in SPLITS if any((options.source / f"{split}_{part}.pkl").exists() for part in PARTS)]
    if not found:
        raise DataError(
            f"{options.source} has no {{{','.join(SPLITS)}}}_{{{','.join(PARTS)}}}.pkl; expected RefAVA's pickles, or "
            "AVA's table by --ava"
        )
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.convert", description="Turn RefAVA's pickles or AVA's table into our records.")
    parser.add_argument("source", type=Path, metavar="SOURCE", help="folder of the pickles and of frames/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the records; other splits in it stay")
    parser.add_argument("--split", choices=SPLITS, help="only this; without it, all of which there are pickles")
    parser.add_argument("--frames", type=Path, help="folder of a folder of frames for each film; SOURCE/frames without")
    parser.add_argument("--ava", type=Path, help="AVA's table, in place of pickles, such as ava_train_v2.2.csv")
    parser.add_argument("--sentences", type=Path, help="CSV with a header: video,timestamp,person_id,sentence")
    given = sys.argv[1:] if arguments is None else arguments
    parser.set_defaults(command=f"python -m training.convert {shlex.join(given)}")
    return run(parser, convert, arguments)


if __name__ == "__main__":
    sys.exit(main())
