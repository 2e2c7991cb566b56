"""What people do: postures and gestures drawn at random, as poses over time, with the AVA actions seen in them.

Times are seconds from the key frame; repeated motions are periodic, so that a label stays true however long the clip.
"""

from dataclasses import dataclass, field

import numpy as np

from .bodies import CHEST, Body
from .poses import SIDES, Pose, blend, constant, reach, upright

Draw = np.random.Generator


@dataclass
class Deed:
    """A motion of one person: its pose, what is labelled, and what it needs of the place.

    seat: "chair" to sit on, "bed" to lie on, None; table: a laptop's desk before the person; travel: metres of floor
    along the path. shows: joints that must be seen for an action to be told; needs: the prop that must; hands: shapes
    of the hands by side ("grip", "point", "open", "relaxed").
    """

    name: str
    pose: Pose
    actions: tuple[int, ...]
    posture: str
    holding: str | None = None
    seat: str | None = None
    table: bool = False
    steady_head: bool = False
    shows: dict[int, tuple[int, ...]] = field(default_factory=dict)
    needs: dict[int, str] = field(default_factory=dict)
    hands: dict[int, str] = field(default_factory=dict)


def smooth(x: np.ndarray) -> np.ndarray:
    """Ease from 0 to 1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def event(t: np.ndarray, start: float, duration: float, *, period: float = 5.0, back: float = 1.0) -> np.ndarray:
    """0 before ``start``, 1 after ``duration`` more, back to 0 over the last ``back`` seconds of each period.

    Periods are centred on the key frame.
    """
    local = (t + period / 2) % period - period / 2
    return smooth((local - start) / duration) * (1 - smooth((local - (period / 2 - back)) / back))


def wave(t: np.ndarray, hertz: float, phase: float) -> np.ndarray:
    return np.sin(2 * np.pi * (hertz * t + phase))


# --- postures: legs, trunk and resting arms -------------------------------------------------------------------------


def rest_arms(pose: Pose, body: Body, rng: Draw) -> None:
    """Arms of somebody who does nothing with them: hanging, akimbo, crossed, behind the back."""
    kind = rng.choice(["hang", "hip", "both", "cross", "front"], p=(0.55, 0.12, 0.1, 0.13, 0.1))
    hips, chest, t = body.joints[14, 2], body.joints[CHEST], pose.t
    wide = body.joints[8, 0]
    for g in SIDES:
        sway = 0.04 * wave(t, rng.uniform(0.1, 0.3), rng.random())
        pose.upper[g] = constant(t, rng.uniform(0.14, 0.28) * g, rng.uniform(-0.05, 0.1) + sway, -1)
        pose.fore[g] = constant(t, rng.uniform(0.0, 0.15) * g, rng.uniform(-0.4, -0.05) + sway, -1)
    if kind == "both" or kind == "hip":
        for g in SIDES if kind == "both" else (rng.choice(SIDES),):
            reach(pose, body, g, constant(t, 1.05 * wide * g, -0.06, hips + 0.06), elbow=(1, 0.5, -0.2))
    elif kind == "cross":
        for g in SIDES:
            reach(
                pose,
                body,
                g,
                constant(t, -0.45 * wide * g, -0.24 - 0.02 * g, chest[2] - 0.07 + 0.03 * g),
                elbow=(1, -0.2, -1),
            )
    elif kind == "front":
        for g in SIDES:
            reach(pose, body, g, constant(t, 0.03 * g, -0.22, hips + 0.0), elbow=(1, 0.2, -0.5))


def stand(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    pose = upright(t, apart=rng.uniform(0.02, 0.17))
    sway = wave(t, rng.uniform(0.1, 0.35), rng.random())
    pose.add(
        side=rng.uniform(0.01, 0.04) * sway, twist=rng.normal(0, 0.08) + 0.03 * sway, pitch=rng.uniform(-0.05, 0.12)
    )
    pose.add(
        look=rng.normal(0, 0.2) + rng.uniform(0, 0.3) * wave(t, rng.uniform(0.1, 0.3), rng.random()),
        nod=rng.normal(0.03, 0.1),
    )
    if rng.random() < 0.35:  # weight on one leg
        g = rng.choice(SIDES)
        pose.thigh[g], pose.shin[g] = constant(t, 0.15 * g, -0.25, -1), constant(t, 0.1 * g, 0.2, -1)
        pose.add(roll=0.04 * g)
    rest_arms(pose, body, rng)
    return Deed("stand", pose, (12,), "standing")


def _back_and_forth(t: np.ndarray, speed: float, reach_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Place along a line (0 at the key frame) and turn angle (0 forward, pi back), turning at +-``reach_m``."""
    s = speed * t + reach_m
    lap = s % (4 * reach_m)
    place = np.where(lap < 2 * reach_m, lap, 4 * reach_m - lap) - reach_m
    ease = 0.35 * speed
    heading = (
        smooth((lap - (2 * reach_m - ease)) / (2 * ease))
        - smooth((lap - (4 * reach_m - ease)) / (2 * ease))
        - smooth((ease - lap) / (2 * ease))
        + 0
    )
    return place, np.pi * np.where(lap < ease, smooth((ease - lap) / (2 * ease)), heading)


def _gait(body: Body, t: np.ndarray, rng: Draw, *, run: bool) -> Deed:
    """Walking or running: opposite sines of thighs and arms along a line."""
    hertz = rng.uniform(1.15, 1.5) if run else rng.uniform(0.75, 1.1)
    swing = rng.uniform(0.6, 0.85) if run else rng.uniform(0.35, 0.5)
    leg = body.joints[14, 2]
    speed = 3.6 * swing * hertz * leg * (0.85 if run else 0.95)
    pose, phase = upright(t), rng.random()
    for g in SIDES:
        s, c = wave(t, hertz, phase + (0.5 if g > 0 else 0)), wave(t, hertz, phase + (0.75 if g > 0 else 0.25))
        lift = np.maximum(c, 0)
        pose.thigh[g] = constant(t, 0.03 * g, -np.tan(swing) * s - 0.25 * run, -1)
        bend = (1.25 if run else 0.75) * lift + (0.25 if run else 0.05)
        angle = np.arctan(-np.tan(swing) * s - 0.25 * run) + bend
        pose.shin[g] = constant(t, 0.0, np.sin(angle), -np.cos(angle))
        arm = -(0.75 if run else 0.45) * rng.uniform(0.6, 1.1) * s
        pose.upper[g] = constant(t, 0.18 * g, -np.sin(arm), -np.cos(arm))
        elbow = rng.uniform(1.2, 1.6) if run else rng.uniform(0.15, 0.5)
        pose.fore[g] = constant(t, -0.05 * g, -np.sin(arm + elbow), -np.cos(arm + elbow))
    pose.add(
        foot=0.5 + 0 * t,
        pitch=rng.uniform(0.12, 0.3) if run else rng.uniform(0, 0.1),
        twist=0.12 * wave(t, hertz, phase),
    )
    pose.anchor = "hips"
    if rng.random() < (0.25 if run else 0.12):  # on the spot, as on a treadmill
        return Deed("run" if run else "walk", pose, (10 if run else 14,), "running" if run else "walking")
    place, heading = _back_and_forth(t, speed, rng.uniform(2.2, 3.2) if run else rng.uniform(1.6, 2.6))
    pose.shift = np.stack([0 * place, -place], -1)
    pose.add(yaw=heading)
    return Deed("run" if run else "walk", pose, (10 if run else 14,), "running" if run else "walking")


def walk(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    return _gait(body, t, rng, run=False)


def run(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    return _gait(body, t, rng, run=True)


def sit(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    pose = upright(t)
    for g in SIDES:
        pose.thigh[g] = constant(t, rng.uniform(0.03, 0.3) * g, -1, rng.uniform(-0.15, 0.02))
        pose.shin[g] = constant(t, 0.03 * g, rng.uniform(-0.3, 0.25), -1)
    pose.add(pitch=rng.uniform(-0.12, 0.3) + 0.02 * wave(t, rng.uniform(0.1, 0.4), rng.random()), tilt=-0.1)
    pose.add(look=rng.normal(0, 0.25) + 0.15 * wave(t, 0.2, rng.random()), nod=rng.normal(0.05, 0.12))
    pose.anchor = "hips"
    knee = 0.7 * np.linalg.norm(body.joints[15] - body.joints[14])
    for g in SIDES:
        reach(
            pose,
            body,
            g,
            constant(t, 0.11 * g, -knee * rng.uniform(0.6, 1.1), body.joints[14, 2] + 0.12),
            elbow=(1, 0.5, -0.3),
        )
    return Deed("sit", pose, (11,), "sitting", seat="chair")


def crouch(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    pose, kneel = upright(t), rng.random() < 0.45
    for g in SIDES:
        pose.thigh[g], pose.shin[g] = (
            constant(t, rng.uniform(0.25, 0.5) * g, -1, rng.uniform(0.0, 0.2)),
            constant(t, -0.05 * g, 0.7, -0.8),
        )
    if kneel:
        for g in SIDES if rng.random() < 0.4 else (rng.choice(SIDES),):
            pose.thigh[g], pose.shin[g] = constant(t, 0.1 * g, -0.15, -1), constant(t, 0.0, 1, -0.12)
            if all(abs(pose.shin[s][0, 1]) > 0.9 for s in SIDES):
                continue
            pose.thigh[-g], pose.shin[-g] = constant(t, -0.15 * g, -1, -0.12), constant(t, 0, 0.05, -1)
    pose.add(
        pitch=rng.uniform(0.1, 0.6),
        tilt=0.15 if not kneel else 0.0,
        nod=rng.normal(0.05, 0.2),
        foot=0.6 if not kneel else 1.0,
    )
    pose.add(side=0.03 * wave(t, rng.uniform(0.1, 0.4), rng.random()), look=rng.normal(0, 0.2))
    for g in SIDES:
        pose.upper[g] = constant(t, 0.3 * g, -0.9 + 0.1 * wave(t, rng.uniform(0.1, 0.6), rng.random()), -0.8)
        pose.fore[g] = constant(t, -0.15 * g, -0.7, rng.uniform(-0.8, -0.2))
    return Deed("crouch", pose, (3,), "crouching")


def bend(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    pose = upright(t, apart=rng.uniform(0.04, 0.25))
    deep = rng.uniform(0.85, 1.15) + 0.12 * wave(t, rng.uniform(0.15, 0.5), rng.random())
    pose.add(tilt=0.7 * deep, pitch=0.75 * deep, nod=rng.normal(-0.1, 0.2))
    pose.arms_down = True
    for g in SIDES:
        pose.thigh[g] = constant(t, 0.1 * g, rng.uniform(-0.25, 0.1), -1)
        pose.upper[g], pose.fore[g] = (
            constant(t, 0.12 * g, rng.uniform(-0.5, 0.1), -1),
            constant(t, -0.02 * g, rng.uniform(-0.6, 0), -1),
        )
    return Deed("bend", pose, (1,), "bending")


def lie(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """On the back, the front or a side."""
    pose, kind = upright(t, apart=rng.uniform(0.02, 0.2)), rng.choice(["back", "front", "side"], p=(0.5, 0.15, 0.35))
    g = rng.choice(SIDES)
    pose.whole, pose.anchor = True, "hips"
    pose.add(tilt=(np.pi / 2 - 0.04) * (1 if kind == "front" else -1), foot=1.0 + 0 * t, look=rng.normal(0, 0.4))
    for s in SIDES:
        pose.upper[s], pose.fore[s] = (
            constant(t, rng.uniform(0.15, 0.5) * s, 0.05, -1),
            constant(t, rng.uniform(-0.2, 0.2) * s, -0.15, -1),
        )
    if kind == "side":
        pose.add(spin=g * (np.pi / 2 - 0.2), pitch=0.35, nod=0.15)
        for s in SIDES:
            pose.thigh[s], pose.shin[s] = (
                constant(t, 0.0, rng.uniform(-0.9, -0.3), -1),
                constant(t, 0, rng.uniform(0.1, 0.7), -1),
            )
            pose.upper[s], pose.fore[s] = (
                constant(t, 0.1 * s, rng.uniform(-1, -0.4), -0.6),
                constant(t, -0.2 * s, -0.6, rng.uniform(-0.3, 0.8)),
            )
    elif rng.random() < 0.45 and kind == "back":
        pose.thigh[g], pose.shin[g] = constant(t, 0.1 * g, -0.75, -0.7), constant(t, 0, 0.65, -0.75)
    if kind == "back" and rng.random() < 0.3:
        reach(pose, body, g, constant(t, 0.02, -0.2, body.joints[CHEST, 2] - 0.2), elbow=(1, 0, -0.5))
    pose.add(pitch=0.02 * wave(t, 0.3, rng.random()))
    return Deed("lie", pose, (8,), "lying", seat="bed" if rng.random() < 0.45 else None)


def jump(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    hertz, height = rng.uniform(0.75, 1.05), rng.uniform(0.22, 0.5) * min(body.height / 1.6, 1)
    turn = (hertz * t + 0.62 + rng.normal(0, 0.08)) % 1  # ground 0 to .35, air .35 to 1
    air = np.clip((turn - 0.35) / 0.65, 0, 1)
    squat, arc = np.sin(np.pi * np.clip(turn / 0.35, 0, 1)), 4 * air * (1 - air)
    pose, tuck = upright(t), rng.uniform(0, 0.6)
    star = rng.random() < 0.35
    up = rng.uniform(0.3, 1.4)
    for g in SIDES:
        flex = 0.75 * squat + tuck * arc * (not star)
        pose.thigh[g] = constant(t, (0.08 + 0.5 * arc * star) * g, -np.sin(flex), -np.cos(flex))
        pose.shin[g] = constant(t, (0.04 + 0.5 * arc * star) * g, np.sin(flex * 0.9), -np.cos(flex * 0.9))
        lifted = -1.2 + (up + 1.2) * arc
        pose.upper[g], pose.fore[g] = constant(t, 0.9 * g, -0.3, lifted), constant(t, 0.5 * g, -0.4, lifted)
    pose.add(pitch=0.35 * squat, tilt=0.2 * squat, lift=height * arc, foot=0.7 * arc)
    return Deed("jump", pose, (7,), "jumping")


def dance(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    pose, hertz, phase = upright(t), rng.uniform(0.7, 1.2), rng.random()
    beat, half = wave(t, hertz, phase), wave(t, hertz / 2, phase)
    height = rng.uniform(0.1, 0.8)
    for g in SIDES:
        knee = np.maximum(g * beat, 0) * rng.uniform(0.4, 0.9)
        pose.thigh[g] = constant(t, (0.12 + 0.1 * half * g) * g, -knee, -1)
        pose.shin[g] = constant(t, 0.05 * g, knee, -1)
        pose.upper[g] = constant(t, 0.9 * g, -0.35 + 0.3 * half, -0.3 + height * (1 + 0.6 * g * beat))
        pose.fore[g] = constant(t, 0.5 * g * wave(t, hertz, phase + 0.2 * g), -0.5, 0.4 + height * 0.7 * (1 + g * half))
    pose.add(
        side=0.25 * beat,
        roll=0.14 * beat,
        twist=0.4 * half,
        yaw=rng.uniform(0.2, 0.8) * half,
        lift=0.03 * np.abs(beat),
        nod=0.1 * beat,
    )
    return Deed("dance", pose, (4,), "dancing")


def fall(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    down = event(t, rng.uniform(-0.65, -0.2), rng.uniform(0.6, 0.9), period=6, back=1.3)
    pose, hips = upright(t, apart=0.15), body.joints[14, 2]
    pose.whole, pose.anchor = True, "hips"
    sign, g = (1 if rng.random() < 0.5 else -1), rng.choice(SIDES)
    sideways = rng.random() < 0.35
    pose.add(**({"roll": g * 1.5 * down} if sideways else {"tilt": sign * 1.5 * down}), foot=down)
    along = 0.7 * hips * np.sin(1.5 * down)
    pose.shift = np.stack([g * along, 0 * along], -1) if sideways else np.stack([0 * along, -sign * along], -1)
    mid = np.sin(np.pi * down)
    for s in SIDES:
        pose.thigh[s] = constant(t, 0.12 * s, -0.5 * mid - 0.2 * down * rng.random(), -1)
        pose.shin[s] = constant(t, 0.08 * s, 0.6 * mid + 0.2 * down, -1)
        out = np.maximum(mid, 0.5 * down)
        pose.upper[s] = constant(
            t, (0.2 + 0.8 * out) * s, -(0.9 * mid + 0.1 * down) * (sign if not sideways else 0.5), -1 + 1.5 * out
        )
        pose.fore[s] = constant(t, (0.1 + 0.4 * out) * s, -0.2 - 0.5 * mid * sign, -1 + 1.5 * out)
    return Deed("fall", pose, (5,), "falling")


def get_up(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """From the floor, a squat or a chair to the feet."""
    up = event(t, rng.uniform(-0.9, -0.45), rng.uniform(1.0, 1.5), period=6, back=1.2)
    seated = rng.random() < 0.4
    low = sit(body, t, rng) if seated else crouch(body, t, rng)
    if not seated:
        low.pose.add(pitch=0.35, tilt=0.25)
    pose = blend(low.pose, upright(t), up)
    pose.anchor = "feet"
    pose.add(tilt=0.55 * np.sin(np.pi * up), pitch=0.3 * np.sin(np.pi * up))
    return Deed("get up", pose, (6,), "getting up", seat="chair" if seated else None)


def martial(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Kicks and punches in the air, from a guard."""
    pose, hertz, phase, g = upright(t), rng.uniform(0.6, 0.95), rng.normal(0, 0.06), rng.choice(SIDES)
    kick, punch = np.maximum(wave(t, hertz, 0.25 + phase), 0), np.maximum(wave(t, hertz, 0.75 + phase), 0)
    if rng.random() < 0.35:
        kick, punch = 0 * kick, kick
    height, chest = rng.uniform(0.0, 0.5), body.joints[CHEST, 2]
    for s in SIDES:
        pose.thigh[s], pose.shin[s] = constant(t, 0.28 * s, -0.3 * s * g, -1), constant(t, 0.15 * s, 0.3 + 0 * t, -1)
        blow = punch if s == -g else np.maximum(wave(t, hertz, 0.0), 0) * 0.6
        reach(
            pose,
            body,
            s,
            constant(t, 0.1 * s, -0.28 - 0.5 * blow * body.height / 1.7, chest + 0.03),
            elbow=(0.7, 0, -1),
        )
    high = smooth(kick * 1.6)
    pose.thigh[g] = constant(t, 0.3 * g, -0.3 * -1 * 0 - 1.0 * high, -1 + (1 + height) * high)
    pose.shin[g] = constant(
        t, 0.25 * g, 0.3 - 1.3 * smooth((kick - 0.45) * 3), -1 + (1 + height) * smooth((kick - 0.45) * 3)
    )
    pose.add(tilt=-0.3 * high, yaw=0.5 * g * np.ones_like(t), foot=0.5 * high, twist=-0.4 * g * punch)
    return Deed("martial art", pose, (9,), "fighting")
