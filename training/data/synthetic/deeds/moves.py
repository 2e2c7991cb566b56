"""Lively movements of the whole body: jumps, dances, martial arts, falls and getting up."""

import numpy as np

from ..people.bodies import CHEST, HEAD, Body
from .motions import (
    EYE,
    HAND,
    Deed,
    Draw,
    crouch,
    event,
    on_feet,
    seated,
    sit_floor,
    smooth,
    spread,
    wave,
)
from .poses import SIDES, Hand, Pose, constant, leg_length, reach, sequence, standing_height, upright


def _points(pose: Pose) -> tuple[dict[int, np.ndarray], np.ndarray]:
    assert pose.feet is not None and pose.hips is not None
    return pose.feet, pose.hips


def jump(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Again and again: straight up, as a star, with knees drawn up, or from one leg to the other."""
    hertz, height = spread(rng, 0.75, 1.05), spread(rng, 0.22, 0.45) * min(body.height / 1.6, 1)
    kind = rng.choice(["up", "star", "tuck", "leap"], p=(0.35, 0.25, 0.2, 0.2))
    cycle = hertz * t + 0.62 + rng.normal(0, 0.08)
    turn = cycle % 1  # ground 0 to .35, air .35 to 1
    air = np.clip((turn - 0.35) / 0.65, 0, 1)
    squat, arc = np.sin(np.pi * np.clip(turn / 0.35, 0, 1)), 4 * air * (1 - air)
    pose, s = on_feet(body, t, apart=0.1), body.height / 1.7
    feet, hips = _points(pose)
    leg, side = leg_length(body), np.where(cycle % 2 < 1, 1, -1)
    up = spread(rng, 0.3, 1.4)
    for g in SIDES:
        tuck = {"tuck": 0.42, "up": 0.1, "star": 0.0, "leap": 0.1}[str(kind)] * leg * arc
        feet[g] = feet[g] + constant(t, 0.3 * s * g * arc * (kind == "star"), 0, height * arc + tuck)
        if kind == "leap":
            feet[g] += constant(t, 0, -0.38 * leg * arc * g * side, 0.15 * leg * arc)
        pose.toes[g] = 0.7 * arc if kind != "tuck" else 0.2 * arc
        lifted = -1.2 + (up + 1.2) * arc * (0.6 if kind == "tuck" else 1)
        pose.upper[g], pose.fore[g] = constant(t, 0.9 * g, -0.3, lifted), constant(t, 0.5 * g, -0.4, lifted)
    hips[:, 2] = standing_height(body) - 0.22 * leg * squat + height * arc
    hips[:, 1] += 0.1 * s * squat
    pose.add(pitch=0.35 * squat + 0.2 * arc * (kind == "tuck"), tilt=0.2 * squat)
    pose.add(lift=np.minimum(feet[1][:, 2], feet[-1][:, 2]) - 0.12 * s * np.sin(0.7 * arc) * (kind != "tuck"))
    pose.angles["lift"] = np.maximum(pose.angles["lift"], 0)
    return Deed("jump", pose, (7,), "jumping", space=0.6, top=1.35)


def dance(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """One of five styles."""
    style = (_step_touch, _twist, _disco, _ballet, _bounce)[rng.choice(5, p=(0.26, 0.16, 0.22, 0.16, 0.2))]
    pose = style(body, t, rng)
    return Deed("dance", pose, (4,), "dancing", space=0.65, top=1.2)


def _step_touch(body: Body, t: np.ndarray, rng: Draw) -> Pose:
    """From side to side with swinging arms."""
    s, hertz, phase = body.height / 1.7, spread(rng, 0.5, 0.8), rng.random()
    beat, half = wave(t, hertz, phase), wave(t, 2 * hertz, phase)
    pose = on_feet(body, t, apart=0.16, drop=0.04)
    feet, hips = _points(pose)
    high = spread(rng, -0.3, 0.7)
    for g in SIDES:
        away = smooth(np.maximum(-g * beat, 0) * 1.3)
        feet[g] = feet[g] + constant(
            t, -0.17 * s * g * away, 0.03 * s * away, 0.09 * s * np.sin(np.pi * away) + 0.03 * away
        )
        pose.toes[g] = 0.5 * away
        pose.upper[g] = constant(t, 0.8 * g, -0.4 + 0.2 * half, high + 0.5 * g * beat)
        pose.fore[g] = constant(t, (0.2 + 0.5 * g * beat) * g, -0.5, high + 0.6)
    hips[:, 0] += 0.13 * s * beat
    hips[:, 2] -= 0.03 * s * (1 + half)
    return pose.add(side=-0.22 * beat, roll=0.1 * beat, twist=0.3 * beat, nod=0.1 * half, yaw=rng.normal(0, 0.2))


def _twist(body: Body, t: np.ndarray, rng: Draw) -> Pose:
    """Hips and shoulders against each other, knees bent."""
    s, hertz = body.height / 1.7, spread(rng, 0.9, 1.4)
    beat, slow = wave(t, hertz, rng.random()), wave(t, hertz / 4, rng.random())
    pose = on_feet(body, t, apart=0.13, split=0.05, drop=0.07)
    _feet, hips = _points(pose)
    hips[:, 2] -= 0.07 * s * (1 + slow)
    for g in SIDES:
        pose.knees[g] = (0.2, -1, 0.05)
        at = constant(
            t, (0.16 + 0.12 * g * beat) * g * s, (-0.36 - 0.1 * g * beat) * s, body.joints[CHEST, 2] - 0.12 * s
        )
        reach(pose, body, g, at, elbow=(1, 0.4, -0.5))
    return pose.add(spin=0.45 * beat, twist=-0.9 * beat, pitch=0.15 + 0.1 * slow, tilt=0.1, side=0.12 * slow)


def _disco(body: Body, t: np.ndarray, rng: Draw) -> Pose:
    """One arm up and across, the other on the hip."""
    s, hertz, g = body.height / 1.7, spread(rng, 0.6, 0.95), int(rng.choice(SIDES))
    beat, pulse = wave(t, hertz, rng.random()), wave(t, 2 * hertz, rng.random())
    pose = on_feet(body, t, apart=0.17, drop=0.03)
    feet, hips = _points(pose)
    up = 0.5 + 0.5 * beat
    shoulder = body.joints[8]
    at = constant(t, (0.5 * up - 0.1) * g * s, (-0.32 - 0.05 * up) * s, shoulder[2] + (0.75 * up - 0.42) * s)
    reach(pose, body, g, at, elbow=(0.9, 0, -0.6))
    reach(pose, body, -g, constant(t, -1.08 * shoulder[0] * g, -0.05, body.joints[14, 2] + 0.08), elbow=(1, 0.5, -0.2))
    feet[-g] = feet[-g] + constant(t, 0, 0, 0.05 * s * np.maximum(pulse, 0))
    pose.toes[-g] = 0.4 * np.maximum(pulse, 0)
    hips[:, 0] += 0.08 * s * beat * g
    hips[:, 2] -= 0.02 * s * (1 + pulse)
    return pose.add(
        roll=-0.12 * beat * g, side=0.25 * beat * g, twist=0.3 * beat * g, nod=-0.15 * up, look=0.4 * g * up
    )


def _ballet(body: Body, t: np.ndarray, rng: Draw) -> Pose:
    """Arms rounded over the head or to the side; one leg raised, or turning on one foot."""
    s, g, hertz = body.height / 1.7, int(rng.choice(SIDES)), spread(rng, 0.3, 0.5)
    pose = on_feet(body, t, apart=0.06)
    feet, hips = _points(pose)
    up, spin = 0.5 + 0.5 * wave(t, hertz, rng.random()), rng.random() < 0.5
    leg, head = leg_length(body), body.joints[EYE, 2]
    for h in SIDES:
        over = constant(t, 0.1 * h * s, -0.12 * s, head + 0.32 * s)
        out = constant(t, 0.55 * h * s, -0.25 * s, body.joints[8, 2] + 0.02 * s)
        w = np.ones_like(t) if spin or h == g else 1 - up
        reach(pose, body, h, over * w[:, None] + out * (1 - w)[:, None], elbow=(1, -0.1, 0.1))
    feet[-g] = constant(t, 0, 0, 0.07 * s)
    pose.toes[-g] = 0.75 + 0 * t
    if spin:
        pose.knees[g] = (1.4, -1, 0.1)
        feet[g] = constant(t, 0.05 * s * g, -0.03 * s, 0.42 * leg)
        pose.add(yaw=2 * np.pi * int(rng.choice(SIDES)) * spread(rng, 0.35, 0.6) * t)
    else:
        feet[g] = constant(t, (0.08 + 0.35 * up) * s * g, 0.35 * s * up, 0.04 * s + 0.5 * leg * up)
        pose.add(side=-0.15 * g * up, yaw=spread(rng, 0.2, 0.6) * wave(t, 0.2, rng.random()))
    pose.toes[g] = 1.0 + 0 * t
    hips[:, 0], hips[:, 2] = -0.02 * s * g, standing_height(body) + 0.07 * s
    return pose.add(nod=-0.1)


def _bounce(body: Body, t: np.ndarray, rng: Draw) -> Pose:
    """Bent knees, pumping arms and shoulders, as to hip-hop."""
    s, hertz, phase = body.height / 1.7, spread(rng, 0.9, 1.3), rng.random()
    beat, half = wave(t, hertz, phase), wave(t, hertz / 2, phase)
    pose = on_feet(body, t, apart=0.22, drop=0.12)
    feet, hips = _points(pose)
    for g in SIDES:
        step = np.maximum(g * half, 0)
        feet[g] = feet[g] + constant(t, 0.03 * s * g * step, -0.12 * s * step, 0.14 * s * step)
        pose.knees[g] = (0.35, -1, 0)
        raised = 0.1 + 0.32 * np.maximum(-g * half, 0)
        at = constant(
            t, (0.3 + 0.1 * beat) * g * s, (-0.3 - 0.1 * g * half) * s, body.joints[CHEST, 2] + (raised - 0.1) * s
        )
        reach(pose, body, g, at, elbow=(1, 0.2, -0.2))
    hips[:, 0] += 0.06 * s * half
    hips[:, 2] -= 0.05 * s * (1 + beat)
    hips[:, 1] += 0.06 * s
    return pose.add(pitch=0.3 + 0.12 * beat, tilt=0.12, twist=0.35 * half, side=0.15 * half, nod=0.15 * beat)


def martial(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Kicks and punches in the air, from a guard or from a deep stance."""
    kind = rng.choice(["kick", "punch", "stance"], p=(0.5, 0.25, 0.25))
    s, hertz, g = body.height / 1.7, spread(rng, 0.6, 0.9), int(rng.choice(SIDES))
    phase, leg, chest = rng.normal(0, 0.06), leg_length(body), body.joints[CHEST, 2]
    first, second = (smooth(np.maximum(wave(t, hertz, p + phase), 0) * 1.5) for p in (0.25, 0.75))
    pose = on_feet(body, t, apart=0.16, split=-0.17 * g, drop=0.06)
    feet, hips = _points(pose)
    if kind == "stance":
        pose = on_feet(body, t, apart=0.36, drop=0.25)
        feet, hips = _points(pose)
        pose.knees = {h: (0.7, -1, 0) for h in SIDES}
    elif kind == "kick":
        high, aside = spread(rng, 0.75, 1.25) * leg, spread(rng, 0.0, 0.5)
        pose.knees[g] = (0.2, -0.7, 0.7)
        raised = np.maximum(wave(t, hertz, 0.25 + phase), -0.2)
        chamber, out = smooth((raised + 0.2) * 1.4), smooth((raised - 0.35) * 1.6)
        foot = constant(t, 0.1 * s * g + aside * leg * out * g, (-0.15 - 0.85 * out * (1 - 0.5 * aside)) * leg, high)
        tucked = constant(t, 0.1 * s * g, -0.05 * leg, 0.5 * leg)
        goal = tucked + (foot - tucked) * out[:, None]
        feet[g] = feet[g] + (goal - feet[g]) * chamber[:, None]
        hips[:, 0] -= 0.1 * s * g * chamber
        hips[:, 1] += 0.1 * s * chamber
        pose.toes[g] = -0.3 * chamber
        pose.add(tilt=-0.35 * chamber, roll=0.2 * aside * g * out)
    blows = {g: second, -g: 0.0 * first} if kind == "kick" else {g: first, -g: second}
    for h in SIDES:
        low = (-0.22, -0.28) if kind == "stance" else (-0.33, 0.02)
        near = constant(t, 0.13 * h * s, low[0] * s, chest + low[1] * s)
        far = constant(t, 0.03 * h * s, -0.72 * s, chest + 0.08 * s)
        reach(pose, body, h, near + (far - near) * blows[h][:, None], elbow=(0.7, 0.2, -1))
        pose.add(twist=-0.3 * h * blows[h])
    if kind != "stance":
        pose.add(yaw=0.4 * g, pitch=0.12)
    shows: dict[int, tuple[int, ...]] = {9: (CHEST, HAND[g], HAND[-g])}
    return Deed(
        "martial art", pose, (9,), "fighting", steady_head=True, shows=shows, space=0.75, hands={1: "grip", -1: "grip"}
    )


# --- from one posture to another ------------------------------------------------------------------------------------


def _lying(body: Body, t: np.ndarray, rng: Draw, *, tilt: float, roll: float = 0.0, spin: float = 0.0) -> Pose:
    """Sprawled on the floor about the feet."""
    pose = upright(t, apart=spread(rng, 0.1, 0.25))
    pose.whole = True
    pose.add(tilt=tilt, roll=roll, spin=spin, foot=0.8, look=rng.normal(0, 0.4))
    for g in SIDES:
        knee = spread(rng, 0, 0.5) * (tilt < 0)
        pose.thigh[g], pose.shin[g] = constant(t, 0.15 * g, -knee, -1), constant(t, 0.1 * g, knee, -1)
        out = spread(rng, 0.3, 1.2)
        pose.upper[g] = constant(t, out * g, -0.1, spread(rng, -0.8, 0.3))
        pose.fore[g] = constant(t, 0.4 * g, -0.15, spread(rng, -0.5, 0.8))
    return pose


def _on_side(pose: Pose, g: int, rng: Draw) -> None:
    """Legs drawn up one over the other, the upper arm before the body, the lower one under the head."""
    t = pose.t
    for h in SIDES:
        bent = spread(rng, 0.4, 1.0)
        pose.thigh[h], pose.shin[h] = constant(t, -0.05 * h, -bent, -0.8), constant(t, 0, spread(rng, 0.2, 0.9), -0.7)
    pose.upper[g], pose.fore[g] = constant(t, 0.35 * g, -0.5, 0.8), constant(t, -0.1 * g, -0.4, 0.9)
    pose.upper[-g], pose.fore[-g] = constant(t, 0.15 * g, -1, -0.5), constant(t, 0.5 * g, -0.7, -0.2)


def fall(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Backwards over the seat, forwards onto the hands, sideways, or down in a heap; ends on the floor."""
    kind = rng.choice(["back", "front", "side", "heap"], p=(0.3, 0.25, 0.25, 0.2))
    g, s = int(rng.choice(SIDES)), body.height / 1.7
    start, takes = spread(rng, -0.75, -0.3), spread(rng, 0.65, 0.95)
    first = event(t, start, 0.62 * takes, period=6, back=0.9)
    second = event(t, start + 0.4 * takes, 0.6 * takes, period=6, back=1.3)
    up, mid = on_feet(body, t, apart=0.12, split=0.08 * g), on_feet(body, t, apart=0.12, split=0.08 * g)
    feet, hips = _points(mid)
    for h in SIDES:
        mid.upper[h], mid.fore[h] = constant(t, 0.9 * h, -0.7, 0.2), constant(t, 0.6 * h, -0.8, 0.4)
    if kind == "back":
        hips[:, 1], hips[:, 2] = 0.5 * s, 0.3 * s
        for h in SIDES:
            feet[h][:, 1] -= 0.12 * s
            mid.upper[h], mid.fore[h] = constant(t, 0.6 * h, 0.6, -0.5), constant(t, 0.4 * h, 0.5, -0.8)
        mid.add(tilt=-0.65, pitch=0.2, nod=0.3)
        end = _lying(body, t, rng, tilt=-1.5)
    elif kind == "front":
        hips[:, 1], hips[:, 2] = -0.3 * s, 0.52 * s
        for h in SIDES:
            mid.toes[h] = 0.7 + 0 * t
            feet[h][:, 2] = 0.09 * s
            mid.upper[h], mid.fore[h] = constant(t, 0.3 * h, -1, 0.35), constant(t, 0.1 * h, -1, 0.3)
        mid.add(tilt=0.85, pitch=0.1, nod=-0.4)
        end = _lying(body, t, rng, tilt=1.5)
        for h in SIDES:
            end.upper[h], end.fore[h] = constant(t, 0.6 * h, -0.25, 0.7), constant(t, -0.1 * h, -0.25, 1)
        end.put(look=0.9 * g)
    elif kind == "side":
        hips[:, 0], hips[:, 2] = 0.36 * s * g, 0.42 * s
        mid.upper[g], mid.fore[g] = constant(t, 1.0 * g, -0.2, -0.4), constant(t, 0.7 * g, -0.2, -0.7)
        mid.add(roll=0.75 * g, side=-0.2 * g)
        end = _lying(body, t, rng, tilt=0.0, roll=1.5 * g)
        _on_side(end, g, rng)
    else:
        hips[:, 1], hips[:, 2] = 0.12 * s, 0.32 * s
        mid.add(tilt=0.35, pitch=0.6, nod=0.4)
        for h in SIDES:
            mid.upper[h], mid.fore[h] = constant(t, 0.4 * h, -0.5, -0.9), constant(t, 0.2 * h, -0.4, -0.9)
        end = _lying(body, t, rng, tilt=0.35, roll=1.35 * g)
        _on_side(end, g, rng)
    pose = sequence((up, mid, end), np.stack([first, second]))
    return Deed("fall", pose, (5,), "falling", space=1.0, top=0.85)


def get_up(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """From a chair, a squat or a knee, from sitting or from lying on the floor, to the feet."""
    kind = rng.choice(["chair", "crouch", "floor", "lying"], p=(0.35, 0.25, 0.2, 0.2))
    start, s, g = spread(rng, -0.95, -0.5), body.height / 1.7, int(rng.choice(SIDES))
    if kind == "chair":
        up = event(t, start, spread(rng, 1.0, 1.4), period=6, back=1.2)
        pose = seated(body, t, rng, table=True)
        feet, hips = _points(pose)
        back = float(np.mean([feet[h][0, 1] for h in SIDES])) + 0.14 * s
        for h in SIDES:
            feet[h][:, 1] += 0.12 * s  # feet are drawn in before one gets up
        lean, seat = np.sin(np.pi * smooth(up)), float(hips[0, 2])
        hips[:, 1] = (back + 0.03 * s) * smooth(up * 1.15)
        hips[:, 2] = seat + (standing_height(body) - seat) * smooth(up * 1.2 - 0.2)
        pose.knees = {h: (0.1, -1, 0.9) for h in SIDES}
        pose.angles["tilt"] = -0.1 * (1 - up) + 0.6 * lean
        pose.add(pitch=0.3 * lean)
        thigh = float(np.linalg.norm(body.joints[15] - body.joints[14]))
        for h in SIDES:
            at = constant(t, 0.13 * s * h, -0.75 * thigh + 0.2 * hips[:, 1], seat + 0.12 * s)
            pose.hands[h] = Hand(at, "floor", 1 - smooth(up * 1.6 - 0.4), (1, 0.5, -0.3))
        return Deed("get up", pose, (6,), "getting up", seat="chair", space=0.55, top=0.95)
    keys: tuple[Pose, ...]
    end, squat = on_feet(body, t, apart=0.11), on_feet(body, t, apart=0.13, split=0.06 * g)
    _feet, hips = _points(squat)
    hips[:, 1], hips[:, 2] = 0.14 * s, 0.45 * leg_length(body)
    squat.add(tilt=0.45, pitch=0.45)
    squat.knees = {h: (0.3, -1, 0.1) for h in SIDES}
    for h in SIDES:
        squat.upper[h], squat.fore[h] = constant(t, 0.25 * h, -0.5, -1), constant(t, 0.05 * h, -0.4, -1)
    if kind == "crouch":
        low = crouch(body, t, rng).pose
        low.hands = {}
        takes, keys = spread(rng, 0.9, 1.3), (low, squat, end)
    elif kind == "floor":
        low = sit_floor(body, t, rng).pose
        low.anchor = "feet"
        takes, keys = spread(rng, 1.2, 1.6), (low, squat, end)
    else:
        middle = _lying(body, t, rng, tilt=-0.45)
        middle.whole = False
        for h in SIDES:
            middle.thigh[h], middle.shin[h] = constant(t, 0.2 * h, -0.8, 0.6), constant(t, 0.05 * h, -0.3, -1)
        middle.upper[g], middle.fore[g] = constant(t, 0.5 * g, 0.7, -0.7), constant(t, 0.3 * g, 0.3, -1)
        middle.add(pitch=0.5)
        takes, keys = spread(rng, 1.5, 1.8), (_lying(body, t, rng, tilt=-1.5), middle, squat, end)
    parts = len(keys) - 1
    mix = [event(t, start + takes * k / parts * 0.85, takes / parts * 1.2, period=6, back=0.9) for k in range(parts)]
    pose = sequence(keys, np.stack(mix))
    return Deed("get up", pose, (6,), "getting up", space=0.7, top=0.95, shows={6: (HEAD, CHEST)})
