"""Show what a data set holds: figures, charts, and contact sheets of random clips.

    python -m training.describe DIR [--split test] [--out FOLDER] [--clips 60] [--seed 0]

Reads our records, with scenes or without, and RefAVA++'s form. Draws statistics.png and sheet-01.png, …: of every clip
the key frame with numbered boxes, six frames half a second apart, and under them what everyone looks like and does,
and the sentences.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from refatomnet.actions import action
from refatomnet.config import ModelConfig
from refatomnet.errors import DataError, OptionError
from refatomnet.records import Record
from refatomnet.refava import read_split
from training.arguments import Parser, run
from training.data.clips import read_model_frames
from training.data.records import read_scenes, scenes_path
from training.data.statistics import Statistics, box_numbers, gather, group_shares, label_names, quantiles

TIMES = ModelConfig(frames=7, key_frame=3, frame_rate=2.0)  # what a sheet shows of a clip
CELL, BIG, SMALL, LINE = 760, (440, 330), 144, 16  # pixels: width of a clip, of its frames, height of a line
COLUMNS, ROWS, GAP = 2, 2, 14  # a page is shown whole on most screens
COLOURS = ("#d62728", "#1a8f2c", "#1f5fd0", "#c77700", "#a03cc0", "#008b8b", "#7a4a1e", "#444444")
ABSENT = "#777777"


# ---- figures ------------------------------------------------------------------------------------------------------
def summary(found: Statistics) -> str:
    """The figures of a split as lines of text."""
    each = (found.sentences - found.absent) / max(1, found.people)
    in_view = sum(people * clips for people, clips in found.people_each.items())
    lines = [
        f"{found.clips} clips, {found.people} people described, {found.sentences} sentences, "
        f"{found.distinct} distinct, {each:.2f} a person; {found.absent} fit nobody, {found.hard} hard",
        "people in view a clip: " + _shares(found.people_each),
        "labels a person: " + _shares(found.labels_each),
        "labels by group: " + ", ".join(f"{group} {share:.1%}" for group, share in group_shares(found.labels).items()),
        "labels by frequency: " + ", ".join(f"{name} {count}" for name, count in label_names(found.labels)),
        "words a sentence: " + quantiles(np.array(found.lengths), 0) + f"; {len(found.words)} words in all",
        "most frequent words: " + ", ".join(f"{word} {count}" for word, count in found.words.most_common(40)),
        "kinds: " + _shares(found.kinds),
        "boxes, in fractions of the frame; 5 %, 25 %, median, 75 %, 95 %:",
        *(f"  {name}: {quantiles(values)}" for name, values in box_numbers(found.boxes).items()),
        "visible share of the described: " + quantiles(found.visible),
        "sizes: " + _shares(found.sizes),
        "places: " + _shares(found.places),
        *(f"{name}: {_shares(counts, of=in_view)}" for name, counts in sorted(found.looks.items())),
        "objects in view, clips: " + _shares(found.things, of=found.clips),
    ]
    return "\n".join(lines)


def _shares(counts: Mapping[Any, int], of: int | None = None) -> str:
    total = max(1, of or sum(counts.values()))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return ", ".join(f"{key} {count} ({count / total:.0%})" for key, count in ordered) or "–"


def draw_statistics(found: Statistics, path: Path) -> None:
    """Charts of the same figures, as one picture."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 5, figsize=(22, 12), layout="constrained")
    labels = label_names(found.labels)[::-1]
    axes[0, 0].barh([name for name, _ in labels], [count for _, count in labels])
    axes[0, 0].tick_params(axis="y", labelsize=7)
    axes[0, 0].set_title("people by label")
    counted: list[tuple[str, Mapping[Any, int]]] = [
        ("people by number of labels", found.labels_each),
        ("clips by people in view", found.people_each),
        ("sentences by number of words", Counter(found.lengths)),
    ]
    for axis, (title, counts) in zip(axes[0, 1:4], counted, strict=True):
        axis.bar(list(counts), list(counts.values()))
        axis.set_title(title)
    kinds = sorted(found.kinds.items(), key=lambda item: item[1])
    axes[0, 4].barh([name for name, _ in kinds], [count for _, count in kinds])
    axes[0, 4].tick_params(axis="y", labelsize=7)
    axes[0, 4].set_title("sentences by kind")
    numbers = box_numbers(found.boxes)
    for axis, name in zip(axes[1, :3], ("height", "area", "width / height"), strict=True):
        axis.hist(np.minimum(numbers[name], 3), bins=30)
        axis.set_title(f"box {name}, in fractions of the frame")
    axes[1, 3].hist2d(numbers["centre x"], numbers["centre y"], bins=20, range=((0, 1), (0, 1)))
    axes[1, 3].invert_yaxis()
    axes[1, 3].set_title("where box centres are")
    axes[1, 4].hist(found.visible, bins=20, range=(0, 1))
    axes[1, 4].set_title("visible share of the described")
    figure.savefig(path, dpi=80)
    plt.close(figure)


# ---- contact sheets -----------------------------------------------------------------------------------------------
def draw_sheets(data: Path, groups: list[list[Record]], scenes: Mapping[str, dict[str, Any]], out: Path) -> list[Path]:
    """Contact sheets of these clips, each given by its records; returns the pictures' paths."""
    cells = [clip_cell(data, records, scenes.get(records[0].source)) for records in groups]
    paths: list[Path] = []
    for start in range(0, len(cells), COLUMNS * ROWS):
        page = cells[start : start + COLUMNS * ROWS]
        rows = [page[i : i + COLUMNS] for i in range(0, len(page), COLUMNS)]
        heights = [max(cell.height for cell in row) for row in rows]
        sheet = Image.new("RGB", (COLUMNS * (CELL + GAP) + GAP, sum(heights) + GAP * (len(rows) + 1)), "#bbbbbb")
        top = GAP
        for row, height in zip(rows, heights, strict=True):
            for column, cell in enumerate(row):
                sheet.paste(cell, (GAP + column * (CELL + GAP), top))
            top += height + GAP
        paths.append(out / f"sheet-{len(paths) + 1:02d}.png")
        sheet.save(paths[-1])
    return paths


def clip_cell(data: Path, records: list[Record], scene: dict[str, Any] | None) -> Image.Image:
    """One clip: its frames and what is said of it."""
    lines, font = _lines(records, scene), _font(12)
    try:
        images = [_fitted(image, BIG) for image in read_model_frames(data, records[0], TIMES)]
    except (OSError, DataError) as error:
        lines[1:1] = [("black", line) for line in _wrapped(f"no frames: {error}", font)]
        images = []
    top = images[0].height if images else 0
    cell = Image.new("RGB", (CELL, top + 8 + LINE * len(lines)), "white")
    draw = ImageDraw.Draw(cell)
    if images:
        key = images.pop(TIMES.key_frame)
        _draw_boxes(ImageDraw.Draw(key), key.size, _boxes(records, scene))
        cell.paste(key, (0, 0))
    for place, image in enumerate(images):
        small = image.resize((image.width * SMALL // BIG[0], image.height * SMALL // BIG[0]))
        cell.paste(small, (BIG[0] + 4 + place % 2 * (SMALL + 4), place // 2 * (small.height + 3)))
    for row, (colour, text) in enumerate(lines):
        draw.text((6, top + 4 + LINE * row), text, colour, font)
    return cell


def _boxes(records: list[Record], scene: dict[str, Any] | None) -> dict[str, list[float] | tuple[float, ...]]:
    """Everyone's box at the key frame, or, without a scene, that of the described."""
    known: dict[str, Any] = {r.person_id: r.box_xyxy for r in records}
    if scene is not None:
        known = {p["person_id"]: p["boxes_xyxy"][records[0].key_frame] for p in scene["people"]}
    return {person: box for person, box in known.items() if box is not None}


def _draw_boxes(draw: ImageDraw.ImageDraw, size: tuple[int, int], boxes: Mapping[str, Any]) -> None:
    for person, box in boxes.items():
        colour = _colour(person)
        x1, y1, x2, y2 = (round(v * (side - 1)) for v, side in zip(box, size * 2, strict=True))
        draw.rectangle((x1, y1, x2, y2), outline=colour, width=2)
        left, top = min(x1, size[0] - 16), max(0, min(y1, size[1] - 16))
        draw.rectangle((left, top, left + 8 + 8 * len(person), top + 15), fill=colour)
        draw.text((left + 4, top + 1), person, "white", _font(12))


def _lines(records: list[Record], scene: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Colour and text of every line under a clip: people with their sentences, then sentences that fit nobody."""
    font = _font(12)
    place = f", {scene.get('place', '')} {' '.join(scene.get('tags', []))}" if scene else ""
    paragraphs = [("black", f"{records[0].source}{place}")]
    people = {p["person_id"]: p for p in scene["people"]} if scene else {}
    there = [*people, *sorted({r.person_id for r in records if r.box_xyxy} - set(people))]
    for person in there:
        said = [r for r in records if r.person_id == person]
        ids = said[0].actions if said else tuple(people[person]["actions"])
        deeds = "; ".join(f"{action(i).name.split(' (')[0]}" for i in ids)
        looks = f" | {_look(people[person], records[0].key_frame)}" if person in people else ""
        paragraphs.append((_colour(person), f"{person}  {deeds.upper() or 'NO LABEL'}{looks}"))
        paragraphs += [(_colour(person), f"     “{r.sentence}”  {_kind(r)}") for r in said]
    paragraphs += [(ABSENT, f"nobody:  “{r.sentence}”  {_kind(r)}") for r in records if r.box_xyxy is None]
    return [(colour, line) for colour, text in paragraphs for line in _wrapped(text, font)]


def _look(person: dict[str, Any], key_frame: int) -> str:
    """What the scene states of somebody, in short."""
    look = person["look"]
    pattern = [] if look.get("pattern") in (None, "plain") else [look["pattern"], look.get("pattern_colour")]
    hair = [look.get("hair_length"), look.get("hair_colour"), "hair"]
    parts = [
        [look.get("age"), look.get("sex"), look.get("height"), look.get("build")],
        [look.get("top_colour"), look.get("top"), *pattern] + [f"({look['sleeves']} sleeves)"] * ("sleeves" in look),
        [look.get("bottom_colour"), look.get("bottom")],
        [look.get("shoes"), "shoes"],
        ["bald"] if look.get("hair_length") == "bald" else [*hair, look.get("hair_style")],
        [look["hat"], look.get("hat_kind") or "hat"] if look.get("hat") else [],
        *([look[k], k] for k in ("inner", "scarf", "tie") if look.get(k)),
        [look.get("glasses") if isinstance(look.get("glasses"), str) else None],
        ["beard"] if look.get("beard") else [],
        [look.get("carried")],
        [person.get("posture"), "facing", person.get("facing")],
        ["holding", person["holding"]] if person.get("holding") else [],
        [f"{person['visible'][key_frame]:.0%} seen, {person['depth']:.1f} m"],
    ]
    texts = (" ".join(str(v) for v in part if v is not None) for part in parts)
    return ", ".join(text for text in texts if text)


def _kind(record: Record) -> str:
    words = [str(record.extra.get("kind", "")), "hard" if record.extra.get("hard") else ""]
    return " ".join(f"[{word}]" for word in words if word)


def _colour(person: str) -> str:
    return COLOURS[int(person) % len(COLOURS)] if person.isdecimal() else COLOURS[-1]


def _fitted(image: np.ndarray, box: tuple[int, int]) -> Image.Image:
    scale = min(box[0] / image.shape[1], box[1] / image.shape[0])
    return Image.fromarray(image).resize((round(image.shape[1] * scale), round(image.shape[0] * scale)))


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), size)


def _wrapped(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Lines that fit into a cell, later ones indented."""
    first, *rest = re.split(r"\s", text)
    lines = [first]
    for word in rest:
        longer = f"{lines[-1]} {word}"
        if font.getlength(longer) > CELL - 12 and lines[-1].strip():
            lines.append(f"        {word}")
        else:
            lines[-1] = longer
    return lines


# ---- command ------------------------------------------------------------------------------------------------------
def describe(options: argparse.Namespace) -> int:
    if options.clips < 0:
        raise OptionError(f"--clips must be at least 0, got {options.clips}")
    data, out = options.data, options.out or options.data / "described" / options.split
    records = read_split(data, options.split)
    path = scenes_path(data, options.split)
    scenes = read_scenes(path) if path.exists() else {}
    found = gather(records, scenes.values())
    print(summary(found))
    out.mkdir(parents=True, exist_ok=True)
    draw_statistics(found, out / "statistics.png")
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.source, []).append(record)
    order = np.random.default_rng(options.seed).permutation(sorted(groups))[: options.clips]
    for old in out.glob("sheet-*.png"):
        old.unlink()
    sheets = draw_sheets(data, [groups[str(source)] for source in order], scenes, out)
    print(f"drawn: {out / 'statistics.png'}" + (f", {sheets[0]} to {sheets[-1].name}" if sheets else ""))
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.describe", description="Show what a data set holds.")
    parser.add_argument("data", type=Path, metavar="DIR")
    parser.add_argument("--split", default="test")
    parser.add_argument("--out", type=Path, help="folder of the pictures; DIR/described/SPLIT without it")
    parser.add_argument("--clips", type=int, default=60, help="number of random clips on contact sheets")
    parser.add_argument("--seed", type=int, default=0)
    return run(parser, describe, arguments)


if __name__ == "__main__":
    sys.exit(main())
