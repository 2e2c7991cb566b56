"""Answers about sample clips, made when somebody first asks for them and shared by all who ask the same.

A sample is known by its content, since Gradio gives every visitor a copy. What is kept says nothing about anybody.
"""

import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_CLIPS, MAX_ANSWERS = 32, 64


class SampleCache:
    """What was encoded of samples, and the files of answers about them; the least recently used go first.

    Args:
        samples: The clips.
    """

    def __init__(self, samples: Iterable[Path] = ()) -> None:
        self._samples = [path for path in samples if path.is_file()]
        self._digests: dict[tuple[Path, int, int], str] = {}
        self._clips: OrderedDict[Hashable, Any] = OrderedDict()
        self._answers: OrderedDict[str, Path] = OrderedDict()
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # deleted with this object, or at the end

    def which(self, clip: Path) -> Path | None:
        """The sample with the name and content of this file, or None."""
        size = clip.stat().st_size
        alike = [s for s in self._samples if s.name == clip.name and s.is_file() and s.stat().st_size == size]
        return next((sample for sample in alike if self._digest(sample) == self._digest(clip)), None)

    def clip(self, sample: Path, how: Hashable) -> Any:
        """What was encoded of a sample in this way, or None."""
        key = (self._digest(sample), how)
        with self._lock:
            if key in self._clips:
                self._clips.move_to_end(key)
            return self._clips.get(key)

    def keep_clip(self, sample: Path, how: Hashable, encoded: Any) -> None:
        """Keep what was encoded of a sample, and by whom and with what options."""
        with self._lock:
            self._clips[self._digest(sample), how] = encoded
            while len(self._clips) > MAX_CLIPS:
                self._clips.popitem(last=False)

    def fetch(self, sample: Path, result: dict[str, Any], files: Sequence[str]) -> bool:
        """Put the files of an answer in their places, if it is about a sample and they are kept.

        Args:
            sample: The very clip asked about.
            result: The answer whole, as :meth:`Result.to_dict` gives it, without the server's folders.
            files: Where they are wanted.
        """
        if sample not in self._samples:
            return False
        key = self._name(sample, result, len(files))
        with self._lock:
            kept = self._answers.get(key)
            if kept is None:
                return False
            self._answers.move_to_end(key)
            for number, file in enumerate(files):
                _link(kept / str(number), Path(file))
        return True

    def keep(self, sample: Path, result: dict[str, Any], files: Sequence[str]) -> None:
        """Keep the files of an answer about a sample, as :meth:`fetch` will ask for them; on a full disk, nothing."""
        if sample not in self._samples:
            return
        key = self._name(sample, result, len(files))
        with self._lock, suppress(OSError):
            if key in self._answers:
                return
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="refatomnet-samples-")
            kept = Path(tempfile.mkdtemp(dir=self._folder.name))
            try:
                for number, file in enumerate(files):
                    _link(Path(file), kept / str(number))
            except OSError:
                shutil.rmtree(kept, ignore_errors=True)
                raise
            self._answers[key] = kept
            while len(self._answers) > MAX_ANSWERS:
                shutil.rmtree(self._answers.popitem(last=False)[1], ignore_errors=True)

    def _digest(self, path: Path) -> str:
        status = path.stat()
        key = (path, status.st_size, status.st_mtime_ns)
        if key not in self._digests:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if path not in self._samples:
                return digest
            self._digests[key] = digest
        return self._digests[key]

    def _name(self, sample: Path, result: dict[str, Any], files: int) -> str:
        told = json.dumps([self._digest(sample), result, files], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the disks differ."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
