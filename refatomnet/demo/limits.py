"""What the page accepts and keeps; stated on it and enforced before anything is decoded."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from refatomnet.errors import SentenceError, VideoError

if TYPE_CHECKING:
    from refatomnet.video import Header

MAX_FILE_MB = 200
MAX_SENTENCES = 8
MAX_QUEUE = 64
MAX_SESSIONS = 256
CACHE_S = (600, 2 * 3600)  # look every ten minutes, delete what is older than two hours
PAGE_IDLE_S, CLIENT_IDLE_S = 2 * 3600, 600  # how long an open page, and a program, may do nothing


@dataclass(frozen=True)
class Limits:
    """What a request may be.

    max_file_mb: Megabytes (1024 x 1024 bytes) of a clip. max_minutes: its duration. max_size: pixels of its longer and
    its shorter side. sentences: most in one run. letters: most in a sentence. queue: how many requests may wait.
    """

    max_file_mb: int = MAX_FILE_MB
    max_minutes: float = 10.0
    max_size: tuple[int, int] = (4096, 2304)
    sentences: int = MAX_SENTENCES
    letters: int = 300
    queue: int = MAX_QUEUE

    def words(self) -> str:
        """The limits of a clip, to be read: ``at most 200 MB, 10 min, 4096×2304 pixels``."""
        longer, shorter = self.max_size
        return f"at most {self.max_file_mb} MB, {self.max_minutes:g} min, {longer}×{shorter} pixels"


def check_clip(path: Path, limits: Limits, *, span: float | None = None) -> "Header":
    """Refuse a clip by its size on disk, by what its header says, and last by counting its packets; no decoding.

    Args:
        path: The file.
        limits: What is accepted.
        span: Seconds of it that are asked for; a longer clip is accepted when they lie within the limit.

    Returns:
        What its header says; the duration is always there.

    Raises:
        VideoError: If it is gone, empty, not a video, or larger, longer or with more pixels than accepted.
    """
    from refatomnet.video import Header, peek, probe

    if not path.is_file():
        raise VideoError(f"The clip {path.name} is no longer here; upload it again.")
    megabytes = path.stat().st_size / 1024**2
    if megabytes > limits.max_file_mb:
        raise VideoError(
            f"{path.name} has {megabytes:.0f} MB, at most {limits.max_file_mb} MB are accepted; shorten or shrink it."
        )
    header = peek(path)
    longer, shorter = limits.max_size
    sides = sorted((header.width, header.height), reverse=True)
    if sides[0] > longer or sides[1] > shorter:
        raise VideoError(
            f"{path.name} is {header.width}×{header.height} pixels, at most {longer}×{shorter} are accepted; scale it "
            "down."
        )
    seconds = header.seconds
    if seconds <= 60 * limits.max_minutes:  # recorders leave the duration out, and a header may be wrong
        seconds = probe(path).duration
    if seconds > 60 * limits.max_minutes and (span is None or span > 60 * limits.max_minutes):
        raise VideoError(
            f"{path.name} lasts {_length(seconds)}, at most {_length(60 * limits.max_minutes)} are accepted; trim it."
        )
    return Header(header.width, header.height, seconds)


def split_sentences(text: str | None, limits: Limits | None = None) -> list[str]:
    """One sentence a line, empty lines left out.

    Raises:
        SentenceError: If there is none, there are too many, or one is too long.
    """
    limits = limits or Limits()
    sentences = [" ".join(line.split()) for line in (text or "").splitlines() if line.strip()]
    if not sentences:
        raise SentenceError("No sentence was given; say who to look for, for example ‘the woman in the red coat’.")
    if len(sentences) > limits.sentences:
        raise SentenceError(
            f"{len(sentences)} sentences were given, at most {limits.sentences} fit one run; ask the others afterwards."
        )
    for number, sentence in enumerate(sentences, start=1):
        if len(sentence) > limits.letters:
            which = f"Sentence {number}" if len(sentences) > 1 else "The sentence"
            raise SentenceError(
                f"{which} has {len(sentence)} letters, at most {limits.letters} are accepted; say it in fewer words."
            )
    return sentences


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
