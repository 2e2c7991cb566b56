"""Duets, casting and arrangement: hands meet, nobody runs into anybody, labels come as promised."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from training.data.synthetic import casting, stage
from training.data.synthetic.casting import cast, plan, recipes, weights
from training.data.synthetic.deeds import duets, groups
from training.data.synthetic.deeds.contact import MOUTH, Posed, across, capsules, gaps, opposite, settle
from training.data.synthetic.deeds.duets import DUETS, GIVES, Duet, fits, perform
from training.data.synthetic.people.bodies import Body, Rig, load_bank
from training.data.synthetic.people.wardrobe import canon_attributes
from training.data.synthetic.stage import Actor, act, arrange

T = np.arange(-15, 14) / 10.0
KEY = 15
SHORT = (np.arange(18) - 9) / 6.0
BODIES = Path(__file__).with_name("bodies")


@pytest.fixture(scope="module")
def bank() -> tuple[Rig, list[Body]]:
    return load_bank("test", cache_dir=BODIES, count=6)


def draw(name: str, bodies: list[Body], rng: np.random.Generator) -> tuple[Duet, Posed, Posed]:
    """A duet of two bodies that fit, and both skeletons in frames of their own."""
    pairs = [(a, b) for a in bodies for b in bodies if a is not b and fits(name, (a, b))]
    assert pairs, f"no two of the bank's bodies can {name}"
    pair = pairs[rng.integers(len(pairs))]
    duet = perform(name, pair, T, rng)
    return duet, settle(duet[1].pose, pair[0]), settle(duet[2].pose, pair[1])


def distance_to(points: np.ndarray, shape: tuple[np.ndarray, ...], which: list[int]) -> np.ndarray:
    """Metres (T,) from points (T, 3) to the nearest of some capsules."""
    dots = points[:, None], points[:, None] + 1e-6, np.zeros(1)
    return gaps(dots, (shape[0][:, which], shape[1][:, which], shape[2][which])).min((1, 2))


@pytest.mark.parametrize("seed", range(6))
def test_hands_meet(bank: tuple[Rig, list[Body]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    (apart, *_deeds), a, b = draw("handshake", bank[1], rng)
    assert np.linalg.norm(a.grip(-1) - across(b.grip(-1), apart), axis=-1)[KEY] < 0.05
    (apart, giver, _taker), a, b = draw("give", bank[1], rng)
    item = giver.pose.props[0]
    if item.hold == "hands":  # each on their own end of a box or ball
        mine, theirs = ((p.grip(1) + p.grip(-1)) / 2 for p in (a, b))
        near = 0.13
    else:
        side = 1 if item.hold == "left" else -1
        mine, theirs, near = a.grip(side), b.grip(side), 0.05
    assert np.linalg.norm(mine - across(theirs, apart), axis=-1).min() < near
    assert item.held is not None and item.path is not None and not item.held.all()
    way = np.where(item.held[:, None], mine, item.path)
    assert np.linalg.norm(np.diff(way, axis=0), axis=-1).max() < 0.35  # at ten frames a second: it does not jump


@pytest.mark.parametrize("seed", range(4))
def test_touch(bank: tuple[Rig, list[Body]], seed: int) -> None:
    """Hands, feet and mouths come to the other's body."""
    rng = np.random.default_rng(seed)
    trunk, arms = [0, 1, 2], [3, 6, 7, 10]
    for name, near in (("grab", 0.06), ("push", 0.06), ("lift", 0.05), ("hug", 0.08), ("kiss", 0.08), ("fight", 0.1)):
        (apart, *_), a, b = draw(name, bank[1], rng)
        them = opposite(capsules(b), apart)
        hands = [distance_to(a.grip(g), them, trunk + arms) for g in (1, -1)]
        if name == "kiss":
            assert distance_to(a.mark(MOUTH), them, [2])[KEY] < near
        elif name in ("grab", "fight"):
            assert min(h.min() for h in hands) < near, name
        else:
            assert max(h.min() for h in hands) < near, name
    (apart, *_), a, b = draw("kick", bank[1], rng)
    feet = [distance_to(a.positions[:, j], opposite(capsules(b), apart), [0, 1, 4, 8]).min() for j in (16, 19)]
    assert min(feet) < 0.15  # the ankle, above the sole


@pytest.mark.parametrize("name", DUETS)
def test_they_face_each_other_and_keep_apart(bank: tuple[Rig, list[Body]], name: str) -> None:
    for seed in range(3):
        duet, a, b = draw(name, bank[1], np.random.default_rng(seed))
        for posed in (a, b):
            flat = posed.front[KEY, :2] / np.linalg.norm(posed.front[KEY, :2])
            assert flat @ (0, -1) > np.cos(np.radians(25))
        assert duets.collision(name, (a.body, b.body), duet) < 0.035
        assert duets.collision(name, (a.body, b.body), (0.08, *duet[1:])) > 0.03  # the check can tell


def test_labels_of_duets(bank: tuple[Rig, list[Body]]) -> None:
    rng = np.random.default_rng(0)
    seen: set[int] = set()
    for name in DUETS:
        for _ in range(3):
            (_apart, *deeds), *_posed = draw(name, bank[1], rng)
            for deed, may in zip(deeds, GIVES[name], strict=True):
                assert set(deed.actions) <= set(may), name
                assert deed.actions == tuple(sorted(set(deed.actions)))
                assert set(deed.shows) | set(deed.needs) <= set(deed.actions) | {58, 75}
                seen |= {a for a in deed.actions if a >= 64}
    assert len(seen) >= 14


def test_duets_work_for_long_clips(bank: tuple[Rig, list[Body]]) -> None:
    """A ten-second clip repeats; limbs do not jump from one frame to the next."""
    t = np.arange(-125, 125) / 25.0
    for name, duet in DUETS.items():
        pair = next((a, b) for a in bank[1] for b in bank[1] if a is not b and fits(name, (a, b)))
        for deed, body in zip(duet(pair, t, np.random.default_rng(1))[1:], pair, strict=True):
            steps = np.linalg.norm(np.diff(settle(deed.pose, body).positions, axis=0), axis=-1)
            assert np.isfinite(steps).all() and steps.max() < 0.45, name


def test_a_still_can_be_made_of_duets_and_groups(bank: tuple[Rig, list[Body]]) -> None:
    t = np.zeros(1)
    for name, duet in DUETS.items():
        pair = next((a, b) for a in bank[1] for b in bank[1] if a is not b and fits(name, (a, b)))
        for deed, body in zip(duet(pair, t, np.random.default_rng(1))[1:], pair, strict=True):
            assert np.isfinite(settle(deed.pose, body).positions).all(), name
    for group in (groups.circle, groups.side_by_side):
        for spot, body in zip(group(bank[1][:3], t, np.random.default_rng(1)), bank[1][:3], strict=True):
            assert np.isfinite(settle(spot.deed.pose, body).positions).all(), group.__name__


def test_groups_listen_to_one(bank: tuple[Rig, list[Body]]) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        bodies = [bank[1][i] for i in rng.permutation(6)[: rng.integers(2, 5)]]
        spots = groups.circle(bodies, T, rng)
        assert [79 in s.deed.actions for s in spots] == [True] + [False] * (len(spots) - 1)
        talker = settle(spots[0].deed.pose, bodies[0])
        for spot, body in zip(spots[1:], bodies[1:], strict=True):
            assert {74, 80} <= set(spot.deed.actions)
            posed = settle(spot.deed.pose, body)
            line = groups.seen_from(groups.in_world(talker.face, spots[0]), spot) - posed.face
            line /= np.linalg.norm(line, axis=-1, keepdims=True)
            assert (line * posed.gaze).sum(-1)[KEY] > np.cos(np.radians(25))


def test_weights() -> None:
    for labels in ("balanced", "natural"):
        assert weights(labels).shape == (len(recipes()),)
        assert np.isclose(weights(labels).sum(), 1) and (weights(labels) > 0).all()
    with pytest.raises(ValueError, match="unknown labels"):
        weights("equal")


def _histogram(bodies: list[Body], labels: str, count: int = 240) -> Counter[int]:
    plans = [plan(bodies, SHORT[::6], np.random.default_rng(k), labels=labels) for k in range(count)]
    assert {sum(map(len, p)) for p in plans} == {2, 3, 4, 5, 6}
    return Counter(a for p in plans for unit in p for _body, spot in unit for a in spot.deed.actions)


def test_balanced_and_natural_labels(bank: tuple[Rig, list[Body]]) -> None:
    balanced, natural = (_histogram(bank[1], labels) for labels in ("balanced", "natural"))
    counts = sorted(balanced.values())
    possible = {a for r in recipes() for a in r.labels}
    assert set(balanced) == possible and len(possible) >= 36
    assert counts[0] >= np.median(counts) / 5
    most = [n for _a, n in natural.most_common(5)]
    assert 0.65 < sum(most) / sum(natural.values()) < 0.9
    assert sum(counts[-5:]) / sum(counts) < 0.6
    assert {12, 74, 79, 80} <= {a for a, _n in natural.most_common(6)}


@pytest.fixture(scope="module")
def casts(bank: tuple[Rig, list[Body]]) -> list[list[Actor]]:
    rig, bodies = bank
    attributes, out = canon_attributes(rig), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        units = cast(rig, bodies, attributes, SHORT, rng)
        out.append(arrange(units, rng, depth=4.0, half_width=0.6))
    return out


def test_casts(casts: list[list[Actor]]) -> None:
    assert all(2 <= len(actors) <= 6 for actors in casts)
    assert np.mean([len(actors) for actors in casts]) > 2.8
    assert any(a.figure.body.age == "child" and b.figure.body.age != "child" for c in casts for a in c for b in c)


def test_nobody_stands_in_anybody(casts: list[list[Actor]]) -> None:
    for actors in casts:
        for actor in actors:
            act(actor)
        for i, a in enumerate(actors):
            for b in actors[:i]:
                together = a.pair is not None and (actors[a.pair] is b or b.pair == a.pair)
                trunks = np.linalg.norm(a.joints[:, None, 3, :2] - b.joints[:, None, 3, :2], axis=-1).min()
                joints = np.linalg.norm(a.joints[:, :, None, :2] - b.joints[:, None, :, :2], axis=-1).min()
                if together or (b.pair is not None and actors[b.pair] is a):
                    assert trunks > 0.1
                else:
                    assert joints > 0.2


def test_watchers_look_at_somebody(casts: list[list[Actor]]) -> None:
    watchers = 0
    for actors in casts:
        for actor in actors:
            if 80 not in actor.deed.actions:
                continue
            watchers += 1
            gaze = actor.world(settle(actor.deed.pose, actor.figure.body).gaze[9, :2]) - actor.at
            lines = [b.joints[9, 7, :2] - actor.joints[9, 7, :2] for b in actors if b is not actor]
            cosines = [gaze @ line / np.linalg.norm(gaze) / np.linalg.norm(line) for line in lines]
            assert max(cosines) > np.cos(np.radians(30))
    assert watchers >= 10


def test_people_hide_each_other_but_not_all(casts: list[list[Actor]]) -> None:
    hidden = np.concatenate([stage._hidden(actors) for actors in casts])
    assert 0.15 < np.mean((hidden > 0.15) & (hidden < 0.7)) < 0.6
    assert np.mean(hidden > 0.75) < 0.05


def test_same_chance_same_cast(bank: tuple[Rig, list[Body]], casts: list[list[Actor]]) -> None:
    rig, bodies = bank
    rng = np.random.default_rng(3)
    units = cast(rig, bodies, canon_attributes(rig), SHORT, rng)
    for one, other in zip(arrange(units, rng, depth=4.0, half_width=0.6), casts[3], strict=True):
        assert one.figure.look == other.figure.look and one.deed.actions == other.deed.actions
        assert np.array_equal(one.at, other.at) and one.heading == other.heading


def test_look_alikes(bank: tuple[Rig, list[Body]]) -> None:
    rig, bodies = bank
    attributes = canon_attributes(rig)
    alike = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        people = [bodies[i] for i in rng.permutation(6)[:2]]
        looks = [f.look for f in casting._dress_all(rig, people, attributes, rng)]
        alike.append(
            looks[0].top_colour == looks[1].top_colour or (looks[0].sex, looks[0].top) == (looks[1].sex, looks[1].top)
        )
    assert 0.25 < np.mean(alike) < 0.7


def test_people_sit_at_the_table(bank: tuple[Rig, list[Body]]) -> None:
    """Its top lies between hips and chins of all, before their bellies, and hands are over it."""
    grown = [b for b in bank[1] if b.age != "child"]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        bodies = [grown[k % len(grown)] for k in range(2 + seed % 3)]
        spots = groups.at_table(bodies, T, rng)
        (thing,) = spots[0].deed.fixtures
        board = groups.in_world(thing.vertices, spots[0])
        low, high = board.min(0), board.max(0)
        for spot, body in zip(spots, bodies, strict=True):
            assert 11 in spot.deed.actions and spot.deed.seat == "chair"
            posed = settle(spot.deed.pose, body)
            trunk = groups.in_world(posed.positions[:, [0, 5]], spot)
            assert (np.abs(trunk[..., 1] - (low[1] + high[1]) / 2) > (high[1] - low[1]) / 2).all()
            assert (posed.positions[:, 0, 2] < high[2]).all() and (posed.positions[:, 7, 2] > high[2]).all()
            for g in (1, -1):
                assert (posed.grip(g)[:, 2] > high[2] - 0.03).all()
