"""The data card, written beside the data as README.md."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from refatomnet.actions import ACTIONS
from training.data.records import read_records

CARD = """# OpenRAVAR

Rendered clips of several people, sentences about one of them or about nobody, that person's box on the key frame and AVA action labels.
No person in it is real and no part of it is anyone's film. Licence: CC0 1.0.

| split | clips | people described | sentences | of them fitting nobody |
|---|---|---|---|---|
{rows}

## Form
`{{split}}.jsonl`: a JSON line a sentence: video, timestamp, person_id, split, sentence, actions (AVA ids), box_xyxy (fractions of the key frame; null where
the sentence fits nobody), clip, key_frame, fps, kind (what the sentence speaks of), hard (someone else has the same colour of top, or the same sex and garment;
also near misses). `scenes/{{split}}.jsonl`: a line a clip with everyone in it: boxes per frame, visible share, looks, facing, posture, depth, actions.
Clips are H.264 MP4; `samples` are longer and larger, for looking at.

## How it was made
```
{commands}
```
The same seed gives the same annotation bytes; failed clips are left out. Every sentence was checked by a program to fit exactly its person at the key frame, or
nobody. Sentence templates, like the renderer's material, are divided between train, val and test (`samples` uses test's).

## Labels (sentences about a person with the label)
| id | action | {splits} |
|{rule}
{labels}

## Known limits
- Rendered people in procedural places: looks, motion and camera work are simpler than in films, and labels are uneven and few beside AVA's 80.
- Sentences come from templates: plain English about clothes, hair, place, order, relation, height and facing; no slips, no idiom, no action words.
- A person may have several records, one a sentence; weigh per-person statistics accordingly.
- Skin, hair and body are varied by chance, not to match any population; sex and age words state the renderer's intention.
"""


def data_card(out: Path, splits: Iterable[str]) -> str:
    """The folder's README.md, from the merged files of these splits in it."""
    rows, commands, counts = [], [], {}
    for split in splits:
        if not (out / f"{split}.jsonl").exists():
            continue
        records = read_records(out / f"{split}.jsonl")
        with (out / "scenes" / f"{split}.jsonl").open(encoding="utf-8") as file:
            clips = sum(1 for _ in file)
        seed = json.loads((out / ".parts" / split / "run.json").read_text())["seed"]
        absent = sum(r.box_xyxy is None for r in records)
        people = len({(r.video, r.person_id) for r in records if r.box_xyxy is not None})
        rows.append(f"| {split} | {clips} | {people} | {len(records)} | {absent} |")
        commands.append(f"python -m training.generate --out DIR --split {split} --clips {clips} --seed {seed}")
        counts[split] = Counter(a for r in records for a in r.actions)
    labels = [
        f"| {a.id} | {a.name} | " + " | ".join(str(c[a.id]) for c in counts.values()) + " |"
        for a in ACTIONS
        if any(c[a.id] for c in counts.values())
    ]
    return CARD.format(
        rows="\n".join(rows),
        commands="\n".join(commands),
        splits=" | ".join(counts),
        rule="---|" * (len(counts) + 2),
        labels="\n".join(labels),
    )
