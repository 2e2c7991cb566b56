"""Write what was measured of a trained checkpoint into it, with its model card, and the README's scores from the same.

    python -m training.card RUN [--readme README.md]

RUN is the folder of a training run. In it lie what ``training.train`` left and what was measured of RUN/best since:
test.json and, where they are, test_paraphrase.json (``training.evaluate``, test with --controls), robustness.json,
following.json and references.json (the commands of these names, all with --json). RUN/best gets their figures into its
config.json, a picture of its worst misses, whose clips are read from the data folder that test.json was measured on,
and its README.md, the model card. Run again, it writes the same.
"""

import argparse
import json
import logging
import shlex
import sys
import textwrap
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from refatomnet.card import (
    PICTURE,
    SETTINGS,
    SPLITS,
    Part,
    best_and_worst,
    following,
    learnt_from,
    parts_markdown,
    references,
    scores,
)
from refatomnet.checkpoint import SHIPPED, config_text, load_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.downloads import weights_sha256
from refatomnet.errors import DataError
from refatomnet.records import record_from_dict
from training.arguments import Parser, run
from training.data.card import form_option
from training.data.clips import read_model_frames
from training.data.records import read_object, scenes_path, write_text
from training.evaluate import SCORES

FILES = {"val": "evaluation.json", "test": "test.json", "test_paraphrase": "test_paraphrase.json"}
# What a card keeps of an evaluation; what is told of every action and of the controls, of test alone.
KEPT = ("records", "present", *SCORES, "map_macro_20", "frame_map50", "ece", "presence_accuracy", "ci95", "data")
KEPT_OF_TEST = ("by_kind", "controls", "per_class")
BEGIN = "<!-- From here to the end mark the text is written by `python -m training.card`. -->"
END = "<!-- The end of what training.card writes. -->"
CELL, COLUMNS, LETTERS, LINE, GAP = (320, 240), 3, 44, 19, 8
MOST_BYTES = 150_000
MEANT, BOXED = "white", "#ff9a2e"
KEY_FRAME = ModelConfig(frames=1, key_frame=0)

_LOG = logging.getLogger(__name__)


# ---- what a run left ----------------------------------------------------------------------------------------------
def measured(folder: Path) -> dict[str, Any]:
    """What the files in a run's folder say of its best checkpoint, as a checkpoint's config holds it.

    Raises:
        DataError: If test.json is missing, a file is damaged, or one is of other weights than RUN/best has now.
    """
    if not (folder / FILES["test"]).is_file():
        how = f"--data DATA --split test --checkpoint {folder / 'best'} --controls --json {folder / FILES['test']}"
        raise DataError(f"{folder} has no {FILES['test']}; make it by python -m training.evaluate {how}")
    weights = weights_sha256(folder / "best")
    found: dict[str, Any] = {"scores": {}}
    for split in SPLITS:
        path = folder / FILES[split]
        if not path.is_file():
            continue
        told = read_object(path)
        if told.get("weights", weights) != weights:
            raise DataError(f"{path} was measured on other weights than those in {folder / 'best'}; measure again")
        data = _data_folder(told, path)
        kept = {key: told[key] for key in (*KEPT, *(KEPT_OF_TEST if split == "test" else ())) if key in told}
        commands = [*made_by(data, split), plain(told["command"])]
        found["scores"][split] = _rounded(kept) | {"commands": commands}
        if split == "test":
            for entry in found["scores"][split].get("per_class", {}).values():
                entry.pop("name")  # which the number says
            found["look_alikes"] = _rounded(told.get("look_alikes", []))
            keys = ("sentence", "presence", "iou")
            found["misses"] = [_rounded({key: miss[key] for key in keys}) for miss in told.get("misses", [])]
    for name, summarise in (("robustness", _robustness), ("following", _following), ("references", _references)):
        path = folder / f"{name}.json"
        if path.is_file():
            try:
                found[name] = _rounded(summarise(json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(f"{path} is damaged ({error}); measure again") from error
    return found


def _data_folder(told: dict[str, Any], path: Path) -> Path:
    words = shlex.split(str(told.get("command", "")).replace("--data=", "--data "))
    if "--data" not in words[:-1]:
        raise DataError(f"{path} names no --data in its command; measure again")
    return Path(words[words.index("--data") + 1])


def _robustness(told: Any) -> dict[str, Any]:
    rows = [{key: value for key, value in row.items() if key != "drop"} for row in told["rows"]]
    return {"clips": told["clips"], "rows": rows, "commands": [plain(told["command"])]}


def _following(told: Any) -> dict[str, Any]:
    rows = {name: {key: told[name]["all"][key] for key in ("clips", "iou", "switched")} for name in ("asked", "given")}
    return rows | {"commands": [plain(told["command"])]}


def _references(rows: Any) -> dict[str, Any]:
    there, absent = ([row for row in rows if row["in_view"] is seen] for seen in (True, False))
    right = [row for row in there if (row["best_box_iou"] or 0) >= 0.5]
    return {
        "clips": len({row["clip"] for row in rows}),
        "in_view": len(there),
        "right": len(right),
        "announced": sum(row["found"] for row in right),
        "absent": len(absent),
        "silent": sum(not row["found"] for row in absent),
        "commands": ["python -m training.references FOLDER"],
    }


def history(folder: Path) -> list[Path]:
    """This run and the runs it began with, oldest first, as far as their folders are there."""
    start = read_object(folder / "config.json").get("start")
    before = Path(start).expanduser().parent if start and Path(start).expanduser().is_dir() else None
    known = before is not None and (before / "events").is_dir() and (before / "config.json").is_file()
    return [*(history(before) if known and before else []), folder]


def recipe(folder: Path) -> dict[str, Any]:
    """How the checkpoint of a run came to be: every run's settings and hours, and what made their data.

    Of runs whose folders are gone the checkpoint's own card tells, if the oldest one began with a folder that has one.
    """
    parts = history(folder)
    start = read_object(parts[0] / "config.json").get("start")
    begun = Path(start).expanduser() / "config.json" if start else None
    before = read_object(begun).get("training", {}) if begun and begun.is_file() else {}
    runs, commands = list(before.get("runs", [])), list(before.get("commands", []))
    for number, part in enumerate(parts, start=len(runs) + 1):
        settings, card = read_object(part / "config.json"), read_object(part / "best" / "config.json")
        start = settings.get("start")
        named = "the shipped weights of before" if start == SHIPPED else Path(str(start)).name
        steps = card.get("training", {}).get("steps")
        clips, stills = (card.get("data", {}).get(name) or None if steps else None for name in ("clips", "stills"))
        known = settings | {
            "began_with": f"run {number - 1}" if number > 1 else named if start else "nothing",
            "averaged": 1 + len(settings["average"].split()) if settings.get("average") else None,
            "clips": clips,
            "stills": stills,
            "steps": steps,
            "hours": round(hours(part), 2),
        }
        runs.append({key: known[key] for key in SETTINGS if known.get(key) is not None})
        for name, key, used in (("STILLS", "stills", stills), ("DATA", "data", clips)):
            if used and settings.get(key):
                commands += made_by(Path(settings[key]).expanduser(), "train", name)
    spent = round(sum(entry["hours"] for entry in runs), 2)
    return {"hours": spent, "runs": runs, "commands": list(dict.fromkeys(commands))}


def hours(folder: Path) -> float:
    """Hours a run trained, val included, over all its sittings: each has an event file, from its first to its last."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    spent = 0.0
    for path in sorted((folder / "events").glob("*tfevents*")):
        times = [event.wall_time for event in EventFileLoader(str(path)).Load()]
        spent += times[-1] - times[0] if times else 0.0
    return spent / 3600


def made_by(data: Path, split: str, name: str = "DATA") -> list[str]:
    """The command that makes a split of ours, if the folder still knows; the paraphrases come with their split."""
    note, scenes = data / ".parts" / split / "run.json", scenes_path(data, split)
    if not note.is_file() or not scenes.is_file():
        return []
    how = read_object(note)
    with scenes.open("rb") as file:
        clips = sum(1 for _ in file)
    form = form_option(how)
    size = f" --size {how['size'][0]}x{how['size'][1]}" if how.get("size") else ""
    labels = "" if how.get("labels", "balanced") == "balanced" else f" --labels {how['labels']}"
    return [
        f"python -m training.generate --out {name}{form} --split {split} --clips {clips} --seed {how['seed']}"
        f"{size}{labels}"
    ]


def plain(command: str) -> str:
    """A command as others may run it: without the output file, and with names in place of this machine's paths."""
    words = iter(word for text in shlex.split(command) for word in text.split("=", 1 if text.startswith("--") else 0))
    kept = []
    for word in words:
        if word in ("--json", "--checkpoint"):
            next(words, "")
            kept += ["--checkpoint", "CHECKPOINT"] if word == "--checkpoint" else []
        elif word == "--data":
            next(words, "")
            kept += [word, "DATA"]
        else:
            kept.append("FOLDER" if "/" in word else word)
    return shlex.join(kept)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


# ---- the picture --------------------------------------------------------------------------------------------------
def sheet(data: Path, misses: list[dict[str, Any]]) -> bytes:
    """The key frames of misses, as an evaluation tells them, with both boxes and the sentence: a WebP.

    Raises:
        DataError: If a clip is missing.
    """
    cells = [_cell(data, number, miss) for number, miss in enumerate(misses, start=1)]
    width, height = cells[0].size
    rows = -(-len(cells) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (width + GAP) + GAP, rows * (height + GAP) + GAP), "white")
    for i, cell in enumerate(cells):
        page.paste(cell, (GAP + i % COLUMNS * (width + GAP), GAP + i // COLUMNS * (height + GAP)))
    for quality in range(82, 0, -8):
        file = BytesIO()
        page.save(file, "WEBP", quality=quality)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def _cell(data: Path, number: int, miss: dict[str, Any]) -> Image.Image:
    record = record_from_dict(miss)
    (image,) = read_model_frames(data, record, KEY_FRAME)
    scale = min(CELL[0] / image.shape[1], CELL[1] / image.shape[0])
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    left, top = (CELL[0] - size[0]) // 2, (CELL[1] - size[1]) // 2
    cell = Image.new("RGB", (CELL[0], CELL[1] + 2 * LINE + 4), "#e8e8e8")
    cell.paste(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS), (left, top))
    draw, font = ImageDraw.Draw(cell), ImageFont.load_default(14)
    for box, colour, tag in ((record.box_xyxy, MEANT, "meant"), (miss["answered_xyxy"], BOXED, "boxed")):
        x1, y1, x2, y2 = (round(side * size[i % 2]) + (left, top)[i % 2] for i, side in enumerate(box or (0, 0, 0, 0)))
        draw.rectangle((x1 - 1, y1 - 1, max(x1, x2) + 1, max(y1, y2) + 1), outline="black", width=4)
        draw.rectangle((x1, y1, max(x1, x2), max(y1, y2)), outline=colour, width=2)
        place = min(max(x1, 0), CELL[0] - 46), min(max(y1 - 18 if tag == "meant" else y2 + 2, 0), CELL[1] - 17)
        draw.rectangle((*place, place[0] + 45, place[1] + 16), fill=colour)
        draw.text((place[0] + 3, place[1]), tag, "black", font)
    lines = textwrap.wrap(f"{number}  {record.sentence}", LETTERS, max_lines=2, placeholder=" …")
    for i, line in enumerate(lines):
        draw.text((4, CELL[1] + 2 + i * LINE), line, "black", font)
    return cell


# ---- the README ---------------------------------------------------------------------------------------------------
def readme_scores(card: dict[str, Any]) -> str:
    """What the README says of the shipped weights' scores."""
    spent = card.get("training", {}).get("hours")
    learnt = f"The shipped weights learnt from {learnt_from(card) or 'data they do not name'}"
    told: list[Part] = [f"{learnt}. The runs of its recipe took {spent:.1f} hours." if spent else f"{learnt}."]
    told += [*scores(card, ("test", "test_paraphrase")), *best_and_worst(card), *following(card), *references(card)]
    more = (
        "The [model card](refatomnet/data/compact/README.md) has the recipe, the other figures and the worst failures."
    )
    return f"{parts_markdown(told)}\n\n{more}"


def rewritten(page: str, card: dict[str, Any]) -> str:
    """A README with what stands between its two marks written anew.

    Raises:
        DataError: If it has not exactly these two marks, in order.
    """
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed or BEGIN in rest or END in before + after:
        raise DataError(f"the README needs two lines, {BEGIN} and {END}, between which the scores are written")
    return f"{before}{BEGIN}\n{readme_scores(card)}\n{END}{after}"


# ---- command ------------------------------------------------------------------------------------------------------
def write_card(options: argparse.Namespace) -> int:
    folder: Path = options.run
    best = folder / "best"
    model, _ = load_checkpoint(best)
    found = measured(folder)
    told = read_object(folder / FILES["test"])
    kept = {key: value for key, value in model.card.items() if key not in ("robustness", "following", "references")}
    training = {**kept.get("training", {}), **recipe(folder)}
    model.card = {**kept, "training": training, **found, "scores": {**kept.get("scores", {}), **found["scores"]}}
    page = options.readme.read_text(encoding="utf-8") if options.readme else ""
    page = rewritten(page, model.card) if options.readme else ""
    text = config_text(model, model.card)
    model.misses = sheet(_data_folder(told, folder / FILES["test"]), told["misses"]) if told.get("misses") else None
    write_text(best / "config.json", text)
    (best / PICTURE).unlink(missing_ok=True)
    if model.misses is not None:
        (best / PICTURE).write_bytes(model.misses)
    write_text(best / "README.md", str(model.generate_model_card()))
    if options.readme:
        write_text(options.readme, page)
    written = [best / "config.json", best / "README.md", *([options.readme] if options.readme else [])]
    _LOG.info("written: %s", ", ".join(map(str, written)))
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.card", description="Write a trained checkpoint's figures and its model card.")
    parser.add_argument("run", metavar="RUN", type=Path, help="a training run's folder, with what was measured in it")
    parser.add_argument("--readme", type=Path, help="a page whose scores, between two marks, are written anew")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run(parser, write_card, arguments)


if __name__ == "__main__":
    sys.exit(main())
