"""Walking about for as long as one likes: from place to place, with stops and turns, each foot fixed while it bears.

``motions.gait`` walks there and back for ever; here every step is planned, so that somebody may come, stop,
turn and go.
"""

from dataclasses import dataclass, field

import numpy as np

from ..people.bodies import Body
from .motions import Deed, Draw, smooth, spread, wave
from .poses import SIDES, constant, leg_length, standing_height, upright

STANCE = 0.085  # half the distance between standing feet, at a height of 1.7 m
SMALL_TURN = 0.12  # radians below which nobody steps round
BOTH_BEAR = 0.2  # share of a step in which both feet bear


@dataclass(frozen=True)
class Step:
    """One foot's way from lift to landing, in seconds, to a floor point (2,); side 1 is left, long 1 a whole stride."""

    side: int
    lifts: float
    lands: float
    to: np.ndarray
    long: float


@dataclass(frozen=True)
class Move:
    """A walk along a curve, or a turn on the spot (a curve of length 0), from ``start`` on, in seconds.

    curve: three points (3, 2) of a quadratic Bézier curve. steps: number of them before the closing one, each of
    ``takes`` seconds. yaws: at the start and at the end; read where the curve has no length. side: of the first step.
    """

    start: float
    curve: np.ndarray
    steps: int
    takes: float
    yaws: tuple[float, float]
    side: int

    @property
    def end(self) -> float:
        return self.start + (self.steps + 1) * self.takes

    @property
    def walks(self) -> bool:
        return bool(np.abs(self.curve[2] - self.curve[0]).max() > 1e-6)

    def done(self, t: np.ndarray) -> np.ndarray:
        """Share of the way at times (T,): half speed in the first and the last step, between them even."""
        p, n = np.clip((t - self.start) / self.takes, 0, self.steps + 1), self.steps
        late = n - 0.5 * np.clip(n + 1 - p, 0, 1) ** 2
        return np.where(p < 1, 0.5 * p**2, np.where(p > n, late, p - 0.5)) / n

    def at(self, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Floor points (T, 2) and yaws (T,) at shares of the way."""
        if not self.walks:
            return np.repeat(self.curve[:1], len(share), 0), self.yaws[0] + (self.yaws[1] - self.yaws[0]) * share
        fine = np.linspace(0, 1, 65)
        a, b, c = self.curve
        points = a * ((1 - fine) ** 2)[:, None] + 2 * b * (fine * (1 - fine))[:, None] + c * (fine**2)[:, None]
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        u = np.interp(share * along[-1], along, fine)
        ahead = 2 * (b - a) * (1 - u)[:, None] + 2 * (c - b) * u[:, None]
        place = np.stack([np.interp(u, fine, points[:, i]) for i in range(2)], -1)
        return place, np.arctan2(ahead[:, 0], -ahead[:, 1])


@dataclass
class Stroll:
    """Somebody's way through a clip: where they begin, and what they do from then on, move after move.

    pace: metres a second of a full walk. span: metres of a step. now, place, yaw: when and where the plan has come to.
    """

    body: Body
    place: np.ndarray
    yaw: float
    now: float
    pace: float
    span: float
    moves: list[Move] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    begins: tuple[np.ndarray, float] = field(init=False)

    def __post_init__(self) -> None:
        self.begins = self.place, self.yaw

    @classmethod
    def start(cls, body: Body, place: np.ndarray, yaw: float, now: float, rng: Draw) -> "Stroll":
        old = 0.8 if body.age == "old" else 1.0
        span = leg_length(body) * spread(rng, 0.58, 0.72) * old
        return cls(body, np.asarray(place, float), float(yaw), now, spread(rng, 1.5, 2.0) * span, span)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def turn_to(self, yaw: float) -> None:
        """Step round on the spot, the shorter way."""
        by = float((yaw - self.yaw + np.pi) % (2 * np.pi) - np.pi)
        if abs(by) > SMALL_TURN:
            count = max(int(np.ceil(abs(by) / 0.85)), 1)
            curve = np.repeat(self.place[None], 3, 0)
            self._do(Move(self.now, curve, count, 0.42, (self.yaw, self.yaw + by), 1 if by > 0 else -1))

    def walk_to(self, place: np.ndarray, bow: float = 0.0) -> None:
        """Turn to a floor point and walk there, bowing out by a share of the way."""
        line = np.asarray(place, float) - self.place
        far = float(np.linalg.norm(line))
        if far < 0.25:
            return
        middle = self.place + line / 2 + bow * np.array([-line[1], line[0]])
        curve = np.stack([self.place, middle, self.place + line])
        ahead = middle - self.place
        self.turn_to(float(np.arctan2(ahead[0], -ahead[1])))
        count = max(round(far * (1 + bow**2) / self.span), 2)
        self._do(Move(self.now, curve, count, self.span / self.pace, (0.0, 0.0), int(np.sign(bow) or 1)))

    def _do(self, move: Move) -> None:
        shares = np.minimum(np.arange(1, move.steps + 2) / move.steps, 1.0)
        places, yaws = move.at(shares)
        size = self.body.height / 1.7
        for k, (place, yaw) in enumerate(zip(places, yaws, strict=True)):
            g = move.side * (-1) ** k
            first = 0.0 if k == 0 else BOTH_BEAR
            wide = STANCE if not move.walks or k >= move.steps - 1 else 0.065
            spot = place + wide * size * g * np.array([np.cos(yaw), np.sin(yaw)])
            long = 1.0 if 0 < k < move.steps else 0.5
            lifts = move.start + (k + first) * move.takes
            self.steps.append(Step(g, lifts, move.start + (k + 1) * move.takes, spot, long if move.walks else 0.25))
        self.moves.append(move)
        self.now, self.place, self.yaw = move.end, places[-1], float(yaws[-1])

    def track(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Floor points (T, 2), yaws (T,) and how much of a walk it is (T,), 0 to 1, at times (T,)."""
        place, yaw, busy = np.repeat(self.begins[0][None], len(t), 0), np.full(len(t), self.begins[1]), 0 * t
        for move in self.moves:
            on = t >= move.start
            there = move.at(move.done(t[on]))
            place[on], yaw[on] = there[0], yaw[on] + _nearest(there[1] - yaw[on])
            if move.walks:
                p = (t - move.start) / move.takes
                busy = np.maximum(busy, smooth(p) * smooth(move.steps + 1 - p))
        return place, yaw, busy

    def deed(self, t: np.ndarray, rng: Draw) -> Deed:
        """The walker's pose at times (T,); an actor with it stands at the origin with heading 0."""
        body, pose = self.body, upright(t)
        size, leg = body.height / 1.7, leg_length(body)
        place, yaw, busy = self.track(t)
        c, s = np.cos(yaw), np.sin(yaw)
        beat = np.zeros(len(t))  # cosine of the gait: 1 when the left foot lands
        for move in self.moves:
            on = (t >= move.start) & (t < move.end) & move.walks
            p = (t[on] - move.start) / move.takes
            beat[on] = np.cos(np.pi * (p - 1)) * move.side
        pose.feet = {}
        swing = spread(rng, 0.32, 0.48)
        elbow = spread(rng, 0.15, 0.45)
        for g in SIDES:
            spot, high, toes = self._foot(g, t)
            local = spot - place
            pose.feet[g] = constant(t, local[:, 0] * c + local[:, 1] * s, local[:, 1] * c - local[:, 0] * s, high)
            pose.toes[g] = toes
            arm = -swing * g * beat * busy + 0.02 * wave(t, spread(rng, 0.1, 0.3), rng.random())
            pose.upper[g] = constant(t, 0.2 * g, -np.sin(arm), -np.cos(arm))
            pose.fore[g] = constant(t, (0.1 - 0.2 * busy) * g, -np.sin(arm + elbow), -np.cos(arm + elbow))
        low = 0.012 + busy * 0.5 * (1 - np.sqrt(1 - (0.55 * self.span / leg) ** 2))
        sway = 0.015 * wave(t, spread(rng, 0.1, 0.3), rng.random()) * (1 - busy)
        pose.hips = constant(t, size * (sway + 0.02 * beat * busy), 0.0, standing_height(body) - low * leg)
        pose.shift = place
        pose.add(yaw=yaw, twist=0.1 * beat * busy, pitch=spread(rng, 0.0, 0.08) + 0.02 * busy)
        pose.add(look=rng.normal(0, 0.06) + (1 - busy) * 0.3 * wave(t, spread(rng, 0.08, 0.2), rng.random()))
        pose.add(nod=rng.normal(0.03, 0.04))
        if body.age == "old":
            pose.add(pitch=spread(rng, 0.03, 0.12))
        return Deed("stroll", pose, (14,), "walking")

    def _foot(self, g: int, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where a foot is on the floor (T, 2), how high, and how far its toes point down (T,)."""
        size, (place, yaw) = self.body.height / 1.7, self.begins
        last = place + STANCE * size * g * np.array([np.cos(yaw), np.sin(yaw)])
        spot, high, toes = np.repeat(last[None], len(t), 0), np.zeros(len(t)), np.zeros(len(t))
        for step in (s for s in self.steps if s.side == g):
            lasts = step.lands - step.lifts
            v = np.clip((t - step.lifts) / lasts, 0, 1)
            off = 0.55 * step.long * smooth((t - step.lifts + 0.6 * lasts) / (0.6 * lasts)) * (1 - smooth(1.7 * v))
            strike = 0.28 * step.long * smooth((v - 0.6) / 0.4) * (1 - smooth((t - step.lands) / (0.3 * lasts)))
            spot = spot + (step.to - last) * smooth(v)[:, None]
            arc = np.sin(np.pi * v) ** 1.2
            high = high + (0.03 + 0.03 * step.long) * size * arc + 0.13 * size * np.sin(off)
            toes = toes + off - strike
            last = step.to
        return spot, high, toes


def _nearest(angle: np.ndarray) -> np.ndarray:
    """Angles brought into [-pi, pi)."""
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)
