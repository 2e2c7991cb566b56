"""What people do: feet stay on the floor, hands reach what they hold, labels are AVA's and true of the motion."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from refatomnet.actions import ACTIONS
from training.data.synthetic.deeds import gestures, handling, menu, motions, moves, working
from training.data.synthetic.deeds.motions import FOOT, MOUTH, Deed
from training.data.synthetic.deeds.poses import SIDES, Hand, grip_at, held_points, solve
from training.data.synthetic.people.bodies import CHEST, HEAD, JOINTS, Body, load_bank, skin

BODIES = Path(__file__).with_name("bodies")
TIMES = np.arange(-30, 31) / 6.0
WINDOW = np.abs(TIMES) <= 1.34
RIG, BANK = load_bank("test", cache_dir=BODIES, count=6)
WHOLE = [*menu.POSTURES, *menu.HANDLING]
ON_TOP = [(base, f) for base, fs in menu.ON_TOP.items() for f in fs]
ON_FEET = {1, 12, 14}


def _name(value: object) -> str:
    return value.__name__ if callable(value) else ""


def _samples(make: Callable, count: int, bodies: tuple[int, ...] = (0, 3, 5)) -> list[tuple[Deed, Body]]:
    out = []
    for seed in range(count):
        body = BANK[bodies[seed % len(bodies)]]
        out.append((make(body, TIMES, np.random.default_rng(seed)), body))
    return out


def _every() -> list:
    whole = [pytest.param(f, menu.GIVES[f], menu.GIVES[f], id=_name(f)) for f in WHOLE]

    def on_top(base: Callable, f: Callable) -> Callable:
        return lambda body, t, rng: f(base(body, t, rng), body, rng)

    top = [
        pytest.param(on_top(b, f), (*menu.GIVES[b], *menu.GIVES[f]), menu.GIVES[f], id=f"{_name(f)}-{_name(b)}")
        for b, f in ON_TOP
    ]
    return whole + top


def _goal(hand: Hand, deed: Deed, body: Body, solved: tuple) -> np.ndarray:
    rotations, positions, heading = solved
    if hand.frame == "floor":
        goal = np.einsum("tab,tb->ta", heading, hand.at)
        if deed.pose.shift is not None:
            goal[:, :2] += deed.pose.shift
        return goal
    j = {"chest": CHEST, "head": HEAD}[hand.frame]
    return positions[:, j] + np.einsum("tab,tb->ta", rotations[:, j], hand.at - body.joints[j])


@pytest.mark.parametrize(("make", "may", "must"), _every())
def test_labels_and_joints(make: Callable, may: tuple, must: tuple) -> None:
    for deed, body in _samples(make, 4):
        rotations, positions, heading = solve(deed.pose, body)
        assert np.isfinite(rotations).all() and np.isfinite(positions).all()
        np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-3)
        assert deed.actions == tuple(sorted(set(deed.actions))) and len(deed.actions) <= 4
        assert set(deed.actions) <= set(may) <= {a.id for a in ACTIONS}
        assert set(deed.actions) & set(must)
        assert sum(a <= 14 for a in deed.actions) == 1
        assert set(deed.shows) == set(deed.actions)
        assert all(0 <= j < len(JOINTS) for rows in deed.shows.values() for j in rows)
        things = {p.name for p in deed.pose.props} | {f.name for f in deed.fixtures}
        assert set(deed.needs.values()) <= things and set(deed.needs) <= set(deed.actions)
        assert deed.holding is None or deed.holding in things
        for prop in deed.pose.props:
            points = held_points(prop, deed.pose, body, rotations, positions, heading)
            assert points.shape == (len(TIMES), len(prop.vertices), 3) and np.isfinite(points).all()
        for item in [*deed.pose.props, *deed.fixtures]:
            assert item.face_colour is None or len(item.face_colour) == len(item.faces)
            assert item.face_colour is None or item.face_colour.max() < len(item.colours)


@pytest.mark.parametrize(("make", "may", "must"), _every())
def test_hands_reach(make: Callable, may: tuple, must: tuple) -> None:
    for deed, body in _samples(make, 4):
        solved = solve(deed.pose, body)
        for g, hand in deed.pose.hands.items():
            sure = (np.zeros(len(TIMES)) + hand.weight) > 0.99
            gap = np.linalg.norm(grip_at(body, g, *solved[:2]) - _goal(hand, deed, body, solved), axis=-1)
            assert gap[sure & WINDOW].max(initial=0) < 0.075
            assert np.median(gap[sure & WINDOW]) < 0.04 if (sure & WINDOW).any() else True


@pytest.mark.parametrize("make", WHOLE, ids=_name)
def test_the_lowest_point_is_a_foot_on_the_floor(make: Callable) -> None:
    for deed, body in _samples(make, 4):
        if not ON_FEET & set(deed.actions) or make is working.climb:
            continue
        rotations, positions, _heading = solve(deed.pose, body)
        points = skin(body.rest, RIG.weights, body.joints[:20], rotations, positions)
        foot = RIG.weights[:, [FOOT[1], FOOT[-1]]].sum(1) > 0.5
        low = points[..., 2].min(1)
        assert low.max() < 0.03 and low.min() > -0.04
        assert (points[:, foot, 2].min(1) - low < 0.02).all()


@pytest.mark.parametrize("make", [motions.stand, motions.bend, working.cut, handling.pick_up, working.dig], ids=_name)
def test_standing_feet_stay(make: Callable) -> None:
    for deed, body in _samples(make, 6):
        positions = solve(deed.pose, body)[1]
        for g in SIDES:
            assert np.ptp(positions[:, FOOT[g], :2], axis=0).max() < 0.02


@pytest.mark.parametrize("make", [motions.walk, motions.run, handling.push], ids=_name)
def test_the_bearing_foot_does_not_slide(make: Callable) -> None:
    t = np.arange(-30, 31) / 60
    for seed in range(4):
        body = BANK[(0, 3, 5)[seed % 3]]
        deed = make(body, t, np.random.default_rng(seed))
        positions = solve(deed.pose, body)[1]
        feet = np.stack([positions[:, FOOT[g]] for g in SIDES], 1)
        speed = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1)[1:] * 60
        flat = np.stack([np.abs(deed.pose.feet[g][:, 2]) < 1e-3 for g in SIDES], 1)
        bearing = flat[1:-1] & flat[:-2] & flat[2:]  # not the frame in which it lands
        assert bearing.any()
        assert speed[bearing].max() < 0.1
        assert np.linalg.norm(positions[-1, 0] - positions[0, 0]) > 0.2 * body.height


def test_walkers_come_round_again() -> None:
    for deed, body in _samples(motions.walk, 3):
        positions = solve(deed.pose, body)[1]
        assert np.abs(positions[..., :2]).max() < 4.5
        assert np.linalg.norm(np.diff(positions[:, 0], axis=0), axis=-1).max() < 0.5


def test_falls_end_on_the_floor_and_rising_ends_on_the_feet() -> None:
    start, end = np.argmin(np.abs(TIMES + 1.33)), np.argmin(np.abs(TIMES - 1.33))
    for make, first, last in ((moves.fall, start, end), (moves.get_up, end, start)):
        for deed, body in _samples(make, 12):
            rotations, positions, _heading = solve(deed.pose, body)
            points = skin(body.rest, RIG.weights, body.joints[:20], rotations, positions)
            height = positions[:, HEAD, 2] - points[..., 2].min(1)
            assert height[first] > 0.8 * body.joints[HEAD, 2]
            assert height[last] < (0.35 if make is moves.fall else 0.85) * body.joints[HEAD, 2]


def test_jumpers_leave_the_floor() -> None:
    for deed, body in _samples(moves.jump, 6):
        lift = deed.pose.angle("lift")
        assert lift[WINDOW].max() > 0.1 * body.height and lift[WINDOW].min() < 0.05


@pytest.mark.parametrize("make", [handling.throw, handling.catch, handling.pick_up, handling.put_down], ids=_name)
def test_things_change_hands_in_view(make: Callable) -> None:
    for deed, _body in _samples(make, 12):
        held = deed.pose.props[0].held
        assert held is not None and held[WINDOW].any() and not held[WINDOW].all()


def test_things_do_not_jump_from_hands() -> None:
    """At 60 frames a second nothing thrown, caught or put down moves by more than a hand's breadth a frame."""
    t = np.arange(-80, 81) / 60
    for make in (handling.throw, handling.catch, handling.put_down, handling.pick_up):
        for seed in range(8):
            body = BANK[(0, 3, 5)[seed % 3]]
            deed = make(body, t, np.random.default_rng(seed))
            item = deed.pose.props[0]
            middle = held_points(item, deed.pose, body, *solve(deed.pose, body)).mean(1)
            assert np.linalg.norm(np.diff(middle, axis=0), axis=-1).max() < 0.2


@pytest.mark.parametrize(
    ("gesture", "near"),
    [(gestures.drink, 0.12), (gestures.eat, 0.12), (gestures.smoke, 0.09), (gestures.brush_teeth, 0.12)],
    ids=_name,
)
def test_what_belongs_to_the_mouth_gets_there(gesture: Callable, near: float) -> None:
    for deed, body in _samples(lambda b, t, r: gesture(motions.stand(b, t, r), b, r), 6):
        rotations, positions, heading = solve(deed.pose, body)
        mouth = positions[:, HEAD] + rotations[:, HEAD] @ (body.joints[MOUTH] - body.joints[HEAD])
        points = held_points(deed.pose.props[0], deed.pose, body, rotations, positions, heading)
        gap = np.linalg.norm(points - mouth[:, None], axis=-1).min(1)
        assert gap[WINDOW].min() < near


def test_phones_are_at_ears() -> None:
    for deed, body in _samples(lambda b, t, r: gestures.phone_ear(motions.stand(b, t, r), b, r), 6):
        rotations, positions, heading = solve(deed.pose, body)
        points = held_points(deed.pose.props[0], deed.pose, body, rotations, positions, heading)
        at = gestures.ear(body)
        ears = [positions[:, HEAD] + rotations[:, HEAD] @ (at * (g, 1, 1) - body.joints[HEAD]) for g in SIDES]
        gap = np.minimum(*(np.linalg.norm(points - e[:, None], axis=-1).min(1) for e in ears))
        assert gap.max() < 0.09


@pytest.mark.parametrize(("base", "gesture"), [pytest.param(b, f, id=f"{_name(f)}-{_name(b)}") for b, f in ON_TOP])
def test_hands_stay_out_of_the_trunk(base: Callable, gesture: Callable) -> None:
    """In the chest's frame, no grip lies deep behind the belly's surface before the trunk."""
    for deed, body in _samples(lambda b, t, r: gesture(base(b, t, r), b, r), 3):
        rotations, positions, _heading = solve(deed.pose, body)
        for g in deed.hands:
            grip = np.einsum(
                "tba,tb->ta", rotations[:, CHEST], grip_at(body, g, rotations, positions) - positions[:, CHEST]
            )
            grip = grip + body.joints[CHEST]
            inside = (np.abs(grip[:, 0]) < 0.1) & (grip[:, 2] < body.joints[CHEST, 2]) & (grip[:, 1] < 0.0)
            inside &= grip[:, 2] > body.joints[14, 2]
            assert (grip[inside, 1] < motions.belly(body) + 0.03).all()


def test_same_seed_same_deed() -> None:
    for make in WHOLE:
        a, b = (make(BANK[0], TIMES, np.random.default_rng(7)) for _ in range(2))
        np.testing.assert_array_equal(solve(a.pose, BANK[0])[1], solve(b.pose, BANK[0])[1])
