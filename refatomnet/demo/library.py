"""A folder of described people behind the Browse tab: read once, searched, and made into clips that a browser plays."""

import logging
import re
import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from refatomnet.actions import ACTIONS, Action, action
from refatomnet.demo.playing import Playable, make_playable, still
from refatomnet.demo.plots import data_address
from refatomnet.demo.samples import read_folder
from refatomnet.errors import DataError, RefAtomNetError
from refatomnet.records import Record

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

NOBODY = "fits nobody"
KEPT_CLIPS = 64
KEPT_STILLS = 512
QUALITY = 82  # of its pictures, as JPEG
OUR_FAULT = "the folder could not be read; the log says why"


@dataclass(frozen=True)
class Sought:
    """What is looked for: words of the sentence, an action's id, and a group of actions or NOBODY; empty is any."""

    words: str = ""
    action: int | None = None
    group: str = ""


class Library:
    """The records of a folder, read on a thread of its own; clips made of them are gone when it is closed.

    Args:
        folder: Holds records (``*.jsonl``) or RefAVA++'s pickles, and their clips or frames.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._clips: OrderedDict[str, Playable] = OrderedDict()
        self._making = threading.Lock()
        self._records: tuple[Record, ...] = ()
        self._sentences: list[str] = []
        self._error: RefAtomNetError | None = None
        self._read = threading.Event()
        self._shown_by: dict[str, int] = {}  # one record of each key frame, which several share
        self._still = lru_cache(KEPT_STILLS)(self._small_picture)
        threading.Thread(target=self._load, name="read-library", daemon=True).start()

    def _load(self) -> None:
        try:
            self._records = tuple(read_folder(self.folder))
            self._sentences = [record.sentence.casefold() for record in self._records]
            self._shown_by = {record.moment: i for i, record in enumerate(self._records)}
            if not self._records:
                self._error = DataError(f"{self.folder.name} holds no described people")
        except RefAtomNetError as error:
            self._error = error
        except Exception:
            log.exception("the folder %s could not be read", self.folder)
            self._error = DataError(OUR_FAULT)
        finally:
            self._read.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether the folder has been read, after at most so many seconds."""
        return self._read.wait(seconds)

    @property
    def records(self) -> tuple[Record, ...]:
        """All of them, in their order; waits until they are there.

        Raises:
            DataError: If the folder cannot be read.
        """
        self._read.wait()
        if self._error:
            raise self._error
        return self._records

    def find(self, sought: Sought) -> list[int]:
        """Indices of the records in which every word begins some word of the sentence, and the rest holds.

        Raises:
            DataError: If the folder cannot be read.
        """
        records = self.records
        starts = [re.compile(rf"\b{re.escape(word)}") for word in re.findall(r"\w+", sought.words.casefold())]
        ids = {entry.id for entry in ACTIONS if entry.group == sought.group}
        return [
            i
            for i, record in enumerate(records)
            if (not sought.action or sought.action in record.actions)
            and (not sought.group or _is_of(record, sought.group, ids))
            and all(start.search(self._sentences[i]) for start in starts)
        ]

    def actions(self, group: str = "") -> list[tuple[Action, int]]:
        """Actions that occur, in the order of their ids, with their number of records.

        Raises:
            DataError: If the folder cannot be read.
        """
        counts = Counter(i for record in self.records for i in set(record.actions))
        return [(action(i), counts[i]) for i in sorted(counts) if group in ("", action(i).group)]

    def record(self, index: int) -> Record:
        """The record of an index as :meth:`find` gives them.

        Raises:
            DataError: If there is none.
        """
        if not 0 <= index < len(self.records):
            raise DataError(f"there is no record {index}; the folder holds {len(self.records)}, counted from 0")
        return self.records[index]

    def playable(self, index: int) -> Playable:
        """The clip of a record, made if need be.

        Raises:
            DataError: If its clip or frames are not there, or lie outside the folder.
            VideoError: If the clip cannot be read.
        """
        record = self.record(index)
        with self._making:
            known = self._clips.pop(record.moment, None)
            if known is None or not known.clip.is_file():
                known = self._named(lambda: make_playable(record, self.folder, self._shelf()))
            self._clips[record.moment] = known
            while len(self._clips) > KEPT_CLIPS:
                shutil.rmtree(self._clips.popitem(last=False)[1].clip.parent, ignore_errors=True)
        return known

    def picture(self, index: int) -> str:
        """A small picture of a record's key frame with its box, as a ``data:`` address; empty where there is none."""
        try:
            record = self.record(index)
            image = self._still(self._shown_by[record.moment]).copy()
        except RefAtomNetError as error:
            log.info("no picture of record %d: %s", index, error)
            return ""
        if record.box_xyxy is not None:
            _frame(image, record.box_xyxy)
        return data_address(image, QUALITY)

    def _small_picture(self, index: int) -> "Image":
        return still(self.record(index), self.folder)

    def _shelf(self) -> Path:
        """The folder of made clips, which nobody is served from; made anew if somebody removed it."""
        if self._place is None or not Path(self._place.name).is_dir():
            self._place = tempfile.TemporaryDirectory(prefix="refatomnet-", ignore_cleanup_errors=True)
        return Path(self._place.name)

    def _named(self, work: Callable[[], Playable]) -> Playable:
        """Do it; what an error says of the folder is its name alone."""
        try:
            return work()
        except RefAtomNetError as error:
            said = str(error).replace(f"{self.folder.resolve()}/", "").replace(f"{self.folder}/", "")
            raise type(error)(said) from error

    def close(self) -> None:
        """Remove all made clips."""
        with self._making:
            self._clips.clear()
            if self._place is not None:
                self._place.cleanup()
                self._place = None


def _is_of(record: Record, group: str, ids: set[int]) -> bool:
    return record.box_xyxy is None if group == NOBODY else not ids.isdisjoint(record.actions)


def _frame(image: "Image", box_xyxy: Sequence[float]) -> None:
    from PIL import ImageDraw

    width, height = image.size
    x1, y1, x2, y2 = box_xyxy
    corners = (x1 * (width - 1), y1 * (height - 1), x2 * (width - 1), y2 * (height - 1))
    pen = ImageDraw.Draw(image)
    pen.rectangle(corners, outline=(0, 0, 0), width=4)
    pen.rectangle(corners, outline=(255, 255, 255), width=2)
