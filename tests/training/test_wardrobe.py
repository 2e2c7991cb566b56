"""People and clothes: looks agree with themselves, bodies blend, cloth has the colour that is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.synthetic.facts import (
    BOTTOMS,
    COLOURS,
    GLASSES,
    HAIR_COLOURS,
    HAIR_LENGTHS,
    HAIR_STYLES,
    HATS,
    PATTERNS,
    SLEEVES,
    TOPS,
    Look,
)
from training.data.synthetic.people.bodies import Body, Rig, blend_bodies, load_bank, skin, vertex_normals
from training.data.synthetic.people.cloth import BOTTOM, PROP, TOP, Figure, shape_hands
from training.data.synthetic.people.fitting import fit
from training.data.synthetic.people.hands import SHAPES
from training.data.synthetic.people.palette import RGB, linear
from training.data.synthetic.people.wardrobe import canon_attributes, draw_look, dress

Bank = tuple[Rig, list[Body]]


@pytest.fixture(scope="module")
def bank() -> Bank:
    return load_bank("test", cache_dir=Path(__file__).with_name("bodies"), count=6)


def figure_of(bank: Bank, seed: int, **changes: object) -> Figure:
    rig, bodies = bank
    rng = np.random.default_rng(seed)
    body = blend_bodies(bodies, rng)
    return dress(rig, body, replace(draw_look(body, rng), **changes), canon_attributes(rig), rng)


# --- looks ----------------------------------------------------------------------------------------------------------


def check_look(look: Look) -> None:
    assert look.top in TOPS and look.sleeves in SLEEVES and look.pattern in PATTERNS
    assert look.hair_colour in HAIR_COLOURS and look.hair_length in HAIR_LENGTHS
    assert look.skin in ("light", "medium", "dark")
    assert {look.top_colour, look.shoes} <= set(COLOURS)
    assert {look.hat, look.scarf, look.tie, look.inner, look.pattern_colour, look.bottom_colour} <= {None, *COLOURS}
    assert look.glasses in (None, *GLASSES)
    assert look.hat_kind in HATS if look.hat else look.hat_kind is None
    assert look.hair_style in HAIR_STYLES if look.hair_length == "long" else look.hair_style is None
    assert (look.bottom is None) == (look.top == "dress") == (look.bottom_colour is None)
    assert look.bottom in (None, *BOTTOMS)
    assert (look.pattern == "plain") == (look.pattern_colour is None)
    assert look.pattern_colour != look.top_colour and look.inner != look.top_colour
    if look.sex == "man":
        assert look.top != "dress" and look.bottom != "skirt"
    else:
        assert not look.beard
    if look.age == "child":
        assert not look.beard and not look.tie
    if look.tie:
        assert look.top == "shirt" or (look.top == "jacket" and look.inner)
    if look.scarf:
        assert look.top in ("coat", "jacket", "sweater")
    if look.inner:
        assert look.top in ("coat", "jacket", "hoodie", "shirt")
    if look.top == "tank top":
        assert look.sleeves == "none"


@given(seed=st.integers(0, 2**32 - 1), colour=st.sampled_from([None, *COLOURS]))
@settings(max_examples=150, deadline=None)
def test_looks_agree_with_themselves(bank: Bank, seed: int, colour: str | None) -> None:
    rng = np.random.default_rng(seed)
    body = blend_bodies(bank[1], rng)
    look = draw_look(body, rng, top_colour=colour)
    check_look(look)
    assert colour in (None, look.top_colour)
    assert (look.sex, look.age, look.build) == (body.sex, body.age, body.build)
    assert look.height == pytest.approx(body.height, abs=0.006)


def test_looks_vary(bank: Bank) -> None:
    rng = np.random.default_rng(0)
    looks = [draw_look(blend_bodies(bank[1], rng), rng) for _ in range(600)]
    share = lambda test: sum(map(test, looks)) / len(looks)  # noqa: E731
    assert {k.top for k in looks} == set(TOPS) and {k.bottom for k in looks} == {None, *BOTTOMS}
    assert 0.1 < share(lambda k: k.pattern != "plain") < 0.3
    assert 0.08 < share(lambda k: k.hat is not None) < 0.22
    assert 0.02 < share(lambda k: k.glasses == "sunglasses") < 0.09
    assert {k.hair_style for k in looks} == {None, *HAIR_STYLES}
    children = {k.hair_colour for k in looks if k.age == "child"}
    assert len(children) >= 3 and not children & {"grey", "white"}  # they would pass for old


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_blended_bodies_are_new_and_keep_their_class(bank: Bank) -> None:
    rng = np.random.default_rng(1)
    for sex, age in (("man", "child"), ("woman", "adult"), ("man", None), (None, "adult")):
        body = blend_bodies(bank[1], rng, sex=sex, age=age)
        assert sex in (None, body.sex) and age in (None, body.age)
        assert all(np.abs(body.rest - other.rest).max() > 0.002 for other in bank[1])
        assert body.height == pytest.approx(body.rest[:, 2].max())
        same = [b for b in bank[1] if (b.sex, b.age) == (body.sex, body.age)]
        assert min(b.height for b in same) * 0.96 < body.height < max(b.height for b in same) * 1.04
    with pytest.raises(ValueError, match="no body"):
        blend_bodies([], rng)


def test_skin_equals_plain_numpy(bank: Bank) -> None:
    rig, bodies = bank
    rng = np.random.default_rng(2)
    rotations = np.linalg.qr(rng.normal(size=(3, 20, 3, 3)))[0]
    positions = rng.normal(size=(3, 20, 3))
    joints, rest = bodies[0].joints[:20].astype(float), bodies[0].rest.astype(float)
    moved = np.einsum("tjab,vjb->tvja", rotations, rest[:, None] - joints) + positions[:, None]
    wanted = np.einsum("vj,tvja->tva", rig.weights.astype(float), moved)
    got = skin(bodies[0].rest, rig.weights, joints, rotations, positions)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, atol=2e-5)


def test_normals_point_outward(bank: Bank) -> None:
    rig, bodies = bank
    normals = vertex_normals(np.stack([bodies[0].rest, bodies[1].rest]), rig.faces)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-4)
    chest = (rig.canon[:, 1] < -0.08) & (np.abs(rig.canon[:, 2] - 1.3) < 0.05)
    assert (normals[:, chest, 1] < 0).mean() > 0.9


def test_weights_sum_to_one(bank: Bank) -> None:
    rig = bank[0]
    np.testing.assert_allclose(rig.weights.sum(1), 1, atol=1e-5)
    for tube in rig.tubes.values():
        np.testing.assert_allclose(tube.weights.sum(-1), 1, atol=1e-4)


def test_tubes_hold_the_body_inside(bank: Bank) -> None:
    """At the levels of its members, above the ankle, a tube is hardly narrower than they are."""
    rig, bodies = bank
    for body in bodies:
        for name in ("leg+1", "leg-1"):
            fitted = fit(rig.tubes[name], body.rest, body.joints, rig.canon_joints)
            row = np.rint(fitted.tube.rows).astype(int)
            ok = (row >= 4) & (row < 22)
            gone = np.linalg.norm((body.rest[fitted.tube.members] - fitted.centre[np.clip(row, 0, 26)])[:, :2], axis=1)
            assert (gone[ok] <= 1.05 * fitted.radius.max(1)[row[ok]] + 1e-3).all()


# --- hands ----------------------------------------------------------------------------------------------------------


def test_hands_alone_move(bank: Bank) -> None:
    rig = bank[0]
    figure = figure_of(bank, 3)
    shape_hands(figure, "open", "open")
    before = figure.rest.copy()
    seen = []
    for shape in SHAPES[1:]:
        shape_hands(figure, "open", shape)
        moved = np.flatnonzero(np.abs(figure.rest - before).max(1) > 1e-6)
        assert len(moved) > 50 and set(moved) <= set(rig.hands)
        assert (rig.canon[moved, 0] < 0).all()  # the right hand only
        assert np.abs(figure.rest - before).max() < 0.2
        seen.append(figure.rest.copy())
    assert np.abs(seen[1] - seen[2]).max() > 0.01
    shape_hands(figure, "open", "open")
    np.testing.assert_allclose(figure.rest, before, atol=1e-6)
    with pytest.raises(ValueError, match="shape of a hand"):
        shape_hands(figure, "open", "fist")


def test_a_curled_hand_closes(bank: Bank) -> None:
    """Fingertips come nearer to the wrist, and towards the palm rather than the back of the hand."""
    rig, bodies = bank
    body = bodies[0]
    hand = rig.hands[rig.canon[rig.hands, 0] > 0]
    wrist = body.joints[10]
    tips = np.argsort(np.linalg.norm(body.rest[hand] - wrist, axis=1))[-20:]
    figure = dress(
        rig, body, draw_look(body, np.random.default_rng(0)), canon_attributes(rig), np.random.default_rng(0)
    )
    shape_hands(figure, "grip", "grip")
    closed, flat = figure.rest[hand][tips], body.rest[hand][tips]
    assert np.linalg.norm(closed - wrist, axis=1).mean() < 0.85 * np.linalg.norm(flat - wrist, axis=1).mean()
    inward = (closed - flat).mean(0)
    assert inward[0] < -0.01 and inward[2] < 0.06  # the palm of a hand at rest looks down and in


# --- figures and paint ----------------------------------------------------------------------------------------------


def painted(figure: Figure, faces: np.ndarray) -> np.ndarray:
    third = np.full(len(faces), 1 / 3)
    return figure.paint(faces, third, third)


@pytest.mark.parametrize("seed", range(40))
def test_figures_are_sound(bank: Bank, seed: int) -> None:
    figure = figure_of(bank, seed)
    assert np.isfinite(figure.rest).all() and figure.rest.dtype == np.float32
    assert figure.faces.max() < len(figure.rest) == len(figure.weights) == len(figure.attributes)
    assert len(figure.parts) == len(figure.faces) and figure.parts.max() < PROP
    np.testing.assert_allclose(figure.weights.sum(1), 1, atol=1e-3)
    colours = painted(figure, np.arange(len(figure.faces)))
    assert np.isfinite(colours).all() and colours.min() >= 0 and colours.max() < 1.5
    low, high = figure.body.rest.min(0) - 0.15, figure.body.rest.max(0) + 0.15
    assert (figure.rest > low).all() and (figure.rest < high).all()  # no spikes


def nearest_colour(rgb: np.ndarray) -> str:
    """The name whose colour has the most alike hue and brightness."""
    root = np.clip(rgb, 0, 1) ** (1 / 2.2)
    return min(RGB, key=lambda name: float(((linear(RGB[name]) ** (1 / 2.2) - root) ** 2).sum()))


@pytest.mark.parametrize("seed", range(25))
def test_cloth_has_the_colours_that_are_told(bank: Bank, seed: int) -> None:
    """The tops' tubes and chest are the top's colour, the trousers' legs the trousers'."""
    figure = figure_of(bank, seed, pattern="plain", pattern_colour=None, inner=None, tie=None, scarf=None, carried=None)
    look, a = figure.look, figure.attributes[figure.faces].mean(1)
    chest = (figure.parts < 3) & (figure.parts != BOTTOM) & (a[:, 3] < 0.3) & (np.abs(a[:, 2] - 1.22) < 0.1)
    chest &= np.abs(a[:, 0]) < 0.13
    rgb = np.median(painted(figure, np.flatnonzero(chest)), 0)
    np.testing.assert_allclose(rgb, figure.colours["top"], rtol=0.25, atol=0.01)
    assert nearest_colour(rgb) == look.top_colour
    if look.bottom == "trousers":
        shin = (figure.parts == BOTTOM) & (np.abs(a[:, 2] - 0.35) < 0.15)
        rgb = np.median(painted(figure, np.flatnonzero(shin)), 0)
        np.testing.assert_allclose(rgb, figure.colours["bottom"], rtol=0.3, atol=0.01)


def test_sleeves_end_where_they_are_told(bank: Bank) -> None:
    for sleeves, wanted in (("long", "top"), ("short", "skin"), ("none", "skin")):
        top = "tank top" if sleeves == "none" else "t-shirt"
        figure = figure_of(bank, 4, top=top, sleeves=sleeves, pattern="plain", inner=None, tie=None, top_colour="blue")
        a = figure.attributes[figure.faces].mean(1)
        forearm = (a[:, 3] > 0.9) & (np.abs(a[:, 4] - 0.75) < 0.1)
        rgb = np.median(painted(figure, np.flatnonzero(forearm)), 0)
        np.testing.assert_allclose(rgb, figure.colours[wanted], rtol=0.3, atol=0.02)


def test_an_open_jacket_shows_what_is_under_it(bank: Bank) -> None:
    figure = figure_of(
        bank, 5, top="jacket", sleeves="long", inner="white", top_colour="navy", pattern="plain", tie=None
    )
    a = figure.attributes[figure.faces].mean(1)
    middle = (a[:, 1] < -0.05) & (np.abs(a[:, 0]) < 0.02) & (np.abs(a[:, 2] - 1.25) < 0.08) & (a[:, 3] < 0.3)
    assert not (figure.parts[middle] == TOP).any()  # no jacket before the chest
    rgb = np.median(painted(figure, np.flatnonzero(middle)), 0)
    np.testing.assert_allclose(rgb, figure.colours["inner"], rtol=0.2)


def test_the_same_seed_dresses_the_same(bank: Bank) -> None:
    one, other = figure_of(bank, 6), figure_of(bank, 6)
    np.testing.assert_array_equal(one.rest, other.rest)
    every = np.arange(len(one.faces))
    np.testing.assert_array_equal(painted(one, every), painted(other, every))
