"""Sample clips of the demo, read from a folder of records (``*.jsonl``, one person a line)."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from refatomnet.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SAMPLES = 12
MAX_SENTENCES = 4
THUMBNAIL_PX = 320


@dataclass(frozen=True)
class Sample:
    """A clip with example sentences; those that fit somebody come first."""

    clip: Path
    sentences: tuple[str, ...]


def read_samples(folder: str | Path, *, limit: int = MAX_SAMPLES) -> list[Sample]:
    """Collect the clips of every ``*.jsonl`` in ``folder``, in the order of the records.

    Records without a clip, and clips that are not there, are passed over.

    Raises:
        DataError: If a line is not a record, or names a clip outside the folder.
    """
    root = Path(folder)
    clips: dict[Path, list[tuple[bool, str]]] = {}
    for table in sorted(root.glob("*.jsonl")):
        with table.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                clip, sentence, nobody = _record(line, root, f"{table}, line {number}")
                if clip is None or (clip not in clips and (len(clips) == limit or not clip.is_file())):
                    continue
                if all(sentence != known for _, known in clips.setdefault(clip, [])):
                    clips[clip].append((nobody, sentence))
    return [Sample(clip, _choose(entries)) for clip, entries in clips.items()]


def thumbnail(clip: Path) -> "Image":
    """A small picture from the middle of the clip.

    Raises:
        DataError: If the clip has no readable picture.
    """
    import av

    try:
        with av.open(str(clip)) as container:
            if container.duration:
                container.seek(container.duration // 2)
            picture = next(container.decode(video=0)).to_image()
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise DataError(f"no picture can be read from {clip}; remove it from the samples or replace it") from error
    picture.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    return picture


def _record(line: str, root: Path, where: str) -> tuple[Path | None, str, bool]:
    try:
        record: Any = json.loads(line)
        sentence = str(record["sentence"])
        nobody = record.get("box_xyxy") is None
        name = record.get("clip")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{where} is not a record; expected a JSON object with a sentence and a clip") from error
    if name is None:
        return None, sentence, nobody
    inside = PurePosixPath(str(name))
    if inside.is_absolute() or ".." in inside.parts:
        raise DataError(f"{where} names the clip {name!r} outside its folder; give a path inside {root}")
    return root / inside, sentence, nobody


def _choose(entries: list[tuple[bool, str]]) -> tuple[str, ...]:
    """At most MAX_SENTENCES: those about somebody first, one about nobody kept where there is one."""
    someone = [sentence for nobody, sentence in entries if not nobody]
    no_one = [sentence for nobody, sentence in entries if nobody]
    kept = someone[: MAX_SENTENCES - min(1, len(no_one))]
    return tuple(kept + no_one[: MAX_SENTENCES - len(kept)])
