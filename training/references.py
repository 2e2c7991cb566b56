"""Look at a checkpoint on a few real clips with boxes drawn by eye.

    python -m training.references FOLDER [--checkpoint C] [--json OUT.json]

FOLDER holds videos and ``refs.json``: a list of {"clip", "frame", "description", "box_xyxy": fractions or null,
"actions": names}. Too few to rank anything by; printed as they are.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from refatomnet import Predictor
from refatomnet.boxes import iou
from refatomnet.errors import DataError
from refatomnet.video import open_source, window
from training.arguments import Parser, run
from training.data.records import write_text


def look(predictor: Predictor, folder: Path, reference: dict[str, Any], *, top_k: int = 5) -> dict[str, Any]:
    """Ask about one reference at its own frame.

    The IoU is of the best candidate, found or not; None where the person is not in view or nobody is detected.
    """
    path, frame = folder / reference["clip"], reference["frame"]
    source = open_source(path)
    if not 0 <= frame < source.info.frames:
        raise ValueError(f"{reference['clip']} has no frame {frame}, but {source.info.frames}")
    start, end = window(source.time(frame), source.info.duration, 1.0)
    clip = predictor.encode(path, start=start, end=end)
    key = predictor.ask(clip, reference["description"], top_k=top_k).queries[0].keyframes[0]
    scale = torch.tensor([source.info.width, source.info.height] * 2)
    best = key.candidates[0].box_xyxy if key.candidates else None
    truth = reference["box_xyxy"]
    overlap = None
    if truth is not None and best is not None:
        overlap = round(float(iou(torch.tensor(best) / scale, torch.tensor(truth))), 3)
    return {
        **{name: reference[name] for name in ("clip", "frame", "description")},
        "in_view": truth is not None,
        "found": key.found,
        "presence": round(key.presence, 3),
        "best_box_iou": overlap,
        "true_actions": reference["actions"],
        "top_actions": {entry.action.name: round(entry.score, 2) for entry in key.actions},
    }


def references(options: argparse.Namespace) -> int:
    """Ask about every reference of a folder, and print what came of it.

    Raises:
        DataError: If refs.json is not what it should be.
    """
    path = options.folder / "refs.json"
    given = path.read_text(encoding="utf-8")
    predictor = Predictor.from_pretrained(options.checkpoint, device="cpu")
    try:
        rows = [look(predictor, options.folder, entry) for entry in json.loads(given)]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no list of references ({error!r}); training/references.py tells its form"
        ) from error
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    there = [row for row in rows if row["in_view"]]
    right = sum((row["best_box_iou"] or 0) >= 0.5 for row in there)
    silent = sum(not row["found"] for row in rows if not row["in_view"])
    sys.stdout.write(f"{right} of {len(there)} boxes right (IoU >= 0.5); ")
    sys.stdout.write(f"{silent} of {len(rows) - len(there)} absent ones not found\n")
    if options.json:
        write_text(options.json, json.dumps(rows, indent=1) + "\n")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.references", description="Print IoU and top actions for references on clips.")
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path,
        help="videos and refs.json, whose form the first lines of this file tell",
    )  # fmt: skip
    parser.add_argument("--checkpoint", metavar="NAME|FOLDER|HUB_ID", help="default: the shipped weights")
    parser.add_argument("--json", metavar="OUT.json", type=Path)
    return run(parser, references, arguments)


if __name__ == "__main__":
    sys.exit(main())
