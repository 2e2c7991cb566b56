"""Words of place: read from sentences, and resolved on constructed detections."""

import numpy as np
import pytest

from refatomnet.places import Order, Relation, Scene, Side, read_places

THINGS = (
    "person",
    "bicycle",
    "car",
    "bench",
    "dog",
    "couch",
    "dining table",
    "tv",
    "cell phone",
    "backpack",
    "sports ball",
)
ANYBODY = (0, 1, 2, 3)
LEFT, RIGHT = Side("across", -1), Side("across", 1)


@pytest.mark.parametrize(
    ("sentence", "looks", "rules", "kinds"),
    [
        ("the man on the left", "the man", [LEFT], (0,)),
        ("The person on the right side of the frame.", None, [RIGHT], ANYBODY),
        ("the woman on the left side of the picture, in a red hat", "the woman, in a red hat", [LEFT], (1,)),
        ("at left, a girl who is in green", "a girl who is in green", [LEFT], (3,)),
        ("the left man", "the man", [LEFT], (0,)),
        ("the person right of centre", None, [RIGHT], ANYBODY),
        ("that leftmost kid over there", "that kid over there", [Order("across", -1)], (2, 3)),
        ("of the people here, the nearest man", "the man", [Order("near", 1)], (0,)),
        ("the lady on the far right of the screen", "the lady", [Order("across", 1)], (1,)),
        ("the second man from the right", "the man", [Order("across", 1, 2)], (0,)),
        ("that woman third from the left", "that woman", [Order("across", -1, 3)], (1,)),
        ("the 12th person from the left", None, [Order("across", -1, 12)], ANYBODY),
        ("the boy in the middle of the group", "the boy", [Side("across", 0)], (2,)),
        ("the tallest man", "the man", [Order("height", 1)], (0,)),
        ("the person closest to the camera", None, [Order("near", 1)], ANYBODY),
        ("the person in the background", None, [Side("near", -1)], ANYBODY),
        ("the one in front of the camera", None, [Side("near", 1)], ANYBODY),
        ("the girl in the top left corner", "the girl", [Side("down", -1), LEFT], (3,)),
        ("the man in front of the car", "the man", [Relation("front", ("car",))], (0,)),
        ("the woman next to the table, in blue", "the woman , in blue", [Relation("next", ("dining table",))], (1,)),
        ("the man on the right of the tv in a suit", "the man in a suit", [Relation("right", ("tv",))], (0,)),
        ("the man between two cars", "the man", [Relation("between", ("car",))], (0,)),
        ("a boy between the man and the woman in red", "a boy",
         [Relation("between", (), ("the man", "the woman in red"))], (2,)),
        ("the boy between two men", "the boy", [Relation("between", (), ("man",))], (2,)),
        ("the kid behind the man in black, in blue pants", "the kid, in blue pants",
         [Relation("behind", (), ("the man in black",))], (2, 3)),
        ("the man to the left of the woman in a red coat, who waves", "the man, who waves",
         [Relation("left", (), ("the woman in a red coat",))], (0,)),
        ("the player closest to the ball", "the player", [Relation("next", ("sports ball",))], ANYBODY),
        ("the front left man", "the man", [Side("near", 1), LEFT], (0,)),
        ("the man in the back right", "the man", [Side("near", -1), RIGHT], (0,)),
        ("the person left of the man on the right", None, [Relation("left", (), ("the man on the right",))], ANYBODY),
        ("the rightmost of the three women", "the woman", [Order("across", 1)], (1,)),
        ("the taller of these men in hats", "the man in hats", [Order("height", 1)], (0,)),
        ("the man who is on the left", "the man", [LEFT], (0,)),
        ("the man who is closer, in red", "the man, in red", [Order("near", 1)], (0,)),
        ("the man nearest the camera", "the man", [Order("near", 1)], (0,)),
        ("the man nearest the car", "the man", [Relation("next", ("car",))], (0,)),
        ("the woman in the back row", "the woman", [Side("near", -1)], (1,)),
        ("the boy in the front row on the left", "the boy", [Side("near", 1), LEFT], (2,)),
        ("the man on the viewer's right", "the man", [RIGHT], (0,)),
        ("the man near the left edge", "the man", [LEFT], (0,)),
        ("the woman near the middle", "the woman", [Side("across", 0)], (1,)),
        ("the girl in between", "the girl", [Side("across", 0)], (3,)),
        # A thing someone sits on is a look too.
        ("the lady on the sofa on the right", "the lady on the sofa", [Relation("next", ("couch",)), RIGHT], (1,)),
        # No places: ways to look, parts of the body, clothes, and what is no thing that is detected.
        ("the man facing left", "the man facing left", [], (0,)),
        ("a man looking to the right", "a man looking to the right", [], (0,)),
        ("the man with a cup in his left hand", "the man with a cup in his left hand", [], (0,)),
        ("the one with shorter hair", "the one with shorter hair", [], ANYBODY),
        ("the man closest to the door", "the man closest to the door", [], (0,)),
        ("the man nearest the door", "the man nearest the door", [], (0,)),
        ("the man in the middle distance", "the man in the middle distance", [], (0,)),
        ("the man who is in a suit", "the man who is in a suit", [], (0,)),
        ("the lady on the left of the yellow bin", "the lady on the left of the yellow bin", [], (1,)),
        ("the woman in the middle of the road", "the woman in the middle of the road", [], (1,)),
        ("the man in the grey shirt", "the man in the grey shirt", [], (0,)),
    ],
)  # fmt: skip
def test_places_are_read(sentence: str, looks: str | None, rules: list[object], kinds: tuple[int, ...]) -> None:
    reading = read_places(sentence, THINGS)
    assert list(reading.rules) == rules
    assert reading.looks == (looks and looks.replace(" ,", ","))
    assert reading.kinds == kinds


def test_a_thing_that_cannot_be_detected_stays_in_the_sentence() -> None:
    sentence = "the man in front of the car"
    assert read_places(sentence, ("person", "dog")).rules == () and read_places(sentence, ("person",)).looks == sentence


def person(across: float, *, foot: float = 0.9, height: float = 0.5) -> list[float]:
    width = 0.35 * height
    return [across - width / 2, foot - height, across + width / 2, foot]


def scene(people: list[list[float]], fits: list[float] | None = None, **others: object) -> Scene:
    told = {"things": {}, "matches": {}, **others}
    return Scene(np.array(people), 1.6, np.array(fits or [1.0] * len(people)), **told)  # type: ignore[arg-type]


# Four in a row, from left to right near, tall, far and small.
ROW = scene([
    person(0.2, foot=1.0, height=0.7), person(0.6, height=0.75), person(1.0, foot=0.7, height=0.3),
    person(1.4, height=0.25),
])  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "who"),
    [
        ("the person on the left", 0), ("the person on the right", 3), ("the leftmost person", 0),
        ("the second person from the left", 1), ("the second person from the right", 2),
        ("the third from the right", 1), ("the person nearest to the camera", 0),
        ("the person farthest from the camera", 2),
        ("the person in the foreground", 0), ("the person in the background", 2), ("the tallest person", 1),
        ("the shortest person", 3),
    ],
)  # fmt: skip
def test_places_are_resolved(sentence: str, who: int) -> None:
    fit = read_places(sentence, THINGS).fit(ROW)
    others = np.delete(fit, who)
    assert fit.argmax() == who and fit[who] > others.max() + 0.2 and fit[who] > -0.8 and fit.max() <= 0, fit


def test_a_mirrored_picture_has_mirrored_answers() -> None:
    mirrored = ROW._replace(people=np.stack([1.6 - ROW.people[:, 2], ROW.people[:, 1], 1.6 - ROW.people[:, 0],
                                             ROW.people[:, 3]], axis=1))  # fmt: skip
    for sentence in ("the person on the {}", "the second person from the {}", "the {}most person"):
        left, right = (read_places(sentence.format(side), THINGS) for side in ("left", "right"))
        assert np.allclose(left.fit(ROW), right.fit(mirrored))


def test_sides_are_those_of_the_picture_and_of_the_others() -> None:
    left = read_places("the person on the left", THINGS)
    alone = [float(left.fit(scene([person(x)]))[0]) for x in (0.2, 0.8, 1.4)]
    assert alone[0] > -0.1 > -0.5 > alone[1] > -3 > alone[2], "of one person, only the picture tells"
    both_right = left.fit(scene([person(1.0), person(1.4)]))
    assert both_right[0] > -1 > both_right[1] + 2, "of two on the right, one is more on the left"
    middle = read_places("the person in the middle", THINGS)
    assert middle.fit(scene([person(0.2), person(0.7), person(1.4)])).argmax() == 1
    assert middle.fit(scene([person(0.2), person(0.5), person(0.75)])).argmax() == 1


def test_order_is_counted_among_those_the_noun_fits() -> None:
    people = [person(0.2), person(0.6), person(1.0), person(1.4)]
    second = read_places("the second woman from the left", THINGS)
    assert second.fit(scene(people)).argmax() == 1
    assert second.fit(scene(people, [1.0, 0.0, 1.0, 1.0])).argmax() == 2, "a man is not counted"


def test_a_fifth_of_four_is_nobody() -> None:
    assert read_places("the fourth person from the left", THINGS).fit(ROW).max() > -0.5
    assert read_places("the fifth person from the left", THINGS).fit(ROW).max() < -2
    assert read_places("the seventh person from the left", THINGS).fit(ROW).max() < -5


PAIR = [person(0.4), person(0.7, foot=0.75, height=0.4), person(1.3)]


@pytest.mark.parametrize(
    ("sentence", "anchor", "who"),
    [
        ("the person left of the car", ("car", [0.9, 0.5, 1.2, 0.9]), 1),
        ("the person right of the car", ("car", [0.9, 0.5, 1.2, 0.9]), 2),
        ("the person next to the dog", ("dog", [1.45, 0.8, 1.55, 0.9]), 2),
        ("the person with a dog", ("dog", [0.15, 0.8, 0.3, 0.9]), 0),
        ("the person behind the bench", ("bench", [0.5, 0.7, 0.9, 0.9]), 1),
        ("the person in front of the car", ("car", [0.2, 0.4, 0.6, 0.8]), 0),
    ],
)
def test_relations_to_things(sentence: str, anchor: tuple[str, list[float]], who: int) -> None:
    name, box = anchor
    reading = read_places(sentence, THINGS)
    fit = reading.fit(scene(PAIR, things={name: (np.array([box]), np.array([0.9]))}))
    assert fit.argmax() == who and fit[who] > np.delete(fit, who).max() + 0.2 and fit[who] > -1.5, fit
    unseen = reading.fit(scene(PAIR))
    assert (unseen == unseen[0]).all() and -3 < unseen[0] < -1, "an unseen thing tells nobody apart"


def test_relations_to_other_people() -> None:
    matches = {"the man in black": np.array([-3.0, -4.0, 2.0])}
    left = read_places("the woman left of the man in black", THINGS).fit(scene(PAIR, matches=matches))
    assert left.argmax() == 1 and left[2] < -4, "nobody is left of themselves"
    behind = read_places("the person behind the man in black", THINGS)
    matches = {"the man in black": np.array([2.0, -4.0, -5.0])}
    assert behind.fit(scene(PAIR, matches=matches)).argmax() == 1
    matches = {"the man": np.array([3.0, -3, -3]), "the woman": np.array([-3.0, -3, 3])}
    fit = read_places("the boy between the man and the woman", THINGS).fit(scene(PAIR, matches=matches))
    assert fit.argmax() == 1 and fit[1] > max(fit[0], fit[2]) + 2


@pytest.mark.parametrize("sentence", [
    "the second tallest person on the left next to the car behind the man", "left", "right of", "the man between and",
    "between two", "behind", "the the left of of the", "on the left, on the left, on the left",
])  # fmt: skip
def test_odd_sentences_do_no_harm(sentence: str) -> None:
    reading = read_places(sentence, THINGS)
    crowd = [person(0.1 + 0.12 * i) for i in range(12)]
    for people in ([person(0.5)], crowd):
        fit = reading.fit(scene(people, matches={phrase: np.zeros(len(people)) for phrase in reading.phrases}))
        assert fit.shape == (len(people),) and np.isfinite(fit).all() and (fit <= 0).all()
