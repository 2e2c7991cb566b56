"""What is said of a checkpoint: every section from its config, and nothing where that says nothing."""

from typing import Any

import pytest

from refatomnet.card import (
    Bullets,
    Commands,
    Picture,
    Section,
    Table,
    best_and_worst,
    learnt_from,
    markdown,
    parts_markdown,
    recipe,
    scores,
    sections,
)

SCORES: dict[str, Any] = {
    "test_paraphrase": {"records": 3501, "miou": 0.4, "commands": ["second"]},
    "other": {"miou": 0.3},
    "test": {
        "records": 3500, "present": 2963, "miou": 0.5, "ci95": {"miou": [0.45, 0.55]}, "commands": ["make", "first"],
        "by_kind": {"place": {"acc_iou50": 0.5}, "looks": {"acc_iou50": 0.75}},
        "controls": {"prior_only": {"miou": 0.1}, "shuffled_sentence": {"miou": 0.2}},
        "per_class": {"80": {"ap": 0.25, "support": 20}, "2": {"ap": 0.5, "auroc": 0.9, "support": 7}},
    },
    "val": {"miou": 0.6},
}  # fmt: skip


def table_of(parts: list) -> Table:
    (found,) = [part for part in parts if isinstance(part, Table)]
    return found


def test_scores_stand_beside_each_other_with_their_intervals_and_controls() -> None:
    said, table, kinds, commands = scores({"scores": SCORES})
    assert isinstance(table, Table) and isinstance(said, str)
    assert table.head == (
        "measure", "val", "test", "in unseen words", "other", "shuffled sentences", "prior only"
    )  # fmt: skip
    assert table.rows == (
        ("sentences", "–", "3,500", "3,501", "–", "–", "–"),
        ("mIoU", "0.600", "0.500 (0.450–0.550)", "0.400", "0.300", "0.200", "0.100"),
    )
    assert "2,963 are about somebody" in said and "bootstrap" in said and "unseen words" in said
    assert kinds == "Acc@IoU 0.5 by what the sentence speaks of: looks 0.75, place 0.50."
    assert commands == Commands(("make", "first", "second"))


def test_splits_can_be_chosen_with_the_commands_of_these_alone() -> None:
    parts = scores({"scores": SCORES}, ("test_paraphrase",))
    assert table_of(parts).head == ("measure", "in unseen words", "shuffled sentences", "prior only")
    assert parts[-1] == Commands(("second",))


def test_scores_may_be_told_without_a_split() -> None:
    flat = {"miou": 0.5, "ci95": {"miou": [0.25, 0.75]}, "per_class": {"12": {"ap": 0.5}}}
    table = table_of(scores({"scores": flat}))
    assert table.head == ("measure", "value") and table.rows == (("mIoU", "0.500 (0.250–0.750)"),)
    assert "| stand | 0.500 |" in markdown(sections({"scores": flat}, picture=False))


def test_the_best_and_the_worst_actions_have_records_enough() -> None:
    table = {str(i): {"ap": i / 100, "support": 20} for i in range(1, 13)} | {"80": {"ap": 1.0, "support": 19}}
    (said,) = best_and_worst({"scores": {"test": {"per_class": table}}})
    assert "stand 0.12, sit 0.11, run/jog 0.10" in str(said) and "worst: bend/bow (at the waist) 0.01" in str(said)
    assert "watch" not in str(said)
    assert best_and_worst({"scores": {"test": {"per_class": {"1": table["1"]}}}}) == []


def test_every_action_has_its_row_in_their_order() -> None:
    (section,) = [made for made in sections({"scores": SCORES}, picture=False) if made.title == "Action by action"]
    table = table_of(section.parts)
    assert table.rows == (("crawl", "0.500", "0.900", "7"), ("watch (a person)", "0.250", "–", "20"))
    assert table.title, "80 rows are folded"


def test_runs_stand_beside_each_other() -> None:
    runs = [{"began_with": "nothing", "seed": 0, "hours": 1.25}, {"began_with": "run 1", "clips": 3000}]
    told, table, then, commands = recipe({"training": {"runs": runs, "commands": ["make"]}})
    assert isinstance(table, Table) and commands == Commands(("make",))
    assert "Only val" in str(told) and "generator" in str(then)
    assert table.head == ("setting", "run 1", "run 2")
    assert table.rows == (
        ("begins with", "nothing", "run 1"), ("clips", "–", "3,000"), ("seed", "0", "–"), ("hours", "1.25", "–")
    )  # fmt: skip
    assert table_of(recipe({"training": {"seed": 3, "steps": 10}})).head == ("setting", "value")


def test_all_that_was_measured_is_told() -> None:
    row = {"acc_iou50": 0.5, "miou": 0.25, "map_macro": 0.125, "presence_auroc": 0.75}
    card = {
        "trained_on": "rendered people",
        "scores": SCORES,
        "look_alikes": [{"names": ["sit", "stand"], "told_apart": 0.625, "records": [20, 31]}],
        "misses": [{"sentence": "the man | in red", "presence": 0.9, "iou": 0.01}],
        "robustness": {
            "clips": 100,
            "rows": [{"name": "clean", **row}, {"name": "fog:3", **row, "drop_ci95": [0, 0.1]}],
        },
        "following": {"asked": {"clips": 60, "iou": 0.4, "switched": 0.7}, "given": {"iou": 0.6, "switched": 0.2}},
        "references": {"clips": 3, "in_view": 7, "right": 5, "absent": 2, "silent": 1, "commands": ["look"]},
    }
    page = markdown(sections(card, picture=True))
    for words in (
        "Trained on rendered people.",
        "| sit and stand | 0.62 | 20 and 31 |",
        "](misses.webp)",
        r"| 1. the man \| in red | 0.900 | 0.010 |",
        "| clean | 0.500 | 0.250 | 0.125 | 0.750 | – |",
        "| fog:3 | 0.500 | 0.250 | 0.125 | 0.750 | -0.100 to +0.000 |",
        "IoU of 0.400 with the truth, and changes to another person in 0.700 of the clips",
        "5 of 7 boxes of people in view reach IoU 0.5, and 1 of 2 absent people are not found",
        "```\nlook\n```",
        "must not be used to identify persons",
    ):
        assert words in page, words
    assert "misses.webp" not in markdown(sections(card, picture=False))


@pytest.mark.parametrize("value", [None, 7, "text", [], [1], {}, {"rows": 3}, {"runs": [2]}, {"asked": {"iou": "x"}}])
def test_what_is_of_unknown_form_is_left_out(value: Any) -> None:
    names = ("training", "scores", "look_alikes", "misses", "robustness", "following", "references")
    told = [part for part in sections(dict.fromkeys(names, value), picture=True) if part.title != "Failures"]
    if not isinstance(value, list):
        assert [part.title for part in told] == ["Data", "Scores", "Meant for", "Not meant for"]
    page = markdown(told)
    assert "no measured scores" in page and "does not say what it was trained on" in page


def test_a_long_row_of_sets_is_counted() -> None:
    assert learnt_from({"trained_on": "a, after b, after c"}) == "a, after b, after c"
    assert (
        learnt_from({"trained_on": "a, 5 clips, after b, after c, after d"})
        == "a, 5 clips, after 3 other sets or parts of them"
    )


def test_parts_become_markdown() -> None:
    folded = Table(("a", "b"), (("1", "2"),), "More")
    assert parts_markdown([folded]) == (
        "<details><summary>More</summary>\n\n| a | b |\n|---|---:|\n| 1 | 2 |\n</details>"
    )
    assert parts_markdown(["one *a*\n_b_", Bullets(("x", "y"))]) == "one \\*a\\* \\_b\\_\n\n- x\n- y"
    assert markdown([Section("T", [Picture("what")])]) == "## T\n![what](misses.webp)"
