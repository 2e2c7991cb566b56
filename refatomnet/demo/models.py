"""Predictors: fetched and loaded on threads of their own, one a checkpoint and device."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from refatomnet.downloads import Outlook, fetch, glance, look_up
from refatomnet.errors import Cancelled, CheckpointError, OptionError

if TYPE_CHECKING:
    from refatomnet.demo.handlers import AnyPredictor, Progress, Stop

log = logging.getLogger(__name__)

POLL_S = 0.1
DEVICES = ("auto", "cpu", "cuda")
LOADING = "Loading the model"

Load = Callable[[], "AnyPredictor"]
Choose = Callable[[str, str], "AnyPredictor"]


class LazyPredictor:
    """A predictor given as it is, or loaded by a callable on a thread of its own.

    Args:
        source: The predictor, or what loads it.
        checkpoint: What is fetched first if it is not here, as ``--checkpoint`` names it. That ends when nobody waits
            for it any more.
    """

    def __init__(self, source: "AnyPredictor | Load", checkpoint: str | None = None) -> None:
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._predictor: AnyPredictor | None = None
        self._told = LOADING, 0.0
        self._waiting, self._left = 0, False
        self._lock = threading.Lock()
        if hasattr(source, "encode"):
            self._predictor = cast("AnyPredictor", source)
            self._ready.set()
        else:
            thread = threading.Thread(target=self._load, args=(source, checkpoint), name="load-predictor", daemon=True)
            thread.start()

    @property
    def loading(self) -> bool:
        """Whether the predictor is still on its way."""
        return not self._ready.is_set()

    @property
    def failed(self) -> bool:
        """Whether the loading ended in an error."""
        return self._ready.is_set() and self._predictor is None

    def wait(self, cancelled: "Stop" = lambda: False) -> Iterator[tuple[str, float]]:
        """Until it is there or has failed, ten times a second: what is being done and the share of that done.

        Raises:
            Cancelled: If the caller asked to stop.
        """
        with self._lock:
            self._waiting += 1
        try:
            while not self._ready.wait(POLL_S):
                if cancelled():
                    raise Cancelled("stopped while the model was loading")
                yield self._told
        finally:
            with self._lock:
                self._waiting -= 1
                self._left = True

    def get(self, cancelled: "Stop" = lambda: False, progress: "Progress" = lambda said, done: None) -> "AnyPredictor":
        """The predictor, waiting for it; raises what the loading raised, or Cancelled."""
        for told in self.wait(cancelled):
            progress(*told)
        if self._predictor is None:
            raise self._error or RuntimeError("the loader returned no predictor")
        return self._predictor

    def _load(self, load: Load, checkpoint: str | None) -> None:
        try:
            if checkpoint is not None:
                fetch(checkpoint, self._tell, lambda: self._left and not self._waiting)
            self._tell(LOADING, 0.0)
            self._predictor = load()
        except Exception as error:  # handed to whoever asks
            if not isinstance(error, Cancelled):
                log.exception("the predictor could not be loaded")
            self._error = error
        finally:
            self._ready.set()

    def _tell(self, said: str, done: float) -> None:
        self._told = said, done


class Models:
    """The checkpoints to choose from; each is fetched and loaded when first wanted, at most once a device.

    Args:
        source: The predictor to begin with, or what loads it.
        checkpoints: Names to choose from, and what each stands for; the first is the one to begin with.
        choose: Loads a checkpoint on a device; without it there is no choice.
        device: Where the first runs, one of DEVICES.
    """

    def __init__(
        self,
        source: "AnyPredictor | Load",
        checkpoints: Mapping[str, str] | None = None,
        choose: Choose | None = None,
        device: str = "auto",
    ) -> None:
        self.first = LazyPredictor(source)
        self.names = tuple(checkpoints or ()) if choose else ()
        self._checkpoints = dict(checkpoints or {})
        self._choose = choose
        self._device = device
        self._lock = threading.Lock()
        self._loaded: dict[tuple[str, str], LazyPredictor] = {}

    def pick(self, name: str | None, device: str) -> LazyPredictor:
        """The predictor of a checkpoint on a device; it begins to load if it has not yet.

        Raises:
            CheckpointError: If the name is unknown.
            OptionError: If the device is unknown or not there.
        """
        if device not in DEVICES:
            raise OptionError(f"The device {device!r} is unknown; choose {', '.join(DEVICES)}.")
        wanted = self._device if device == "auto" else device
        if self._choose is None or not self.names:
            if device not in ("auto", self._device):
                raise OptionError("The device cannot be changed here; choose auto.")
            return self.first
        name = name or self.names[0]
        if name not in self._checkpoints:
            raise CheckpointError(f"The checkpoint {name!r} is unknown; choose {' or '.join(self.names)}.")
        if (name, wanted) == (self.names[0], self._device):
            return self.first
        place = _place(wanted)
        if (name, place) == (self.names[0], _place(self._device)):
            return self.first
        with self._lock:
            known = self._loaded.get((name, place))
            if known is None or known.failed:
                choose, source = self._choose, self._checkpoints[name]
                known = self._loaded[name, place] = LazyPredictor(lambda: choose(source, place), source)
            return known

    def outlooks(self, *, ask: bool) -> dict[str, Outlook]:
        """How far each checkpoint is from its use, by its name.

        Args:
            ask: Whether to ask the hub about those that are not here; all at once, for some seconds at most.
        """
        others = self.names[1:]  # the page began with the first
        with ThreadPoolExecutor(max(1, len(others))) as pool:
            found = pool.map(look_up if ask else glance, [self._checkpoints[name] for name in others])
            return {**{name: Outlook() for name in self.names[:1]}, **dict(zip(others, found, strict=True))}


def _place(device: str) -> str:
    """The device itself, for ``auto`` too."""
    if device == "cpu":
        return device
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise OptionError("There is no CUDA device here; choose auto or cpu.")
    return "cuda" if there else "cpu"
