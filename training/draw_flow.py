"""Draw how data flows through the shipped model: ``assets/data_flow.svg``, from the shapes of one real pass.

The same shapes as a Markdown table go to standard output; ``refatomnet/README.md`` carries both.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from refatomnet.checkpoint import load_checkpoint
from refatomnet.preprocess import Letterbox, to_pixels
from refatomnet.text import build_text_encoder, keyword_mask, split_words
from training.arguments import Parser, run

PICTURE = Path(__file__).parents[1] / "assets" / "data_flow.svg"
SENTENCES = ("the man in the grey shirt", "the woman on the left")

# What a pass makes, in order, and the axes of each: a letter, a letter's fraction or successor, or a plain number. The
# run says how long each axis is; "c" is the number of channels, another one each time.
AXES = {
    "pixels": "T 3 H W",
    "FrameFeatures.fine": "B T c H/8 W/8",
    "FrameFeatures.middle": "B T c H/16 W/16",
    "FrameFeatures.deep": "B T c H/32 W/32",
    "Neck: tokens map": "B T D H/16 W/16",
    "Neck: fine map": "B c H/8 W/8",
    "DenseDetections.logits": "B cells categories",
    "DenseDetections.boxes_cxcywh": "B cells 4",
    "Detections.boxes_cxcywh": "B M 4",
    "RegionTokens": "B M D",
    "TubeTokens": "B M T D",
    "Trajectories.tokens of detections": "B M T D",
    "Trajectories.index of detections": "B M T",
    "Trajectories.similarity of detections": "B M T N",
    "ClipTokens.tokens": "B T N D",
    "ClipTokens.temporal": "B T D",
    "ClipTokens.spatial": "B C D",
    "ClipTokens.scene": "B T D",
    "ClipTokens.people": "B P D",
    "ClipTokens.person_boxes": "B P 4",
    "ClipTokens.person_actions": "B P A",
    "ClipTokens.frame_boxes": "B P T 4",
    "ClipTokens.frame_seen": "B P T",
    "TextTokens.states": "S L c",
    "TextTokens.sentence": "S c",
    "Sentence.words": "S L D",
    "Sentence.tokens": "S L+1 D",
    "Trajectories.tokens of words": "S L T D",
    "Trajectories.similarity of words": "S L T N",
    "Fused.context": "S T D",
    "Fused.cells": "S C D",
    "Fused.branches": "R S D",
    "Output.choice": "S P+1",
    "Output.presence": "S",
    "Output.boxes": "S P 4",
    "Output.everyone": "S P A",
    "Output.frame_boxes": "S T 4",
    "Output.frame_seen": "S T",
    "Output.branch_boxes": "S R 4",
    "Output.branch_actions": "S A",
    "Output.fits": "S F P",
}

Shapes = dict[str, tuple[int, ...]]


# ---- shapes -------------------------------------------------------------------------------------------------------
@torch.inference_mode()
def run_once() -> Shapes:
    """Shapes of all that the shipped model makes of one black clip and two sentences, by the names of ``AXES``."""
    model, _ = load_checkpoint()
    config = model.config
    made: dict[str, Any] = {}

    def remember(part: nn.Module, *names: str) -> None:
        def hook(_: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            made.update(zip(names, out if isinstance(out, tuple) and len(names) > 1 else (out,), strict=True))
            made.update({"Sentence": given[-1]} if part is model.fusion else {})

        part.register_forward_hook(hook)

    remember(model.neck, "Neck: tokens map", "Neck: fine map")
    remember(model.regions, "RegionTokens")
    remember(model.tubes, "TubeTokens")
    remember(model.fusion, "Fused")
    box = Letterbox.fit(1280, 720, canvas_width=config.image_width, canvas_height=config.image_height)
    made["pixels"] = to_pixels([np.zeros((720, 1280, 3), np.uint8)] * config.frames, box)
    frames = model.encode_frames(made["pixels"])
    made["FrameFeatures"] = frames.stack([frames])
    made["ClipTokens"], reading = model.encode_clips(made["FrameFeatures"])
    made["DenseDetections"], made["Detections"] = reading.dense, reading.detections
    made["TextTokens"] = build_text_encoder(config)(SENTENCES)
    made["Output"] = model(made["ClipTokens"], made["TextTokens"])
    found = dict(_flatten(made))
    for cues, paths in (("detections", reading.paths), ("words", made["Output"].words)):
        found.update({f"{name} of {cues}": shape for name, shape in _flatten({"Trajectories": paths})})
    return {name: found[name] for name in AXES}


def _flatten(made: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor, and of every tuple of equal ones, in what was made."""
    for name, value in made.items():
        if isinstance(value, Tensor):
            yield name, tuple(value.shape)
        elif is_dataclass(value):
            yield from _flatten({f"{name}.{field.name}": getattr(value, field.name) for field in fields(value)})
        elif hasattr(value, "_asdict"):
            yield from _flatten({f"{name}.{key}": part for key, part in value._asdict().items()})
        elif isinstance(value, tuple) and isinstance(value[0], Tensor):
            yield name, (len(value), *value[0].shape)


def check_axes(shapes: Shapes) -> None:
    """See that every shape has the axes that ``AXES`` says, and every letter one length.

    Raises:
        ValueError: If not.
    """
    lengths: dict[str, int] = {}
    for name, shape in shapes.items():
        axes = AXES[name].split()
        for axis, size in zip(axes, shape, strict=False):
            if axis.isalpha() and axis != "c":
                lengths.setdefault(axis, size)
        if len(axes) != len(shape) or any(
            size != _length(axis, lengths, otherwise=size) for axis, size in zip(axes, shape, strict=True)
        ):
            raise ValueError(f"{name} has shape {shape}; {AXES[name]} was expected, with {lengths}")


def _length(axis: str, lengths: dict[str, int], *, otherwise: int) -> int:
    if axis.isdigit():
        return int(axis)
    if "/" in axis:
        return lengths[axis.split("/")[0]] // int(axis.split("/")[1])
    return lengths[axis[:-2]] + 1 if axis.endswith("+1") else lengths.get(axis, otherwise)


def table(shapes: Shapes) -> str:
    """The shapes as a Markdown table."""
    rows = [f"| `{name}` | {AXES[name]} | {' × '.join(map(str, shape))} |" for name, shape in shapes.items()]
    return "\n".join(["| what | axes | here |", "|---|---|---|", *rows]) + "\n"


def say(name: str, shapes: Shapes) -> str:
    """A shape as the picture says it, for one clip and one sentence: "T 8 × N 240 × D 128"."""
    sides = [
        (axis, size) for axis, size in zip(AXES[name].split(), shapes[name], strict=True) if axis not in ("B", "S")
    ]
    return " × ".join(_say_side(axis, size) for axis, size in sides)


def _say_side(axis: str, size: int) -> str:
    if axis.endswith("+1"):
        return f"({axis}) {size}"
    return f"{axis} {size}" if len(axis) == 1 and axis.isupper() else str(size)


# ---- picture ------------------------------------------------------------------------------------------------------
WIDTH, HEIGHT = 900, 790
BOX = 46  # height of a box

STYLE = """
  svg { --page: #ffffff; --panel: #f4f6f9; --edge: #c9d1dc; --ink: #1b2330; --soft: #566275; --line: #66738a;
        --learnt: #ffffff; --learnt-edge: #3a6ea5; --frozen: #e3e8ef; --frozen-edge: #7d899b;
        --end: #fdf1d8; --end-edge: #b07d1c; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --panel: #161b23; --edge: #343d4a; --ink: #e8edf4; --soft: #a3afc0; --line: #8e9bb0;
          --learnt: #1d2632; --learnt-edge: #6aa5e2; --frozen: #2a323e; --frozen-edge: #8290a4;
          --end: #352b14; --end-edge: #d9a648; }
  }
  text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); font-size: 12px; }
  .page { fill: var(--page); } .panel { fill: var(--panel); stroke: var(--edge); }
  .head { font-size: 15px; font-weight: 700; } .title { font-size: 13px; font-weight: 600; }
  .soft { fill: var(--soft); font-size: 11px; } .group { fill: none; stroke: var(--edge); stroke-width: 1.5; }
  .learnt { fill: var(--learnt); stroke: var(--learnt-edge); stroke-width: 1.5; }
  .frozen { fill: var(--frozen); stroke: var(--frozen-edge); stroke-width: 1.5; stroke-dasharray: 5 3; }
  .end { fill: var(--end); stroke: var(--end-edge); stroke-width: 1.5; }
  .line { fill: none; stroke: var(--line); stroke-width: 1.5; } .tip, .dot { fill: var(--line); }
  .word { font-weight: 700; text-decoration: underline; }
"""


class Sketch:
    """Boxes, arrows and words of an SVG, drawn one over the other."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def area(self, kind: str, x: float, y: float, width: float, height: float, *, round_by: int = 6) -> None:
        """A rectangle of a class of ``STYLE``."""
        self.parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{round_by}"/>')

    def text(self, x: float, y: float, words: str, kind: str = "", *, anchor: str = "start") -> None:
        """Words; ``*so*`` marks those in bold."""
        spans = words.split("*")
        inner = "".join(f'<tspan class="word">{escape(s)}</tspan>' if i % 2 else escape(s) for i, s in enumerate(spans))
        self.parts.append(f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{inner}</text>')

    def box(self, kind: str, x: float, y: float, width: float, title: str, note: str) -> None:
        """A step: what it does, and where it stands in the package."""
        self.area(kind, x, y, width, BOX)
        self.text(x + width / 2, y + 20, title, "title", anchor="middle")
        self.text(x + width / 2, y + 36, note, "soft", anchor="middle")

    def arrow(self, *points: tuple[float, float]) -> None:
        """A line through points, with a tip at its end."""
        self.line(*points)
        self.parts[-1] = self.parts[-1].replace("/>", ' marker-end="url(#tip)"/>')

    def line(self, *points: tuple[float, float]) -> None:
        """The same without a tip."""
        path = " ".join(f"{'L' if i else 'M'}{x} {y}" for i, (x, y) in enumerate(points))
        self.parts.append(f'<path class="line" d="{path}"/>')

    def dot(self, x: float, y: float) -> None:
        """Where a line parts."""
        self.parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="3"/>')

    def label(self, x: float, y: float, *lines: str, anchor: str = "start") -> None:
        """What goes along an arrow, line under line; the first line's base is ``y``."""
        for i, line in enumerate(lines):
            self.text(x, y + 15 * i, line, anchor=anchor)

    def svg(self, title: str) -> str:
        """The file."""
        tip = '<marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<defs>{tip}<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        )
        return "\n".join([*head, *self.parts, "</svg>"]) + "\n"


def draw(shapes: Shapes) -> str:
    """The picture as SVG text, of the shapes that :func:`run_once` gives."""
    check_axes(shapes)
    sketch = Sketch()
    sketch.area("page", 0, 0, WIDTH, HEIGHT, round_by=0)
    sketch.area("panel", 8, 8, 544, HEIGHT - 16, round_by=10)
    sketch.area("panel", 560, 8, 332, HEIGHT - 16, round_by=10)
    sketch.text(24, 34, "Once a clip", "head")
    sketch.text(576, 34, "Once a sentence", "head")
    sketch.text(876, 34, "asked as often as wanted", "soft", anchor="end")
    _draw_clip(sketch, shapes)
    _draw_sentence(sketch, shapes)
    _draw_between(sketch, shapes)
    _draw_key(sketch)
    return sketch.svg("Data flow of the shipped model, with the shapes of one clip and one sentence")


def _draw_clip(sketch: Sketch, shapes: Shapes) -> None:
    frames = shapes["pixels"][0]
    sketch.box("end", 24, 48, 512, f"Video: {frames} frames around the key frame", "video.py, preprocess.py")
    sketch.arrow((280, 94), (280, 142))
    sketch.label(290, 122, f"pixels {say('pixels', shapes)}")
    sketch.box("frozen", 24, 142, 512, "Visual encoder: MobileNetV2", "encoders/compact.py")
    for x, stride, name in ((64, 8, "fine"), (236, 16, "middle"), (400, 32, "deep")):
        sketch.arrow((x, 188), (x, 238))
        sketch.label(x + 8, 209, f"stride {stride}", say(f"FrameFeatures.{name}", shapes))
    sketch.box("learnt", 24, 238, 512, "Neck", "model.py")
    sketch.arrow((80, 284), (80, 350))
    sketch.label(88, 306, "key frame,", "fine map", say("Neck: fine map", shapes))
    sketch.box("learnt", 24, 350, 244, "Detect people and things", "heads.py")
    sketch.arrow((80, 396), (80, 444))
    people, all_kept = shapes["ClipTokens.people"][1], shapes["Detections.boxes_cxcywh"][1]
    sketch.label(88, 417, f"boxes {say('Detections.boxes_cxcywh', shapes)}:")
    sketch.label(88, 432, f"{people} people, {all_kept - people} things")
    sketch.box("learnt", 24, 444, 244, "Describe each detection", "heads.py")
    sketch.arrow((80, 490), (80, 546))
    sketch.label(88, 511, f"cues {say('RegionTokens', shapes)}")
    sketch.label(88, 526, f"inside {say('TubeTokens', shapes)}")
    sketch.box("learnt", 24, 546, 244, "Follow each; scan its path", "trajectories.py, mamba.py")
    sketch.arrow((80, 592), (80, 640))
    sketch.label(88, 620, f"trajectories {say('Trajectories.tokens of detections', shapes)}")
    sketch.box("learnt", 24, 640, 416, "People: token, boxes and actions of each", "model.py, heads.py")
    sketch.box("learnt", 306, 350, 230, "Scan all tokens, pooled 2 × 2", "fusion.py, mamba.py")


def _draw_sentence(sketch: Sketch, shapes: Shapes) -> None:
    words = split_words(SENTENCES[0])
    marked = [f"*{word}*" if followed else word for word, followed in zip(words, keyword_mask(words), strict=True)]
    sketch.box("end", 596, 48, 256, f"“{' '.join(marked)}”", "text.py: content words are followed")
    sketch.arrow((724, 94), (724, 142))
    sketch.label(734, 122, f"L {shapes['TextTokens.states'][1]} words")
    sketch.box("frozen", 596, 142, 256, "Sentence encoder: MiniLM", "text.py")
    sketch.arrow((724, 188), (724, 238))
    sketch.label(734, 209, f"words {say('TextTokens.states', shapes)}")
    sketch.label(734, 224, f"whole {say('TextTokens.sentence', shapes)}")
    sketch.box("learnt", 596, 238, 256, "Project to the model’s width", "model.py")
    sketch.arrow((724, 284), (724, 350))
    sketch.label(716, 306, "words", say("Sentence.words", shapes), anchor="end")
    sketch.box("learnt", 596, 350, 256, "Follow content words; scan", "trajectories.py, mamba.py")
    sketch.arrow((724, 396), (724, 428))
    sketch.label(734, 416, f"keywords {say('Fused.context', shapes)}")
    sketch.area("group", 588, 428, 272, 164)
    sketch.text(724, 446, "each reads scene, keywords and sentence", "soft", anchor="middle")
    sketch.box("learnt", 596, 456, 256, "Temporal branch", "attention.py")
    sketch.box("learnt", 596, 524, 256, "Spatial branch", "attention.py")
    sketch.arrow((796, 592), (796, 640))
    sketch.label(788, 612, say("Fused.branches", shapes), anchor="end")
    sketch.box("learnt", 596, 640, 128, "Who is meant?", "heads.py")
    sketch.box("learnt", 740, 640, 112, "Branch heads", "heads.py")
    sketch.arrow((660, 686), (660, 730))
    sketch.label(668, 712, say("Output.choice", shapes))
    sketch.arrow((796, 686), (796, 730))
    sketch.label(804, 704, say("Output.branch_boxes", shapes), say("Output.branch_actions", shapes))
    answer = f"{say('Output.frame_boxes', shapes)} · {shapes['Output.everyone'][-1]} actions"
    sketch.box("end", 596, 730, 256, "Output", f"presence · boxes {answer}")
    # Words, sentence and keywords go down the right side to whoever reads them.
    sketch.arrow((852, 261), (876, 261), (876, 510), (860, 510))
    sketch.label(866, 306, "and the whole", say("Sentence.tokens", shapes), anchor="end")
    sketch.arrow((876, 510), (876, 624), (640, 624), (640, 640))
    sketch.line((852, 373), (876, 373))
    sketch.dot(876, 373)
    sketch.dot(876, 510)


def _draw_between(sketch: Sketch, shapes: Shapes) -> None:
    """What the halves share: the visual tokens, the queries of both branches, the scene level and the people."""
    sketch.arrow((421, 284), (421, 350))
    sketch.label(413, 306, f"tokens {say('ClipTokens.tokens', shapes)}", anchor="end")
    sketch.dot(421, 322)
    sketch.arrow((421, 322), (574, 322), (574, 373), (596, 373))
    sketch.arrow((421, 322), (287, 322), (287, 562), (268, 562))
    sketch.arrow((480, 396), (480, 479), (596, 479))
    sketch.label(472, 430, "temporal", say("ClipTokens.temporal", shapes), anchor="end")
    sketch.arrow((360, 396), (360, 547), (596, 547))
    sketch.label(370, 540, f"spatial {say('ClipTokens.spatial', shapes)}")
    sketch.arrow((268, 582), (588, 582))
    sketch.label(370, 576, f"scene {say('ClipTokens.scene', shapes)}")
    sketch.arrow((440, 663), (596, 663))
    sketch.label(450, 656, "people")
    sketch.label(450, 680, say("ClipTokens.people", shapes))
    sketch.arrow((340, 686), (340, 753), (596, 753))
    sketch.label(350, 727, f"boxes {say('ClipTokens.frame_boxes', shapes)}")
    sketch.label(350, 744, f"actions {say('ClipTokens.person_actions', shapes)}")


def _draw_key(sketch: Sketch) -> None:
    for x, kind, words in ((24, "frozen", "frozen"), (104, "learnt", "learnt"), (180, "end", "in and out")):
        sketch.area(kind, x, 748, 22, 16, round_by=3)
        sketch.text(x + 30, 760, words)


# ---- command ------------------------------------------------------------------------------------------------------
def draw_flow(options: argparse.Namespace) -> int:
    shapes = run_once()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(draw(shapes), encoding="utf-8")
    sys.stdout.write(table(shapes))
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.draw_flow", description="Draw the shipped model's data flow from its shapes.")
    parser.add_argument("--out", type=Path, default=PICTURE)
    return run(parser, draw_flow, arguments)


if __name__ == "__main__":
    sys.exit(main())
