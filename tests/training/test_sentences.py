"""Every sentence fits exactly its person, or nobody: by the program that wrote it and by a plain reading."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plain_reading import PIECE, ROUGH, plainly_fits

from training.data.examples import PART_OF
from training.data.synthetic.facts import BOTTOMS, COLOURS, TOPS, Look, Person, Scene, Thing
from training.data.synthetic.language.absent import random_look
from training.data.synthetic.language.doing import DOINGS, is_doing
from training.data.synthetic.language.drafting import MAX_WORDS, MIN_WORDS, SLOT, TRAIN_WORDS
from training.data.synthetic.language.forms import form, plain
from training.data.synthetic.language.sentences import count_shapes, describe, drafts, shape_of
from training.data.synthetic.language.slips import typed
from training.data.synthetic.language.templates import FAMILIES, TEMPLATES
from training.data.synthetic.language.truths import View, Wear, in_colour, same_colour, top_fits
from training.data.synthetic.language.vocabulary import TRAIN
from training.data.synthetic.language.words import COMMON, HELD, PARAPHRASE, Words

LOOK = Look(
    "man", "adult", 1.8, "average", "brown", "short", beard=False, glasses=None, hat=None,
    top="shirt", top_colour="red", bottom="trousers", bottom_colour="blue", shoes="white",
)  # fmt: skip
ACTION_WORDS = """
sit seat stand walk run lie lying lay sleep crouch kneel bend bow jump leap danc wav talk speak listen watch look read
writ phone call point clap hug kiss shak hand hold carry carri lift push pull throw catch eat drink smok kick hit
fight martial sing play danc climb crawl fall swim ride driv open clos cut dig paint cook turn touch get give take
sail shoot row text press work stir chop hammer fish exit enter
""".split()
OWN_SPLITS = ("train", "val", "test", "paraphrase")


def joints(x: float, top: float, tall: float, facing: str) -> np.ndarray:
    """Rough places of 27 joints and marks of an upright body, shoulders as wide as it faces."""
    down = {
        5: 0.24,
        6: 0.17,
        7: 0.1,
        24: 0.07,
        25: 0.07,
        26: 0.09,
        8: 0.2,
        11: 0.2,
        3: 0.36,
        0: 0.51,
        14: 0.53,
        17: 0.53,
    }
    out = np.tile([x, top + 0.5 * tall], (27, 1))
    for row, share in (down | {15: 0.75, 18: 0.75, 16: 0.96, 19: 0.96, 22: 0.99, 23: 0.99}).items():
        out[row, 1] = top + share * tall
    out[[8, 11], 0] += np.array([0.1, -0.1]) * tall * {"camera": 1, "away": -1}.get(facing, 0)
    return out


def person(
    look: Look = LOOK,
    x: float = 0.5,
    *,
    depth: float = 4.0,
    facing: str = "camera",
    visible: float = 1.0,
    posture: str = "standing",
    height: float = 0.6,
    foot: float = 0.9,
    frames: int = 3,
    skeleton: bool = False,
    holding: str | None = None,
):
    box = np.clip([x - 0.05, foot - height, x + 0.05, foot], 0, 1)
    j = joints(x, foot - height, height, facing)
    seen = ((j > 0) & (j < 1)).all(1)
    return Person(
        look,
        np.tile(box, (frames, 1)),
        np.tile(box, (frames, 1)),
        np.full(frames, visible),
        depth,
        facing,
        (12,),
        posture,
        holding,
        np.tile(j, (frames, 1, 1)) if skeleton else None,
        np.tile(seen, (frames, 1)) if skeleton else None,
    )


def scene(*people: Person, things: tuple[Thing, ...] = ()) -> Scene:
    return Scene(np.zeros((3, 2, 2, 3), np.uint8), 3.0, 1, people, things)


def random_scene(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    people, looks = [], [random_look(rng) for _ in range(rng.integers(1, 6))]
    for k, look in enumerate(looks):
        if k and rng.random() < 0.3:  # a look-alike
            look = replace(looks[k - 1], **{str(rng.choice(["top_colour", "shoes"])): "green"})
        depth = rng.uniform(1.5, 9)
        people.append(
            person(
                look,
                rng.uniform(0, 1),
                depth=depth,
                height=min(1, 2 / depth),
                foot=rng.uniform(0.6, 1.2),
                posture=str(rng.choice(["standing", "sitting", "lying"])),
                visible=float(rng.choice([1, 0.9, 0.5, 0.2, 0.05])),
                facing=str(rng.choice(["camera", "away", "left", "right"])),
                skeleton=seed % 2 == 0,
                holding=str(rng.choice(["box", "phone"])) if rng.random() < 0.1 else None,
            )
        )
    x, y = rng.uniform(0, 0.8), rng.uniform(0.2, 0.6)
    lamp = Thing("lamp", None, np.tile([x, y, x + 0.15, y + 0.3], (3, 1)))
    return scene(*people, things=(lamp,) if rng.random() < 0.5 else ())


def in_view(scene: Scene) -> list[int]:
    return [i for i, p in enumerate(scene.people) if p.visible[scene.key_frame] >= 0.08]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), split=st.sampled_from(OWN_SPLITS))
def test_each_sentence_fits_exactly_its_person_or_nobody(seed, split):
    s = random_scene(seed)
    view = View(s)
    for said, draft in drafts(s, np.random.default_rng(seed), split=split):
        truths = {i: draft.holds(view, i) for i in view.ids}
        faint = [i for i in view.everyone.ids if i not in view.ids]
        shown = [(s.people[i], float(s.people[i].boxes_xyxy[1][[0, 2]].mean())) for i in in_view(s)]
        plain = [i for k, i in enumerate(in_view(s)) if plainly_fits(draft.text, shown, k)]
        assert all(draft.holds(view.everyone, i) is False for i in faint), said
        if said.person_index is None:
            assert all(t is False for t in truths.values()) and said.kind.startswith("absent"), said
            assert not plain or ROUGH.search(draft.text) or not PIECE.search(draft.text), said
        else:
            assert truths == {i: i == said.person_index for i in view.ids}, said
            assert said.person_index in plain, said
            assert s.people[said.person_index].visible[1] >= 0.15
            if said.kind == "clothes" and PIECE.search(draft.text) and not ROUGH.search(draft.text):
                assert plain == [said.person_index], said


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), split=st.sampled_from(list(TEMPLATES)))
def test_training_tells_whom_each_part_of_a_sentence_fits(seed, split):
    s = random_scene(seed)
    view = View(s)
    for said, draft in drafts(s, np.random.default_rng(seed), split=split):
        if split != "train":
            assert not said.parts
            continue
        assert set(said.parts) == {facet.topic for facet in draft.facets} <= set(PART_OF)
        assert {len(signs) for signs in said.parts.values()} == {len(s.people)}
        for i in range(len(s.people)):
            signs = {signs[i] for signs in said.parts.values()}
            if i not in view.ids:
                assert signs == {"-"}
            elif i == said.person_index:
                assert signs == {"1"}, said
            else:
                assert "0" in signs, said  # some part tells everyone else apart
        for facet in draft.facets:
            for i in view.ids:
                assert {"1": True, "0": False, "-": None}[said.parts[facet.topic][i]] is facet.holds(view, i)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), split=st.sampled_from(list(TEMPLATES)))
@example(seed=6991394, split="train")  # once "has a top on on the left"
@example(seed=1926005, split="train")  # once two sentences that were typed alike
def test_sentences_are_short_speak_of_no_action_and_come_again(seed, split):
    s = random_scene(seed)
    said = describe(s, np.random.default_rng(seed), split=split)
    assert said == describe(s, np.random.default_rng(seed), split=split)
    assert len({d.sentence for d in said}) == len(said)
    least, most = TRAIN_WORDS if split == "train" else (MIN_WORDS, MAX_WORDS)
    for d, draft in drafts(s, np.random.default_rng(seed), split=split):
        assert d.sentence == draft.text or split == "train"
        assert least <= len(draft.text.split()) <= most, d
        assert not re.search(
            r"[{}_]|  | ,|\ban? ([a-z]+-colou?red )?(shoes|pants|trousers|shorts|footwear|jeans)\b", draft.text
        ), d
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|\b(\w+) \1\b|\bthe an?\b|\ban? the\b", draft.text), d
        told = [f.text for name, f in zip(draft.names, draft.facets, strict=True) if name != "m"]
        assert "m" not in draft.names or split == "train"
        assert all(says_no_action(text) for text in (told if split == "train" else [d.sentence])), d


# what only looks like an action's word
HARMLESS = (
    "left-hand|right-hand|jumper|running shoes|turned|close to|closer|close by|close-cut|unclosed|enclosed|kicks|"
    "in the row|reading glasses|pulled back"
)


def says_no_action(sentence: str) -> bool:
    words = re.findall(r"[a-z]+", re.sub(HARMLESS, "", sentence))
    return not any(
        re.fullmatch(rf"{stem}(s|es|ing|ting|ning|ed|d|ies|ied|e|er)?", word) for stem in ACTION_WORDS for word in words
    )


def said_by(words: Words) -> set[str]:
    """All that a vocabulary holds."""
    tables = [getattr(words, f.name) for f in fields(words)]
    tables = [table for table in tables if isinstance(table, dict | tuple)]
    listed = [t for table in tables for t in (table.values() if isinstance(table, dict) else [table])]
    keys = {key for table in tables if isinstance(table, dict) for key in table}
    return {word for said in listed for word in said} | keys


def test_no_word_or_template_of_any_split_names_an_action():
    for split in OWN_SPLITS:
        assert all(says_no_action(SLOT.sub("", t)) for family in TEMPLATES[split].values() for t in family)
    assert not set(HELD) & {
        "phone",
        "book",
        "cup",
        "ball",
        "laptop",
        "guitar",
        "camera",
        "bottle",
        "cigarette",
        "knife",
    }


def test_no_template_belongs_to_two_splits():
    flat = {split: {t for family in TEMPLATES[split].values() for t in family} for split in OWN_SPLITS}
    for a in OWN_SPLITS:
        assert not any(flat[a] & flat[b] for b in OWN_SPLITS if b != a)
        assert set(TEMPLATES[a]) == set(FAMILIES)
    used = {slot for t in flat["train"] for slot in SLOT.findall(t)}
    assert all({slot for t in flat[split] for slot in SLOT.findall(t)} - {"w", "d"} <= used for split in flat)


def train_vocabulary() -> set[str]:
    rng = np.random.default_rng(0)
    built = [form(family, rng) for family in FAMILIES for _ in range(4000)]
    listed = [t for f in TEMPLATES["train"].values() for t in f]
    doings = [text for what in DOINGS for text in what.said]
    said = [re.sub(r"{\w+}", " ", text) for text in said_by(TRAIN)]
    known = " ".join([*said, *doings, *(SLOT.sub(" ", t) for t in (*listed, *built))])
    return set(re.findall(r"[a-z-]+", known)) | set(
        "a an his her their yellow orange pink green blue white black".split()
    )


def kept_out() -> set[str]:
    """Words and phrases of the paraphrases that the shared vocabulary and the listed templates of training lack."""
    listed = " ".join(SLOT.sub(" ", t) for f in TEMPLATES["train"].values() for t in f)
    shared = said_by(COMMON) | set(
        re.findall(r"[a-z-]+", " ".join([*said_by(COMMON), listed, *COLOURS, *TOPS, *BOTTOMS]))
    )
    templates = " ".join(SLOT.sub(" ", t) for f in TEMPLATES["paraphrase"].values() for t in f)
    phrases = {re.sub(r"{\w+}", "", text).strip() for text in said_by(PARAPHRASE)}
    words = set(re.findall(r"[a-z-]+", " ".join([*phrases, templates.replace("{poss}", "")])))
    return {said for said in phrases | words if said not in shared and len(said) > 1} - {
        "poss",
        "his",
        "her",
        "over",
        "scarf",
    }


def test_training_says_nothing_that_is_kept_for_the_paraphrases():
    out = kept_out()
    assert {"chap", "whoever", "whose", "find", "up front", "hooded top", "purse", "to the rear of"} <= out
    assert len(out) > 250
    assert not train_vocabulary() & out, sorted(train_vocabulary() & out)
    pattern = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, sorted(out))) + r")(?![\w-])", re.IGNORECASE)
    for seed in range(30):
        for said, draft in drafts(random_scene(seed), np.random.default_rng(1), split="train"):
            assert not pattern.search(draft.text), (draft.text, pattern.search(draft.text))
            assert not pattern.search(said.sentence), (said, pattern.search(said.sentence))


def test_paraphrases_use_words_that_training_lacks():
    known = train_vocabulary()
    said = [
        d.sentence
        for seed in range(60)
        for d in describe(random_scene(seed), np.random.default_rng(1), split="paraphrase")
    ]
    unseen = [[w for w in re.findall(r"[a-z-]+", text.lower()) if w not in known] for text in said]
    assert np.mean([bool(words) for words in unseen]) > 0.97
    assert np.mean([len(words) for words in unseen]) > 1.5
    assert len({w for words in unseen for w in words}) > 80


def test_there_are_thousands_of_constructions():
    assert count_shapes("train") >= 2000
    assert all(count_shapes(split) >= 2000 for split in ("val", "test", "paraphrase"))


def test_the_mix_is_near_what_was_asked():
    said = [d for seed in range(75) for d in describe(random_scene(seed), np.random.default_rng(seed), split="train")]
    absent = [d for d in said if d.person_index is None]
    assert 0.12 < len(absent) / len(said) < 0.18
    assert 0.35 < np.mean([d.kind == "absent-near" for d in absent]) < 0.65
    kinds = [d.kind for d in said if d.person_index is not None]
    assert 0.25 < np.mean([k in ("place", "order", "relation", "height") for k in kinds]) < 0.45
    assert 0.25 < np.mean([k == "clothes" for k in kinds]) < 0.45
    assert np.mean([d.hard for d in said]) > 0.3
    assert len({shape_of(d.sentence, "train") for d in said}) > 0.7 * len(said)
    assert np.mean([bool(re.search("box|umbrella|suitcase|tray", d.sentence)) for d in said]) < 0.02


def sentences(s: Scene, split="train", rounds=20) -> list[tuple[int | None, str]]:
    return [
        (d.person_index, d.sentence)
        for seed in range(rounds)
        for d in describe(s, np.random.default_rng(seed), split=split, per_person=4)
    ]


def test_confusable_colours_and_level_people_are_left_out():
    s = scene(
        person(replace(LOOK, top_colour="navy", bottom_colour="black"), 0.49),
        person(replace(LOOK, top_colour="black", bottom_colour="navy"), 0.52),
    )
    assert not [t for i, t in sentences(s) if i is not None]


def test_a_second_colour_makes_a_colour_unsure():
    plain = replace(LOOK, top_colour="navy")
    for more in (
        dict(pattern="striped", pattern_colour="red"),
        dict(pattern="dotted", pattern_colour="red"),
        dict(scarf="red"),
        dict(tie="red"),
        dict(hat="red"),
        dict(inner="red"),
        dict(bottom_colour="red"),
    ):
        assert in_colour(replace(plain, **more), "red") is None, more
    assert in_colour(plain, "red") is False
    assert in_colour(replace(plain, pattern="checked", pattern_colour="red"), "navy") is None
    worn = replace(LOOK, top="jacket", top_colour="navy", inner="white")
    assert top_fits(Wear("top", "shirt", "white"), worn) is None
    assert top_fits(Wear("top", "jacket", "navy", inner="white"), worn) is True
    assert top_fits(Wear("top", "jacket", "navy", inner="red"), worn) is False
    striped = replace(LOOK, pattern="striped", pattern_colour="white")
    assert top_fits(Wear("top", "shirt", "white", "striped", "red"), striped) is True
    assert top_fits(Wear("top", "shirt", "red", "striped"), LOOK) is False


def test_tall_children_and_small_adults_are_called_neither():
    looks = replace(LOOK, age="child", height=1.5), replace(LOOK, height=1.35, top_colour="green")
    said = " ".join(
        t for i, t in sentences(scene(person(looks[0], 0.2), person(looks[1], 0.8)), rounds=40) if i is not None
    )
    assert "person" in said and not re.search(r"\b(boy|man|guy|child|kid|adult|girl|woman)\b", said)


def test_sunglasses_may_be_taken_for_glasses():
    dark, clear = (person(replace(LOOK, glasses=g), x, height=0.8) for g, x in (("sunglasses", 0.3), ("glasses", 0.7)))
    assert not [
        t for i, t in sentences(scene(dark, clear), rounds=60) if i is not None and "glasses" in t and "hair" in t
    ]
    bare = scene(dark, person(LOOK, 0.7, height=0.8))
    assert [t for i, t in sentences(bare, rounds=60) if i == 0 and "sunglasses" in t]


def test_hidden_people_count_though_they_are_not_described():
    s = scene(person(LOOK, 0.2), person(LOOK, 0.8, visible=0.1))
    said = sentences(s)
    assert {i for i, _ in said} <= {0, None}
    assert not [t for i, t in said if i == 0 and re.fullmatch(r"the man in (a )?red( shirt)?", t)]
    barely = scene(person(LOOK, 0.2), person(LOOK, 0.8, visible=0.02))
    assert not [
        t for i, t in sentences(barely) if i == 0 and re.fullmatch(r"(the )?man (in|wearing) (a |the )?red( shirt)?", t)
    ]


def test_order_needs_three_people_and_hidden_parts_are_not_named():
    two = scene(person(LOOK, 0.2), person(replace(LOOK, sex="woman", top_colour="green"), 0.8))
    assert not [t for _, t in sentences(two) if re.search("first|second", t)]
    three = scene(person(LOOK, 0.15), person(LOOK, 0.5), person(LOOK, 0.85))
    assert [t for i, t in sentences(three, rounds=20) if i == 1 and re.search("(second|2nd) from (the )?left", t)]
    waist = replace(LOOK, shoes="green", beard=True, glasses="glasses")
    for skeleton in (False, True):
        cut = scene(
            person(waist, 0.3, visible=0.5, foot=1.3, height=0.9, facing="away", skeleton=skeleton),
            person(replace(LOOK, top_colour="green"), 0.7, skeleton=skeleton),
        )
        hidden = "shoes|trainers|sneakers|trousers|pants|beard|glasses"
        assert not [t for i, t in sentences(cut) if i == 0 and re.search(hidden, t)]


def test_joints_tell_what_is_hidden():
    look = replace(LOOK, beard=True)
    seen, other = person(look, 0.3, height=0.8, skeleton=True), person(replace(LOOK, sex="woman"), 0.7, skeleton=True)
    masked = seen.joints_seen.copy()
    masked[:, [7, 24, 25]] = False
    said = [
        " ".join(t for i, t in sentences(scene(p, other), rounds=40) if i == 0)
        for p in (seen, replace(seen, joints_seen=masked))
    ]
    assert "beard" in said[0] and "hair" in said[0]
    assert "beard" not in said[1] and "hair" not in said[1]


def test_nearest_girl_is_never_called_absent_because_a_man_is_nearer():
    girl = replace(LOOK, sex="woman", age="child", height=1.2, top="dress", bottom=None, bottom_colour=None)
    s = scene(person(LOOK, 0.3, depth=2), person(girl, 0.7, depth=4))
    nearest = r"(nearest|closest) (little |small |young )?(girl|child|kid)( of all| in (view|the picture|the image))$"
    assert not [t for i, t in sentences(s, rounds=80) if i is None and re.search(nearest, t)]


def test_things_in_hand_are_hardly_spoken_of_and_never_those_that_tell_the_action():
    held = [
        person(replace(LOOK, top_colour=c), x, holding=h) for c, x, h in (("red", 0.2, "phone"), ("green", 0.8, "box"))
    ]
    said = [t for _, t in sentences(scene(*held), rounds=100)]
    assert not re.search("phone", " ".join(said))
    assert 0 < sum("box" in t for t in said) < 0.15 * len(said)
    spare = Thing("box", None, np.tile([0.1, 0.7, 0.3, 0.9], (3, 1)))
    assert not [t for _, t in sentences(scene(*held, things=(spare, spare)), rounds=40) if "box" in t]


def test_people_are_placed_by_things_of_which_there_is_one():
    lamp = Thing("lamp", None, np.tile([0.36, 0.4, 0.46, 0.9], (3, 1)))
    chair = Thing("chair", None, lamp.boxes_xyxy)
    pair = person(LOOK, 0.28), person(LOOK, 0.8)
    assert [t for i, t in sentences(scene(*pair, things=(lamp,)), rounds=40) if i == 0 and "lamp" in t]
    assert not [
        t for _, t in sentences(scene(*pair, things=(lamp, lamp, chair)), rounds=40) if re.search("lamp|chair", t)
    ]


def doing(name: str):
    return next(d for d in DOINGS if name in d.said)


def test_what_is_done_is_told_by_labels_and_denied_only_of_the_plainly_seen():
    waves, stands = (replace(person(LOOK, x), actions=a) for x, a in ((0.2, (12, 69)), (0.8, (12,))))
    view = View(scene(waves, stands))
    assert [is_doing(doing("waving"), view, i) for i in (0, 1)] == [True, False]
    assert [is_doing(doing("seated"), view, i) for i in (0, 1)] == [False, False]
    assert is_doing(doing("waving"), View(scene(waves, replace(stands, visible=np.full(3, 0.5)))), 1) is None
    assert is_doing(doing("waving"), View(scene(waves, replace(stands, actions=(12, 67)))), 1) is None
    assert is_doing(doing("standing"), View(scene(waves, replace(stands, posture="bending", actions=(1,)))), 1) is None
    said = [i for i, t in sentences(scene(waves, stands), rounds=150) if "waving" in t]
    assert 0 in said and 1 not in said


def test_dark_and_light_may_be_said_of_what_surely_is():
    assert [same_colour("dark", c) for c in ("black", "navy", "brown", "red", "white")] == [
        True,
        True,
        None,
        False,
        False,
    ]
    assert [same_colour(c, "light") for c in ("white", "beige", "pink", "navy")] == [True, True, None, False]
    pair = scene(person(replace(LOOK, top_colour="black"), 0.2), person(replace(LOOK, top_colour="yellow"), 0.8))
    assert [t for i, t in sentences(pair, rounds=80) if i == 0 and re.search("dark .*shirt", t)]
    mixed = scene(person(replace(LOOK, top_colour="black"), 0.2), person(replace(LOOK, top_colour="brown"), 0.8))
    said = [d for seed in range(40) for d in describe(mixed, np.random.default_rng(seed), split="train")]
    assert said and not [d for d in said if d.person_index is not None and d.kind == "clothes"]


def test_slips_leave_sides_alone_and_come_again():
    text = "the rightmost person standing to the right of the lamp, with the leftward lamp"
    seen = {typed(text, np.random.default_rng(seed)) for seed in range(3000)}
    assert seen == {typed(text, np.random.default_rng(seed)) for seed in range(3000)} and len(seen) > 100
    for said in seen:
        assert re.findall("left|right", said.lower()) == ["right", "right", "left"], said
    assert any(said.isupper() for said in seen) and any(said.startswith("rightmost person") for said in seen)
    known = set(re.findall(r"[a-z]+", text)) | {"w"}
    assert all(sum(w not in known for w in re.findall(r"[a-z]+", said.lower())) <= 1 for said in seen)


def test_training_is_built_in_many_ways_and_never_as_another_split_is():
    rng = np.random.default_rng(0)
    built = [form(family, rng) for family in FAMILIES for _ in range(3000)]
    listed = {t for f in TEMPLATES["train"].values() for t in f}
    others = {plain(t) for split in OWN_SPLITS[1:] for f in TEMPLATES[split].values() for t in f}
    assert len(set(built)) > 3000 and not {plain(t) for t in built if t not in listed} & others
    own = [SLOT.findall(t) for t in built if t not in listed]
    assert all("r" not in slots or "r" in (slots[0], slots[-1]) for slots in own)  # "the man behind the girl in red"
    assert {"n", "he", "m", "l", "z", "y"} <= {slot for t in built for slot in SLOT.findall(t)}


def test_an_unknown_split_is_refused_and_an_empty_scene_says_nothing():
    with pytest.raises(ValueError, match="dev"):
        describe(scene(person()), np.random.default_rng(0), split="dev")
    assert describe(scene(), np.random.default_rng(0), split="train") == []
