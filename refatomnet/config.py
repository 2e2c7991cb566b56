"""The one configuration of a model; it travels inside the checkpoint."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from refatomnet.errors import CheckpointError

# What the compact detection head tells apart; the person comes first.
CATEGORIES = (
    "person chair bench table sofa bed ball phone cup book box laptop bag cloth plant lamp bin curtain cabinet sign "
    "window car thing"
).split()


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the compact RefAtomNet++ and of the pictures it reads.

    frames, key_frame, frame_rate: A clip is ``frames`` pictures at ``frame_rate`` per second; the answer is about
        the one with index ``key_frame``.
    image_height, image_width: Canvas in pixels that every picture is letterboxed to; multiples of 32.
    categories: What the detection head tells apart; index 0 is the person.
    people, things: Detections kept a key frame as scene attributes.
    word_width: Width of the frozen text encoder's states.
    """

    architecture: str = "refatomnetpp"
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

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, for JSON."""
        return {**asdict(self), "categories": list(self.categories)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ModelConfig":
        """The inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: If a key is unknown.
        """
        unknown = set(data) - {f.name for f in fields(cls)}
        if unknown:
            raise CheckpointError(f"model config has unknown keys {sorted(unknown)}; is it from a newer version?")
        return cls(**{**data, "categories": tuple(data.get("categories", cls.categories))})
