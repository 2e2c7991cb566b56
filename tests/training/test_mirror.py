"""Mirrored sentences, word by word; boxes and frames beside them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refatomnet.records import Record
from training.data.mirror import mirror_box, mirror_image, mirror_record, mirror_sentence
from training.data.synthetic.language import words


@pytest.mark.parametrize(
    ("sentence", "mirrored"),
    [
        ("the man on the left", "the man on the right"),
        ("Left of the lamp, a woman", "Right of the lamp, a woman"),
        ("the first person on the right", "the first person on the left"),
        ("second from the left, in red", "second from the right, in red"),
        ("third from left to right", "third from right to left"),
        ("THE RIGHT ONE", "THE LEFT ONE"),
        ("the right-most girl", "the left-most girl"),
        ("the rightmost of the two men", "the leftmost of the two men"),
        ("on the right-hand side of the picture", "on the left-hand side of the picture"),
        ("the one to his left, not the right one", "the one to his right, not the left one"),
        ("the man at right in brown trousers", "the man at left in brown trousers"),
        ("the woman facing left", "the woman facing right"),
        ("the woman facing leftward, seen at the far-right", "the woman facing rightward, seen at the far-left"),
        ("a boy in the top-left corner", "a boy in the top-right corner"),
        ("the woman's left arm is up", "the woman's right arm is up"),
        ("the lady right of the man with a bright shirt", "the lady left of the man with a bright shirt"),
        ("the one right behind the man on the left", "the one right behind the man on the right"),
        ("the man standing right next to the door", "the man standing right next to the door"),
        ("an upright woman in a copyrighted shirt", "an upright woman in a copyrighted shirt"),
        ("the left-handed man", "the right-handed man"),
        ("the man in the green coat", "the man in the green coat"),
    ],
)  # fmt: skip
def test_sides_are_swapped_and_nothing_else(sentence: str, mirrored: str) -> None:
    assert mirror_sentence(sentence) == mirrored


@pytest.mark.parametrize(
    "sentence",
    [
        "the man who left the room",
        "the only one left",
        "she left her coat on the right",
        "the one who's right",
        "is all right",
        "the girl sits right",
        "looking right at the camera",
        "walking right behind the man on the left",
        "the desk at a right angle",
        'the man with "NO" on the left of his shirt',
        "the man turning clockwise on the left",
        "turning anti-clockwise",
    ],
)
def test_what_is_not_sure_is_refused(sentence: str) -> None:
    assert mirror_sentence(sentence) is None


@given(st.lists(st.sampled_from(
    "the a his her on at to from facing looking first far picture left right leftmost rightward behind next of side "
    "man who lamp, walking Left RIGHT in right-hand".split()
), min_size=1, max_size=9))  # fmt: skip
def test_twice_is_the_sentence_itself(said: list[str]) -> None:
    sentence = " ".join(said)
    mirrored = mirror_sentence(sentence)
    assert mirrored is None or mirror_sentence(mirrored) == sentence


@pytest.mark.parametrize("book", [words.COMMON, words.PARAPHRASE], ids=["common", "paraphrase"])
def test_the_generators_words_for_left_become_its_words_for_right(book: words.Words) -> None:
    seen = 0
    for table in (book.places, book.extremes, book.relations, book.facings):
        for key in [key for key in table if "left" in key]:
            assert {mirror_sentence(f"the man {text} me") for text in table[key]} == {
                f"the man {text} me" for text in table[key.replace("left", "right")]
            }
            seen += 1
    assert seen > 4


def test_boxes_and_frames_turn_together() -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    image[1:9, 2:6] = 255
    x1, y1, x2, y2 = mirror_box((0.1, 0.1, 0.3, 0.9))
    assert (x1, y1, x2, y2) == pytest.approx((0.7, 0.1, 0.9, 0.9))
    turned = mirror_image(image)
    assert turned[1:9, 14:18].all() and turned.sum() == image.sum() and turned.flags["C_CONTIGUOUS"]


def test_a_record_turns_or_is_refused() -> None:
    record = Record("v", 902, "3", "test", "first on the left", (12,), (0.1, 0.2, 0.4, 0.9), "a.mp4", 4, 3.0)
    turned = mirror_record(record)
    assert turned is not None and turned.sentence == "first on the right" and turned.actions == (12,)
    assert turned.box_xyxy == pytest.approx((0.6, 0.2, 0.9, 0.9))
    nobody = Record("v", 902, "absent", "test", "the left one", (), None, "a.mp4", 4, 3.0)
    assert (other := mirror_record(nobody)) is not None and other.box_xyxy is None
    lost = Record("v", 902, "3", "test", "the one who left", (12,), (0.1, 0.2, 0.4, 0.9), "a.mp4", 4, 3.0)
    assert mirror_record(lost) is None
