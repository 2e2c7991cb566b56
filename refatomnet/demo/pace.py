"""How far a run has come and how long it will still take."""

import time
from collections.abc import Callable, Mapping

LEAST_DONE, LEAST_S = 0.04, 0.3  # below that a pace says nothing


class Pace:
    """Puts the stages of a run on one scale, by the time they took so far and by how they compare.

    Args:
        weights: What each stage is expected to take, in their order; only the ratios count.
        clock: Seconds.
    """

    def __init__(self, weights: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._weights = dict(weights)
        self._clock = clock
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._furthest = 0.0

    def tell(self, stage: str, done: float) -> tuple[float, float | None]:
        """The share of the whole run done and the seconds left, when ``stage`` is done to a share in [0, 1].

        The share never falls; the seconds are None while the pace is not yet known.
        """
        now = self._clock()
        for other in self._began:
            if other != stage:
                self._ended.setdefault(other, now)
        elapsed = now - self._began.setdefault(stage, now)
        order = list(self._weights)
        place = order.index(stage)
        weight = self._weights[stage]
        after = sum(self._weights[name] for name in order[place + 1 :])
        before = sum(self._weights[name] for name in order[:place])
        self._furthest = max(self._furthest, (before + weight * done) / (before + weight + after))
        left = None
        if done >= LEAST_DONE and elapsed >= LEAST_S:
            left = elapsed / (weight * done) * (weight * (1 - done) + after)
        return min(self._furthest, 1.0), left

    def took(self, stage: str) -> float:
        """Seconds that a stage took; 0 where it never began."""
        began = self._began.get(stage)
        return 0.0 if began is None else self._ended.get(stage, self._clock()) - began
