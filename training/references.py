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
from refatomnet.video import open_source


def look(predictor: Predictor, folder: Path, reference: dict[str, Any], *, top_k: int = 5) -> dict[str, Any]:
    """Ask about one reference at its own frame; IoU is None where the person is not in view or was not found."""
    path = folder / reference["clip"]
    source = open_source(path)
    time = source.time(reference["frame"])
    clip = predictor.encode(path, start=max(0.0, time - 0.5), end=time + 0.5)
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Print IoU and top actions for references on real clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkpoint")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    predictor = Predictor.from_pretrained(options.checkpoint, device="cpu")
    rows = [look(predictor, options.folder, entry) for entry in json.loads((options.folder / "refs.json").read_text())]
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    there = [row for row in rows if row["in_view"]]
    right = sum((row["best_box_iou"] or 0) >= 0.5 for row in there)
    silent = sum(not row["found"] for row in rows if not row["in_view"])
    sys.stdout.write(f"{right} of {len(there)} boxes right (IoU >= 0.5); ")
    sys.stdout.write(f"{silent} of {len(rows) - len(there)} absent ones not found\n")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
