"""Train and measure a list of variants of one model, each with the same data, steps and seed.

    python -m training.ablate training/configs/ablation.yaml --out DIR [--only NAME …] [key=value …]

The config has a training config as ``base`` and, under ``variants``, what each changes. A variant that is finished is
not trained again, and one that was stopped goes on. After each, DIR/table.md and DIR/results.json are written anew:
how the final weights do on the test split, with 95 % bootstrap intervals over clips, and the difference to the first
variant with the interval of that difference (both are measured on the same draws of clips).
"""

import argparse
import json
import logging
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

from refatomnet.checkpoint import load_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.errors import DataError, OptionError
from refatomnet.records import Record
from training.arguments import Parser, run
from training.cache import FeatureCache, build
from training.config import TrainConfig, make_config, override, read_yaml
from training.data.clips import model_frames
from training.data.records import scene_lines, scenes_path, write_text
from training.evaluate import Answers, ask_all, score_rows, without_nan
from training.metrics import bootstrap, box_ious
from training.trainer import Trainer, cached_questions

SPLIT = "test"
SHOWN = {
    "acc_iou50": "Acc@0.5",
    "miou": "mIoU",
    "frame_miou": "mIoU, all frames",
    "map_macro": "macro mAP",
    "presence_auroc": "presence AUROC",
}
_LOG = logging.getLogger(__name__)


def read_variants(path: Path, overrides: list[str], out: Path) -> dict[str, TrainConfig]:
    """The training config of every variant by its name, each with a run folder of its own under ``out``.

    Raises:
        DataError: If the file has no base and variants, or one of them is no training config.
    """
    values = read_yaml(path)
    if set(values) != {"base", "variants"} or not isinstance(values["variants"], dict) or not values["variants"]:
        raise DataError(f"{path} is no list of variants; expected the keys base and variants")
    base = override(values["base"] or {}, overrides)
    base |= {part: base.get(part) or {} for part in ("model", "loss")}
    configs = {}
    for name, change in values["variants"].items():
        merged = {**base, **(change or {})}
        for part in ("model", "loss"):  # a variant changes single keys of these
            merged[part] = {**base[part], **((change or {}).get(part) or {})}
        folder = out / re.sub(r"[^a-z0-9+]+", "-", name.lower()).strip("-")
        configs[name] = make_config({**merged, "run": str(folder), "name": name})
    for what in ("precision", "data"):
        if len({getattr(config, what) for config in configs.values()}) > 1:
            raise DataError(f"{path}: variants differ in {what}; what is compared must be trained and measured alike")
    if len({(config.model.frames, config.model.key_frame) for config in configs.values()}) > 1:
        raise DataError(f"{path}: variants differ in the frames they read; what is compared must be measured alike")
    if len({config.run for config in configs.values()}) < len(configs):
        raise DataError(f"{path}: two variants have names too alike to be told apart as folders")
    return configs


def finish(name: str, config: TrainConfig) -> dict[str, Any]:
    """Train a variant as far as it is not, measure it on the test split, and keep what it answered.

    Returns:
        Its trained parameters, those of the fusion, and its steps.
    """
    folder = Path(config.run)
    done = folder / "ablation.json"
    if done.is_file() and json.loads(done.read_text())["config"] == json.loads(json.dumps(config.to_dict())):
        facts: dict[str, Any] = json.loads(done.read_text())["facts"]
        return facts
    _LOG.info("---- %s", name)
    trainer = Trainer(config)
    trainer.begin(resume=True)
    if not trainer.finished:
        trainer.fit()
    if not trainer.finished:
        raise DataError(
            f"{name} stopped at step {trainer.step} of {trainer.total_steps}; run the same command to go on"
        )
    data = Path(config.data).expanduser()
    model, _ = load_checkpoint(folder / "best")
    cache = FeatureCache(build(data, SPLIT, config.model), config.model)
    answers = ask_all(model, cached_questions(data, SPLIT, cache, config.model), cache.text)
    rows = {key: getattr(answers, key)["own"] for key in ("boxes", "actions", "presence", "frames")}
    np.savez_compressed(folder / "answers.npz", **rows)
    parameters = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    fusion = sum(p.numel() for p in trainer.model.fusion.parameters() if p.requires_grad)
    facts = {"parameters": parameters, "fusion": fusion, "steps": trainer.step}
    write_text(done, json.dumps({"config": config.to_dict(), "facts": facts}, indent=1) + "\n")
    return facts


class Comparison:
    """Scores variants on the test split, all on the same draws of clips."""

    def __init__(self, config: TrainConfig) -> None:
        data = Path(config.data).expanduser()
        cache = FeatureCache(build(data, SPLIT, config.model), config.model)
        questions = cached_questions(data, SPLIT, cache, config.model)
        self.records = [record for question in questions for record in question.records]
        self.clips = np.array([i for i, question in enumerate(questions) for _ in question.records])
        self.frames = described_boxes(data, self.records, config.model, split=SPLIT)
        self.first: Answers | None = None
        self._of_first: dict[bytes, dict[str, float]] = {}  # by the drawn rows: the draws are the same for all

    def add(self, folder: Path) -> dict[str, Any]:
        """Scores of a variant, their intervals, and those of the difference to the first one added."""
        stored = np.load(folder / "answers.npz")
        answers = Answers(self.records, self.clips, **{key: {"own": stored[key]} for key in stored.files})
        first = self.first = self.first or answers
        every = np.arange(len(self.records))

        def both(rows: np.ndarray) -> dict[str, float]:
            if (drawn := rows.tobytes()) not in self._of_first:
                self._of_first[drawn] = self._scores(first, rows)
            other = self._of_first[drawn]
            own = other if answers is first else self._scores(answers, rows)
            return own | {f"{name} difference": own[name] - other[name] for name in own}

        found, intervals = both(every), bootstrap(both, self.clips)
        return {name: {"value": value, "ci95": intervals[name]} for name, value in found.items()}

    def _scores(self, answers: Answers, rows: np.ndarray) -> dict[str, float]:
        scores = score_rows(answers, "own", rows)
        known = ~np.isnan(self.frames[rows]).any(-1)
        overlap = box_ious(answers.frames["own"][rows][known], self.frames[rows][known])
        return {name: scores[name] for name in SHOWN if name in scores} | {"frame_miou": float(overlap.mean())}


def described_boxes(data: Path, records: list[Record], config: ModelConfig, *, split: str) -> np.ndarray:
    """Where each record's person is in every frame the model reads: xyxy fractions [n, T, 4], NaN where unseen."""
    scenes = {scene["clip"]: scene for scene in scene_lines(scenes_path(data, split))}
    boxes = np.full((len(records), config.frames, 4), np.nan, np.float32)
    for row, record in enumerate(records):
        scene = scenes[str(record.clip)]
        for person in scene["people"] if record.box_xyxy else ():
            if person["person_id"] == record.person_id:
                own = person["boxes_xyxy"]
                for frame, place in enumerate(model_frames(scene["fps"], scene["key_frame"], len(own), config)):
                    boxes[row, frame] = own[place] or np.nan
    return boxes


def table(results: dict[str, Any], config: TrainConfig) -> str:
    """The results in Markdown; a difference whose interval leaves out zero is set in bold."""
    head = ["variant", "fusion parameters", *SHOWN.values()]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for number, (name, entry) in enumerate(results.items()):
        cells = [name, f"{entry['facts']['fusion']:,}"]
        for key in SHOWN:
            value, difference = entry["scores"][key], entry["scores"][f"{key} difference"]
            low, high = value["ci95"]
            cell = f"{value['value']:.3f} ({low:.3f}–{high:.3f})"
            if number:
                low, high = difference["ci95"]
                shown = f"{difference['value']:+.3f} ({low:+.3f} to {high:+.3f})"
                cell += f"<br>{f'**{shown}**' if low > 0 or high < 0 else shown}"
            cells.append(cell)
        lines.append(f"| {' | '.join(cells)} |")
    steps = {entry["facts"]["steps"] for entry in results.values()}
    told = f"{' or '.join(map(str, sorted(steps)))} steps of {config.batch_clips} clips × {config.sentences} sentences"
    began = "from nothing" if config.start is None else f"from {config.start}"
    if config.start is not None and config.anew:
        began += f", its {' and '.join(config.anew.split())} anew"
    said = (
        f"Each variant {began}, {told}, seed {config.seed}; scores on the test split with 95 % bootstrap "
        "intervals over clips. Second lines: difference to the first variant and its interval; bold where it leaves "
        "out zero. One seed each: how much another seed would move a line is not in the intervals.\n"
    )
    return "\n".join([*lines, "", said])


def ablate(options: argparse.Namespace) -> int:
    configs = read_variants(options.config, options.overrides, options.out)
    if unknown := sorted(set(options.only or ()) - set(configs)):
        raise OptionError(f"there is no variant {unknown[0]!r}; the config has {', '.join(configs)}")
    first = next(iter(configs))
    chosen = {name: c for name, c in configs.items() if not options.only or name in options.only or name == first}
    results: dict[str, Any] = {}
    comparison = None
    for name, config in chosen.items():
        facts = finish(name, config)
        comparison = comparison or Comparison(config)
        results[name] = {"facts": facts, "scores": comparison.add(Path(config.run))}
        told = {"variants": without_nan(results), "command": f"python -m training.ablate {shlex.join(sys.argv[1:])}"}
        write_text(options.out / "results.json", json.dumps(told, indent=1) + "\n")
        write_text(options.out / "table.md", table(results, configs[first]))
    sys.stdout.write(table(results, configs[first]))
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.ablate", description="Train and measure variants of a model on equal budgets.")
    parser.add_argument("config", metavar="CONFIG.yaml", type=Path)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where the runs and the table go")
    parser.add_argument("--only", metavar="NAME", action="append", help="beside the first; may be given several times")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="over the base's own; part.key=value too")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    return run(parser, ablate, arguments)


if __name__ == "__main__":
    sys.exit(main())
