"""The one configuration of a model; it travels inside the checkpoint."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from refatomnet.errors import CheckpointError

# What the compact detection head tells apart; the person comes first.
CATEGORIES = (
    "person chair bench table sofa bed ball phone cup book box laptop bag cloth plant lamp bin curtain cabinet sign "
    "window car thing"
).split()

_CHOICES = {
    "architecture": ("refatomnetpp", "refatomnet", "plain"),
    "encoder": ("compact",),
    "text": ("minilm", "bag-of-words"),
    "levels": ("scene", "keyword", "sentence"),
    "branches": ("temporal", "spatial"),
    "retrieval": ("hard", "soft", "random"),
    "scan": ("mamba", "lstm", "transformer", "none"),
    "answer": ("people", "place", "branches"),
}


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a model and of the pictures it reads, and the switches that its ablations turn.

    architecture: The fusion: "refatomnetpp", "refatomnet" or "plain". Everything around it is the same.
    encoder, text: Frozen encoders of frames and of sentences.
    levels, branches, retrieval, scan: Of RefAtomNet++ alone. Semantic levels that the visual tokens read; branches that
        read them; how a cue picks its token ("random": in a shared space that is never learnt, as in the release); what
        scans a trajectory.
    answer: Where box and score come from: "people", the best of the detected people; "place", the cell of the picture
        where the described person's middle is; "branches", regressed from the pooled branches, as in the papers.
    presence: Whether "nobody fits" is learnt as an answer.
    frame_boxes: Whether every frame gets a box of its own; otherwise each has the key frame's.
    looks: Whether people are looked at in the pixels of the key frame, beside the frozen features.
    frames, key_frame, frame_rate: A clip is ``frames`` pictures at ``frame_rate`` per second; the answer is about
        the one with index ``key_frame``.
    image_height, image_width: Canvas in pixels that every picture is letterboxed to; multiples of 32.
    categories: What the detection head tells apart; index 0 is the person.
    width: Width D of every token; the papers have 768 and 256, which a CPU would be slow on.
    heads, dropout: Of every attention; the width must be a multiple of the heads.
    layers: Rounds in which the detected people read the sentence and each other.
    state_size: States that a scan keeps for each channel.
    people, things: Detections kept a key frame as scene attributes, P and M - P.
    word_width: Width of the frozen text encoder's states.

    Raises:
        ValueError: If a switch has none of its values, or a size makes no sense.
    """

    architecture: str = "refatomnetpp"
    encoder: str = "compact"
    text: str = "minilm"
    levels: tuple[str, ...] = _CHOICES["levels"]
    branches: tuple[str, ...] = _CHOICES["branches"]
    retrieval: str = "hard"
    scan: str = "mamba"
    answer: str = "people"
    presence: bool = True
    frame_boxes: bool = True
    looks: bool = True
    width: int = 128
    heads: int = 8
    layers: int = 2
    state_size: int = 8
    dropout: float = 0.1
    frames: int = 8
    key_frame: int = 4
    frame_rate: float = 3.0
    image_height: int = 192
    image_width: int = 320
    people: int = 8
    things: int = 6
    word_width: int = 384
    categories: tuple[str, ...] = tuple(CATEGORIES)

    def __post_init__(self) -> None:
        for name in ("levels", "branches", "categories"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # YAML and JSON give lists
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            values = value if isinstance(value, tuple) else (value,)
            if not values or any(one not in known or values.count(one) > 1 for one in values):
                raise ValueError(f"{name} is {value!r}; expected {' or '.join(map(repr, known))}")
        for name in "width heads layers state_size frames frame_rate people things word_width".split():
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected more than 0")
        if self.width % self.heads:
            raise ValueError(f"width is {self.width}; expected a multiple of the {self.heads} heads")
        if not 0 <= self.key_frame < self.frames:
            raise ValueError(f"key_frame is {self.key_frame}; expected one of the frames, 0 to {self.frames - 1}")
        if self.image_height % 32 or self.image_width % 32 or min(self.image_height, self.image_width) < 32:
            raise ValueError(f"the image is {self.image_width}x{self.image_height}; expected multiples of 32 pixels")

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ModelConfig":
        """The inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: If a key is unknown, or a switch has a value that is.
        """
        unknown = set(data) - {f.name for f in fields(cls)}
        if unknown:
            raise CheckpointError(f"model config has unknown keys {sorted(unknown)}; is it from a newer version?")
        try:
            return cls(**data)
        except (ValueError, TypeError) as error:
            raise CheckpointError(f"model config: {error}; is it damaged, or from a newer version?") from error
