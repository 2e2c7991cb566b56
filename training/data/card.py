"""The data card, written beside the data as README.md."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from refatomnet.actions import ACTIONS
from refatomnet.config import ModelConfig
from refatomnet.errors import DataError
from refatomnet.records import read_records
from training.data.records import PARAPHRASE, read_object, scene_lines, scenes_path
from training.data.statistics import Statistics, box_numbers, gather, group_shares, quantiles
from training.data.synthetic.facts import JOINTS

CARD = """# OpenRAVAR

Rendered clips of several people, sentences about one of them or about nobody, that person's box on the key frame and AVA action labels.
No person in it is real and no part of it is anyone's film. Licence: CC0 1.0; do with it what you like.

| split | clips | people described | sentences | distinct | fitting nobody | hard |
|---|---|---|---|---|---|---|
{rows}

Clips are H.264 MP4 of 3 s at 6 frames a second, 18 frames with the key frame at index 9; `samples` are longer and larger, for looking at, those made with `--stills` are the key frame alone, and those made with `--sparse` are 8 frames, 3 a second, with the key frame at index 4.

## Form
`{{split}}.jsonl`: a JSON line a sentence: video, timestamp, person_id, split, sentence, actions (AVA ids, 1 to 80), box_xyxy (fractions of the key frame, tight on what
is seen; null where the sentence fits nobody), clip, key_frame, fps, kind (what the sentence speaks of), hard (someone else in view
wears the same top colour, or is of the same sex with the same kind of top; also near misses), and of `train` parts (of every topic the sentence
speaks of, whom that part alone is true of: a sign for each person of the scene, 1 true, 0 false, - not sure or not in view).
`test_paraphrase.jsonl`: the people of `test` described again, with constructions and many words that are in no other split.

`scenes/{{split}}.jsonl`: a line a clip: size (width, height in pixels), frames, key_frame, fps, place, tags, things (name, colour, box per frame, depth in metres) and people. Of each person:
boxes_xyxy and full_boxes_xyxy per frame (what is seen, and the whole body; null out of view), visible (share, per frame), hidden_by (per frame, share of the body behind each
person id, or behind "things"), joints_xy (per frame and joint, fractions, not clamped to the frame), joints_seen (0 or 1), actions, look, facing, posture, depth (metres), holding.
The joints: {joints}.

```python
from pathlib import Path
from training.data.records import read_scenes, scenes_path
from refatomnet.refava import read_split

records = read_split("DIR", "test")                        # also reads RefAVA++'s pickles
scenes = read_scenes(scenes_path("DIR", "test"), joints=True)
```

`--refava` writes RefAVA++'s form to `refava/`: `{{split}}_keyframe.pkl`, `{{split}}_label.pkl`, `{{split}}_description.pkl`, keyed `<video>___<timestamp>___<person id>`, and
`frames/<video>/image_%06d.jpg` at 30 frames a second (each frame five times), the clip of second t being the 90 from (t − 900) · 30 − 45. A person's first sentence is the first entry
of the description, the others follow it. That form has no place for sentences that fit nobody, for people without a label, nor for kind and hard: they are left out.

## How it was made
```
{commands}
```
The same seed gives the same annotation bytes; failed clips are left out. `--labels balanced` makes actions about equally frequent, `natural` as uneven as AVA's. Every sentence was
checked by a program to fit exactly its person at the key frame, or nobody. Bodies, the textures of places and sentence templates are divided between train, val and test (`samples`
uses test's); kinds of place and of clothes are in all.

## Labels (described people with the label)
| id | action | {splits} |
|{rule}
{labels}

{groups}

## People, boxes and objects
Boxes of the described people at the key frame, in fractions of the frame; 5 %, 25 %, median, 75 % and 95 %. People in view are all who can be made out there,
described or not.

| | {splits} |
|{narrow_rule}
{numbers}
{controls}
## Known limits
- Rendered people in procedural places: looks, motion and camera work are simpler than in films, and actions are those the renderer can show, {actions} of AVA's 80 here.
- Sentences come from a grammar: English about clothes, hair, place, order, relation, height, facing and what is carried. Those of train have more words and forms than the others,
  requests and a few slips of the finger, and two or three in a hundred say what is done; those of the other splits have no slips, no idiom, no action words.
- A person may have several records, one a sentence; weigh per-person statistics accordingly.
- At six frames a second, what swings more than three times a second cannot be told from what swings less. There is no sound.
- Skin, hair and body are varied by chance, not to match any population; sex and age words state the renderer's intention.
"""
TITLE = CARD.splitlines()[0]
SIZES = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7))

CONTROLS = """
## What can be had without understanding
`{command}`, of {records} records about somebody in {split}{since}:

| | | 95 % interval | allowed |
|---|---|---|---|
| Acc@IoU 0.5 of the best of several rules that see true boxes and no sentence ({rule}) | {chosen:.3f} | {chosen_ci} | {chosen_bound:.3f} |
| macro mAP of labels from the words alone | {words:.3f} | {words_ci} | {words_bound:.3f} |

Choosing at random among the people in view gives {random:.3f}, constant label scores {prior:.3f}.
"""


def data_card(out: Path, splits: Iterable[str]) -> str:
    """The folder's README.md, from the merged files of these splits in it, with what the hub reads at its head."""
    rows, commands, found = [], [], {}
    tables: dict[str, int] = {}
    for split in splits:
        if not (out / f"{split}.jsonl").exists():
            continue
        scenes = scene_lines(path) if (path := scenes_path(out, split)).exists() else ()
        found[split] = split_found = gather(read_records(out / f"{split}.jsonl"), scenes)
        rows.append(_row(split, split_found))
        tables[split] = split_found.sentences
        if (again := out / f"{split}{PARAPHRASE}.jsonl").exists():
            described_again = gather(read_records(again))
            rows.append(_row(split + PARAPHRASE, described_again))
            tables[split + PARAPHRASE] = described_again.sentences
        commands.append(_command(out, split, split_found.sources))
    labels = [
        f"| {a.id} | {a.name} | " + " | ".join(str(s.labels[a.id]) for s in found.values()) + " |"
        for a in ACTIONS
        if any(s.labels[a.id] for s in found.values())
    ]
    return f"---\n{_head(tables)}\n---\n" + CARD.format(
        rows="\n".join(rows),
        commands="\n".join(commands),
        splits=" | ".join(found),
        rule="---|" * (len(found) + 2),
        narrow_rule="---|" * (len(found) + 1),
        labels="\n".join(labels),
        groups="\n".join(_groups(split, entry) for split, entry in found.items()),
        numbers="\n".join(_numbers(list(found.values()))),
        controls=_controls(out, found),
        actions=len(labels),
        joints=", ".join(JOINTS),
    )


def _head(tables: dict[str, int]) -> str:
    """What the hub reads of a data set, as YAML; ``tables`` has the sentences of each split."""
    from huggingface_hub import DatasetCardData

    size = next((name for name, most in SIZES if sum(tables.values()) < most), "10M<n<100M")
    return DatasetCardData(
        pretty_name="OpenRAVAR",
        license="cc0-1.0",
        language=["en"],
        task_categories=["video-classification", "object-detection"],
        tags=["video", "action-recognition", "referring-expression", "ava", "synthetic"],
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        source_datasets=["original"],
        size_categories=[size],
        configs=[
            {
                "config_name": "sentences",
                "data_files": [{"split": split, "path": f"{split}.jsonl"} for split in tables],
            }
        ],
    ).to_yaml()


def _row(split: str, found: Statistics) -> str:
    values = (found.clips, found.people, found.sentences, found.distinct, found.absent, found.hard)
    return f"| {split} | " + " | ".join(map(str, values)) + " |"


def form_option(note: dict[str, Any]) -> str:
    """The option that says how a split's clips are filmed, by the note of its making; empty for whole clips."""
    return " --stills" if note.get("stills") else " --sparse" if note.get("fps") == ModelConfig.frame_rate else ""


def _command(out: Path, split: str, sources: set[str]) -> str:
    """The command that makes this split again, where the notes of its making are still there."""
    note = out / ".parts" / split / "run.json"
    if not note.exists():
        return f"# {split}: {len(sources)} clips, made elsewhere"
    run = read_object(note)
    clips = max((int(Path(source).stem) + 1 for source in sources), default=0)  # failed ones had a number too
    size = f" --size {run['size'][0]}x{run['size'][1]}" if run.get("size") else ""
    labels = f" --labels {run.get('labels', 'balanced')}"
    seed, form = run["seed"], form_option(run)
    return f"python -m training.generate --out DIR --split {split} --clips {clips} --seed {seed}{labels}{size}{form}"


def _groups(split: str, found: Statistics) -> str:
    shares = ", ".join(f"{group} {share:.0%}" for group, share in group_shares(found.labels).items())
    return f"{split}: {shares} of the labels; people by number of labels: {_counts(found.labels_each)}."


def _numbers(found: list[Statistics]) -> list[str]:
    table: dict[str, list[str]] = {}
    for entry in found:
        for name, values in box_numbers(entry.boxes).items():
            table.setdefault(name, []).append(quantiles(values))
        table.setdefault("visible share of the body", []).append(quantiles(entry.visible))
        table.setdefault("clips by people in view", []).append(_counts(entry.people_each))
        table.setdefault("clips by size", []).append(_counts(entry.sizes))
        for name in ("sex", "age", "facing"):
            table.setdefault(f"people in view by {name}", []).append(_counts(entry.looks.get(name, Counter())))
        table.setdefault("clips by place", []).append(_counts(entry.places))
        table.setdefault("clips by object in view, the 30 most frequent", []).append(
            _counts(Counter(dict(entry.things.most_common(30))))
        )
    return [f"| {name} | {' | '.join(values)} |" for name, values in table.items()]


def _counts(counts: Counter[Any]) -> str:
    return ", ".join(f"{key} {count}" for key, count in sorted(counts.items(), key=lambda item: str(item[0]))) or "–"


def _controls(out: Path, known: dict[str, Statistics]) -> str:
    """What ``training.controls`` found, where its JSON lies in the folder."""
    path = out / "controls.json"
    if not path.exists():
        return ""
    try:
        return _quoted(read_object(path), known)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not what training.controls writes; delete it or run that again") from error


def _quoted(found: dict[str, Any], known: dict[str, Statistics]) -> str:
    choice, words, split = found["choice"], found["words"], found["split"]
    now = known[split].sentences - known[split].absent if split in known else words["records"]
    return CONTROLS.format(
        command=found["command"],
        records=words["records"],
        split=split,
        since="" if now == words["records"] else f", which has {now} now: run it again",
        rule=choice["best"],
        chosen=choice["acc_iou50"],
        chosen_ci=_interval(choice["ci95"]),
        chosen_bound=choice["allowed"],
        random=choice["rules"]["random"],
        words=words["map_macro"],
        words_ci=_interval(words["ci95"]),
        words_bound=words["allowed"],
        prior=words["prior"],
    )


def _interval(ends: list[float]) -> str:
    return f"{ends[0]:.3f}–{ends[1]:.3f}"
