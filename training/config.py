"""The configuration of a training run: a YAML file with ``key=value`` on top; unknown keys are refused."""

import copy
import dataclasses
from pathlib import Path
from typing import Any

import yaml

from refatomnet.config import ModelConfig
from refatomnet.errors import DataError
from training.criterion import LossWeights


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run.

    data, run: Folders; ``~`` is expanded. name: Of the checkpoint.
    start: Checkpoint (name, folder or hub id) whose weights to begin with; None begins anew. With the best one of a run
        go what that run's losses had learnt to read looks by.
    average: Further checkpoints, apart by spaces, of the same line of training: what is begun with is the mean of their
        weights and those of ``start`` (a model soup: Wortsman et al., 2022). Such a run may pass over nothing, and is
        scored and calibrated as it is.
    anew: Parts of the model, such as "fusion branch", that begin anew whatever ``start`` has of them.
    batch_clips, sentences: Clips a step, over all processes and accumulated parts, and sentences about each.
    more_sentences: About each besides, which only choose among people, without the fusion, at a fifth of the work.
    accumulate: Parts a step's batch is worked through in, where memory is short.
    precision: "no" for float32, "bf16" for mixed precision (losses stay float32).
    look_epochs: Passes over everybody on the key frames, seen alone, first: their looks, actions and joints are learnt
        from their pixels at a ninth of the work. still_epochs: Passes over the key frames alone, next: people, looks
        and sentences are learnt at a fraction of the work. epochs: Passes over the whole clips after that, from half
        the learning rate where key frames came before. choice_epochs: Passes over the clips last, in which only
        choosing is learnt, among people as all else tells them by then, without the fusion: under half of the work in
        the first pass, and less in each further one. The learning rate falls to zero over each of the four.
    stills: Data set whose key frames the look and still epochs pass over, ``training.generate --stills``; ``data``'s by
        default.
    minutes: Stop early after so many minutes of this sitting, ready to resume; None for no limit.
    patience: Stop for good after so many looks at val without a better score; None never does.
    true_share: Share of clips with true boxes among the candidates, at the start; falls linearly to a quarter of it.
    mirror: Share of clips seen mirrored, all frames of a clip alike, with boxes and the words left and right mirrored;
        many of them in haze, other light, grain or blur (``training.data.weather``).
    ema: Decay of the averaged weights, which are what is evaluated and saved.
    evaluate_every, save_every: Steps between looks at val, and between saved states. val_clips: Clips to look at.
    limit: Train on the first so many clips. threads: Of the CPU, or what there is for each process.
    """

    data: str = "~/.cache/refatomnet/openravar"
    run: str = "~/.cache/refatomnet/runs/compact"
    name: str = "compact"
    start: str | None = None
    average: str | None = None
    anew: str = ""
    seed: int = 0
    batch_clips: int = 24
    sentences: int = 4
    more_sentences: int = 0
    accumulate: int = 1
    precision: str = "no"
    look_epochs: float = 0.0
    still_epochs: float = 0.0
    stills: str | None = None
    epochs: float = 6.0
    choice_epochs: float = 0.0
    minutes: float | None = None
    patience: int | None = None
    learning_rate: float = 6e-4
    weight_decay: float = 0.05
    warmup_steps: int = 150
    clip_norm: float = 2.0
    ema: float = 0.998
    true_share: float = 0.8
    mirror: float = 0.0
    evaluate_every: int = 400
    save_every: int = 100
    val_clips: int | None = 400
    limit: int | None = None
    threads: int = 2
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    loss: LossWeights = dataclasses.field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        for (
            name
        ) in "batch_clips sentences accumulate evaluate_every save_every threads val_clips limit patience".split():
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value!r}; expected more than 0")
        if self.precision not in ("no", "bf16"):
            raise ValueError(f"precision is {self.precision!r}; expected 'no' or 'bf16'")
        passes = self.passes
        if self.average and self.start is None:
            raise ValueError(f"average is {self.average!r}, but there is no start to average with; expected one")
        if min(passes.values()) < 0 or not (sum(passes.values()) > 0 or self.average):
            said = ", ".join(f"{name} {count}" for name, count in passes.items())
            raise ValueError(f"there is nothing to pass over: {said}; expected some")
        for name in ("more_sentences", "choice_epochs"):
            value = getattr(self, name)
            if value < 0 or (value and self.model.answer != "people"):
                raise ValueError(
                    f"{name} is {value}, and the answer {self.model.answer!r}; expected 0, or more where the answer is "
                    "among people"
                )
        if self.look_epochs and not self.model.looks:
            raise ValueError(f"look_epochs is {self.look_epochs}, but the model has no looks; expected 0")
        if self.look_epochs and not (self.loss.look or self.loss.look_action or self.loss.look_joint):
            raise ValueError(f"look_epochs is {self.look_epochs}, but all losses of looks are 0; expected one above 0")

    @property
    def passes(self) -> dict[str, float]:
        """Of each phase, in their order."""
        return {name: getattr(self, name) for name in ("look_epochs", "still_epochs", "epochs", "choice_epochs")}

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, for JSON."""
        return dataclasses.asdict(self) | {"model": self.model.to_dict()}


def read_train_config(path: Path, overrides: list[str]) -> TrainConfig:
    """A YAML file, with ``key=value`` and ``part.key=value`` on top.

    Raises:
        DataError: If it cannot be read, a key is unknown, a value is none, or an override has no ``=``.
    """
    return make_config(override(read_yaml(path), overrides))


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file.

    Raises:
        DataError: If it cannot be read, or holds something else.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise DataError(f"{path} cannot be read as a config ({said}); expected key: value lines") from error
    if not isinstance(values, dict):
        raise DataError(f"{path} is no config; expected key: value lines")
    return values


def override(values: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """The values with ``key=value`` and ``part.key=value`` put over them; what stands right of = is read as YAML.

    Raises:
        DataError: If an override has no ``=``, or goes into a key that has no parts.
    """
    values = copy.deepcopy(values)
    for text in overrides:
        key, found, value = text.partition("=")
        if not found:
            raise DataError(f"{text!r} is no key=value")
        *parts, last = key.split(".")
        place = values
        for part in parts:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise DataError(f"{text!r}: {part} has no parts")
        try:
            place[last] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise DataError(f"{text!r}: the value cannot be read") from error
    return values


def make_config(values: dict[str, Any]) -> TrainConfig:
    """A config from plain containers.

    Raises:
        DataError: If a key is unknown, or a value of the wrong type or out of range.
    """
    return _fill(TrainConfig, values)


def _fill(kind: Any, values: Any) -> Any:
    if not isinstance(values, dict):
        raise DataError(f"{values!r} is no {kind.__name__}; expected keys and values")
    known = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(values) - set(known)):
        raise DataError(f"unknown keys {unknown} for {kind.__name__}; known are {sorted(known)}")
    nested = {"model": ModelConfig, "loss": LossWeights}
    made = {}
    for key, value in values.items():
        made[key] = _fill(nested[key], value) if key in nested else _checked(key, value, known[key].type)
    try:
        return kind(**made)
    except (ValueError, TypeError) as error:
        raise DataError(f"{kind.__name__}: {error}") from error


def _checked(key: str, value: Any, wanted: Any) -> Any:
    """The value if it is of the field's type; a whole number will do for a float."""
    options = getattr(wanted, "__args__", (wanted,))
    if getattr(wanted, "__origin__", None) is tuple:
        options = (list, tuple)
    if float in options and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (isinstance(value, bool) and bool not in options) or not isinstance(value, tuple(options)):
        names = " or ".join("none" if option is type(None) else option.__name__ for option in options)
        hint = "; YAML reads 1.0e-3 as a number, but not 1e-3" if float in options and isinstance(value, str) else ""
        raise DataError(f"{key} is {value!r}; expected {names}{hint}")
    return value
