"""The one configuration of a model; it travels inside the checkpoint."""

import re
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
    "encoder": ("compact", "blip2"),
    "tokens": ("qformer", "grid"),
    "text": ("minilm", "bag-of-words", "blip2"),
    "levels": ("scene", "keyword", "sentence"),
    "branches": ("temporal", "spatial"),
    "retrieval": ("hard", "soft", "random"),
    "scan": ("mamba", "lstm", "transformer", "none"),
    "answer": ("people", "place", "branches"),
}

# Of the tier of public models alone.
_PUBLIC = "tokens blip2 detector keywords queries query_width patches patch_width".split()


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a model and of the pictures it reads, and the switches that its ablations turn.

    architecture: The fusion: "refatomnetpp", "refatomnet" or "plain". Everything around it is the same.
    encoder, text: Frozen encoders of frames and of sentences; those of "blip2" come from the hub or a folder.
    tokens, blip2, detector, keywords: Of the BLIP-2 tier (:mod:`refatomnet.encoders.pretrained`) alone. Which visual
        tokens: the Q-Former's, as in the papers, or the grid of the ViT's patches, which keeps place. Then hub ids or
        folders: of BLIP-2 for retrieval, of a detector, and of a language model for the embeddings of words, as the
        RefAtomNet++ paper has it; None takes words from BLIP-2's text side, which is loaded anyway.
    queries, query_width, patches, patch_width: Sizes of that BLIP-2: Q-Former tokens a frame and their width, patches
        along a side of the picture and their width.
    levels, branches, retrieval, scan: Of RefAtomNet++ alone. Semantic levels that the visual tokens read; branches that
        read them; how a cue picks its token ("random": in a shared space that is never learnt, as in the release); what
        scans a trajectory.
    answer: Where box and score come from: "people", the best of the detected people; "place", the cell of the picture
        where the described person's middle is; "branches", regressed from the pooled branches, as in the papers.
    presence: Whether "nobody fits" is learnt as an answer.
    frame_boxes: Whether every frame gets a box of its own; otherwise each has the key frame's.
    looks: Whether people are looked at in the pixels of the key frame, and in what changes there from frame to frame,
        beside the frozen features.
    relations: Whether the people count who is on which side of them, before any sentence is read and as they are
        compared, see where others and things are from there, and must fit every part of it; of the answer "people"
        alone.
    frames, key_frame, frame_rate: A clip is ``frames`` pictures at ``frame_rate`` per second; the answer is about
        the one with index ``key_frame``.
    image_height, image_width: Canvas in pixels that every picture is letterboxed to; multiples of 32. In the BLIP-2
        tier the most a picture may have: its encoders take whole pictures, and no canvas.
    categories: What the detection head tells apart; index 0 is the person.
    width: Width D of every token; the papers have 768 and 256, which a CPU would be slow on.
    fused_width: Of RefAtomNet++ alone: width once trajectories are scanned, as the paper goes from 768 to 256; None
        keeps ``width``.
    heads, dropout: Of every attention; the width must be a multiple of the heads.
    layers: Rounds in which the detected people read the sentence and each other.
    state_size: States that a scan keeps for each channel.
    people, things: Detections kept a key frame as scene attributes, P and M - P.
    word_width: Width of the frozen text encoder's words.

    Raises:
        ValueError: If a switch has none of its values, or a size makes no sense.
    """

    architecture: str = "refatomnetpp"
    encoder: str = "compact"
    text: str = "minilm"
    tokens: str = "qformer"
    blip2: str = "Salesforce/blip2-itm-vit-g"
    detector: str = "facebook/detr-resnet-50"
    keywords: str | None = None
    queries: int = 32
    query_width: int = 768
    patches: int = 16
    patch_width: int = 1408
    levels: tuple[str, ...] = _CHOICES["levels"]
    branches: tuple[str, ...] = _CHOICES["branches"]
    retrieval: str = "hard"
    scan: str = "mamba"
    answer: str = "people"
    presence: bool = True
    frame_boxes: bool = True
    looks: bool = True
    relations: bool = True
    width: int = 128
    fused_width: int | None = None
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
        sizes = "width heads layers state_size frames frame_rate people things word_width queries query_width patches"
        for name in f"{sizes} patch_width".split():
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected more than 0")
        for name, width in (("width", self.width), ("fused_width", self.features_width)):
            if width <= 0 or width % self.heads:
                raise ValueError(f"{name} is {width}; expected a multiple of the {self.heads} heads")
        if not 0 <= self.key_frame < self.frames:
            raise ValueError(f"key_frame is {self.key_frame}; expected one of the frames, 0 to {self.frames - 1}")
        if self.image_height % 32 or self.image_width % 32 or min(self.image_height, self.image_width) < 32:
            raise ValueError(f"the image is {self.image_width}x{self.image_height}; expected multiples of 32 pixels")
        if self.fused_width is not None and self.architecture != "refatomnetpp":
            raise ValueError(f"fused_width is of RefAtomNet++ alone; expected none for {self.architecture!r}")
        self._check_tier()

    def _check_tier(self) -> None:
        """What the BLIP-2 tier can do, and what the compact one cannot."""
        if (self.encoder == "blip2") != (self.text == "blip2"):
            raise ValueError(f"encoder and text are {self.encoder!r} and {self.text!r}; 'blip2' is expected of both")
        if self.encoder != "blip2":
            if self.keywords is not None:
                raise ValueError(f"keywords is {self.keywords!r}; expected none but with encoder 'blip2'")
            return
        if self.keywords is None and self.word_width != self.query_width:
            raise ValueError(f"word_width is {self.word_width}; BLIP-2's own words have {self.query_width}")
        if self.looks:
            raise ValueError("looks are of the compact encoder; expected looks: false for 'blip2'")
        if self.tokens == "qformer" and (self.frame_boxes or self.answer == "place"):
            raise ValueError(
                "the Q-Former's tokens have no place; frame_boxes and the answer 'place' need tokens: grid"
            )
        if self.tokens == "grid" and self.patches % 2:
            raise ValueError(f"patches is {self.patches}; expected an even number")

    @property
    def whole_pictures(self) -> bool:
        """Whether a picture is all of its canvas, without a border."""
        return self.encoder != "compact"

    @property
    def has_places(self) -> bool:
        """Whether visual tokens lie on a grid over the picture."""
        return self.encoder == "compact" or self.tokens == "grid"

    @property
    def token_grid(self) -> tuple[int, int]:
        """Rows and columns of the visual tokens of a frame; one row where they have no place."""
        if self.encoder == "compact":
            return self.image_height // 16, self.image_width // 16
        return (self.patches, self.patches) if self.has_places else (1, self.queries)

    @property
    def features_width(self) -> int:
        """Width of what a fusion gives the heads."""
        return self.width if self.fused_width is None else self.fused_width

    @property
    def sentence_width(self) -> int:
        """Width of the frozen text encoder's sentences."""
        return self.query_width if self.text == "blip2" else self.word_width

    @property
    def text_name(self) -> str:
        """What tells the text encoder from others, fit for a file's name."""
        return self.text if self.keywords is None else f"{self.text}, {re.sub('[^A-Za-z0-9.-]+', '_', self.keywords)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, for JSON; without what a compact model has no use for."""
        unused = {"fused_width"} if self.fused_width is None else set()
        unused |= set(_PUBLIC) if self.encoder == "compact" else set()
        said = {key: value for key, value in asdict(self).items() if key not in unused}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}

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
