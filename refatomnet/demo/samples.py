"""What the demo reads of a folder of described people, and the sample clips it offers of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refatomnet.errors import DataError
from refatomnet.records import Record, read_lines, record_from_dict

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SAMPLES = 12
MAX_SENTENCES = 4
LINES_LOOKED_AT = 2000  # of each table, for samples; the page must not wait for a large data set
THUMBNAIL_PX = 320
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Sample:
    """A clip with example sentences; those that fit somebody come first."""

    clip: Path
    sentences: tuple[str, ...]


def read_folder(folder: str | Path) -> list[Record]:
    """Every described person of a folder: of its ``*.jsonl`` tables, or else of RefAVA++'s pickles.

    Of the pickles, people who cannot be used are passed over.

    Raises:
        DataError: If the folder holds neither, or what it holds does not follow its form; names files by name alone.
    """
    root = Path(folder)
    if tables := sorted(root.glob("*.jsonl")):
        return [record for table in tables for record in read_table(table)]
    if not any(root.glob("*.pkl")):
        raise DataError(
            f"{root.name} holds no described people; expected *.jsonl records or RefAVA++'s pickles "
            "(python -m training.convert makes records of AVA's tables)"
        )
    from refatomnet.refava import PARTS, Report, pickle_path, read_refava

    report = Report()
    splits = [split for split in SPLITS if any(pickle_path(root, split, part).exists() for part in PARTS)]
    try:
        records = [record for split in splits for record in read_refava(root, split, report)]
    except DataError as error:
        raise DataError(str(error).replace(f"{root}/", "")) from error
    if not records:
        raise DataError(f"{root.name} holds nobody who can be shown: {report}")
    return records


def read_table(table: Path) -> Iterator[Record]:
    """The records of one file; a list of one's own may leave out all but the sentence and the clip.

    Raises:
        DataError: Naming the line, if it is no record, or names a clip outside the folder.
    """
    try:
        for where, line in read_lines(table):
            try:
                yield record_from_dict(_completed(line, table.stem))
            except DataError as error:
                raise DataError(f"{where} is not a record: {error}") from error
    except DataError as error:
        raise DataError(_by_name(str(error), table)) from error


def _by_name(text: str, table: Path) -> str:
    """The same without the folders of this machine: ``test.jsonl, line 3``."""
    place = re.escape(str(table)) + r"(?::(\d+))?"
    return re.sub(place, lambda found: table.name + (f", line {found[1]}" if found[1] else ""), text)


def _completed(line: Any, split: str) -> Any:
    if not isinstance(line, dict) or not isinstance(line.get("clip"), str):
        return line
    name = Path(line["clip"]).stem or "clip"
    usual = {"video": name, "timestamp": 0, "person_id": "0", "split": split, "actions": [], "box_xyxy": None}
    return {**usual, "key_frame": 0, "fps": 25.0, **line}


def read_samples(folder: str | Path, *, limit: int = MAX_SAMPLES) -> list[Sample]:
    """Collect the clips of every ``*.jsonl`` in ``folder``, in the order of the records.

    Records without a clip, and clips that are not there or lead out of the folder, are passed over.

    Raises:
        DataError: If a line is not a record, or names a clip outside the folder.
    """
    root = Path(folder)
    clips: dict[Path, list[tuple[bool, str]]] = {}
    for table in sorted(root.glob("*.jsonl")):
        for record in islice(read_table(table), LINES_LOOKED_AT):
            clip = None if record.clip is None else root / record.clip
            if clip is None or (clip not in clips and (len(clips) == limit or not is_within(clip, root))):
                continue
            if all(record.sentence != known for _, known in clips.setdefault(clip, [])):
                clips[clip].append((record.box_xyxy is None, record.sentence))
    return [Sample(clip, _choose(entries)) for clip, entries in clips.items()]


def is_within(path: Path, root: Path) -> bool:
    """Whether it is a file of this folder, wherever links on the way lead."""
    return path.is_file() and path.resolve().is_relative_to(root.resolve())


def thumbnail(clip: Path, *, at: float | None = None) -> "Image":
    """A small picture of the clip at a second, from its middle by default.

    Raises:
        DataError: If the clip has no readable picture.
    """
    import av

    from refatomnet.video import REFUSED_FORMATS

    try:
        with av.open(str(clip), options={"protocol_whitelist": "file"}) as container:
            if REFUSED_FORMATS & set(container.format.name.split(",")):
                raise DataError(
                    f"{clip.name} is no video but text or a playlist; remove it from the folder or replace it"
                )
            stream = container.streams.video[0]
            if at is None and container.duration:
                container.seek(container.duration // 2)
            elif at and stream.time_base:
                container.seek(int((stream.start_time or 0) + at / stream.time_base), stream=stream)
            stream.thread_type = "AUTO"
            begin = float((stream.start_time or 0) * (stream.time_base or 0))
            picture = None
            for picture in container.decode(stream):
                if at is None or picture.time is None or picture.time - begin >= at - 1e-3:
                    break
            small = picture.to_image() if picture else None
    except (av.FFmpegError, OSError, IndexError):
        small = None
    if small is None:
        raise DataError(f"no picture can be read from {clip.name}; remove it from the folder or replace it")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    return small


def _choose(entries: list[tuple[bool, str]]) -> tuple[str, ...]:
    """At most MAX_SENTENCES: those about somebody first, one about nobody kept where there is one."""
    someone = [sentence for nobody, sentence in entries if not nobody]
    no_one = [sentence for nobody, sentence in entries if nobody]
    kept = someone[: MAX_SENTENCES - min(1, len(no_one))]
    return tuple(kept + no_one[: MAX_SENTENCES - len(kept)])
