"""What the page says and draws of an answer: pure functions from results to HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from fake_predictor import FakeClip, FakePredictor

pytest.importorskip("gradio")

from refatomnet.actions import action
from refatomnet.demo import chart, people, plots, strip, why
from refatomnet.overlay import PALETTE
from refatomnet.types import ActionScore, Candidate, KeyFrame, Query, Result, Segment, VideoInfo, WordPath

VIDEO = VideoInfo("walk.mp4", 320, 180, 10.0, 20, 2.0)
NASTY = "the <b>'one'</b> & \"two\" ${1+1} {{x}}"
PICTURE = np.full((90, 160, 3), 120, dtype=np.uint8)


def ask(*sentences, end=2.0, step=0.25):
    times = tuple(float(t) for t in np.arange(step, end, step))
    return FakePredictor().ask(FakeClip(replace(VIDEO, duration=end), 1.0, 0.0, end, times), *sentences)


def key_at(time, *, box=None, people=(), scores=()):
    actions = tuple(ActionScore(action(i), s) for i, s in scores)
    return KeyFrame(time, round(10 * time), box is not None, 0.9 if box else 0.1, box, actions, tuple(people))


class Tags(HTMLParser):
    """Every start tag of a document with its attributes; fails on end tags that match nothing."""

    VOID = frozenset(("img", "input", "br", "rect", "line", "circle", "polyline"))

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag in self.VOID - {"rect", "circle"} or self.open[-1:] != [tag]:
            assert tag in self.VOID, f"</{tag}> closes {self.open[-1:]}"
            return
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_answer_in_words():
    found, nobody = ask("coat", "the dragon").queries
    assert plots.answer_sentence(found) == "Found in 5 of 7 key frames, from 0.5 s to 1.8 s."
    assert plots.answer_sentence(nobody) == "Nobody in this clip fits ‘the dragon’ (presence 3 %)."
    assert plots.top_actions(found)[0] == ("stand", pytest.approx(0.74))
    single = replace(found, keyframes=found.keyframes[1:2])
    assert plots.answer_sentence(single) == "Found, on the one key frame at 0.5 s."


@pytest.mark.parametrize(("seconds", "said"), [(0, "0.0 s"), (2.46, "2.5 s"), (59.96, "1:00"), (65, "1:05")])
def test_moments_are_told_as_people_do(seconds, said):
    assert plots.clock(seconds) == said


def test_every_part_escapes_what_was_asked_and_closes_its_tags():
    result = ask(NASTY, "the dragon <i>")
    pictures = [PICTURE] * 7
    told = [(WordPath("<b>'x'", (0.1, 0.2), ((1.0, 2.0), (3.0, 4.0)), (0.5, 0.6)),)] * 7
    query = result.queries[0]
    parts = [
        plots.answers_html(result),
        plots.choice_html(result, 0),
        plots.message_html(NASTY, "problem"),
        plots.progress_html(NASTY, 0.5, 3.0),
        plots.busy_html(NASTY),
        strip.result_strip_html(result, pictures),
        chart.chart_html(query, 0.0, 2.0),
        chart.segments_html(query, 0.0),
        people.people_html(query, pictures, VIDEO, switched=True, note=NASTY),
        why.why_html(told, query, pictures, VIDEO, 1),
    ]
    for part in parts:
        assert Tags(part).tags, "every tag is closed"
        assert "<b>'" not in part and "dragon <i>" not in part
    for part in parts[:5]:
        assert NASTY in "".join(Tags(part).words)


def test_one_card_a_sentence_with_its_colour_and_a_number_where_there_are_several():
    both = plots.answers_html(ask("coat", "the dragon"))
    assert both.count("<article") == 2 and both.count("class='card found'") == both.count("class='card nobody'") == 1
    for number, rgb in enumerate(PALETTE[:2]):
        assert "background:#{:02x}{:02x}{:02x}'>{}<".format(*rgb, number + 1) in both
    assert "'></i>" in plots.answers_html(ask("coat"))
    assert "your pick" in plots.answers_html(ask("coat"), {0}) and "your pick" not in both
    assert plots.choice_html(ask("coat"), 0) == "" and plots.choice_html(ask("a", "b"), 1).count("'true'") == 1


def test_time_left_is_told_only_where_known():
    assert "left" not in plots.progress_html("Reading", 0.5)
    assert "about 4 s left" in plots.progress_html("Reading", 0.5, 4.2)
    assert "about 3 min left" in plots.progress_html("Reading", 0.5, 170)
    assert "width:100%" in plots.progress_html("Reading", 7.0)


def test_lines_break_where_nobody_is_found_and_come_by_group():
    (found,) = ask("coat").queries
    groups = chart.group_lines(found)
    assert list(groups) == ["person movement", "object manipulation", "person interaction"]
    stand = next(line for line in groups["person movement"] if line.name == "stand")
    assert [len(stretch) for stretch in stand.stretches] == [3, 2]
    assert [line.peak for line in groups["person movement"]] == sorted(
        (line.peak for line in groups["person movement"]), reverse=True
    )


def test_the_chart_in_per_cent():
    box = (10.0, 10.0, 50.0, 100.0)
    keys = (key_at(11.0, box=box, scores=[(12, 0.75)]), key_at(13.0, box=box, scores=[(12, 0.25)]))
    drawn = chart.chart_html(Query("s", True, 0.9, keys, (), ()), 10.0, 14.0)
    assert "points='25.00,25.00 75.00,75.00'" in drawn
    assert "left:25.00%;top:25.00%" in drawn and "data-start='10.000' data-span='4.000'" in drawn
    assert "<rect class='in' x='0.00' width='50.00' y='10.0' height='90.0'/>" in drawn
    assert "begins at 10.0 s" in drawn and "begins at" not in chart.chart_html(
        Query("s", True, 0.9, keys, (), ()), 0, 14
    )
    assert "&quot;times&quot;:[1.0,3.0]" in drawn, "the note's times are the video's"


def test_every_line_has_a_dash_and_a_mark_of_its_own():
    assert len(set(chart.DASHES)) == len(set(chart.COLOURS)) == chart.LINES
    for i in range(chart.LINES):
        assert chart.DASHES[i] in chart._key_html(i) and f"m{i}" in chart._key_html(i)


@pytest.mark.parametrize("page", ["#ffffff", "#f8fafc", "#0b0f19", "#1f2937"])
def test_lines_stand_out_from_light_and_dark_pages(page):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in chart.COLOURS:
        low, high = sorted((light(colour), light(page)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_names_of_lines_never_cover_each_other():
    moved = chart.spread([50, 51, 52, 99, 100])
    assert moved[0] < moved[1] < moved[2] < moved[3] < moved[4] <= 100
    assert all(b - a >= chart.LABEL_GAP - 1e-9 for a, b in pairwise(moved))
    assert chart.spread([0.0, 60.0]) == [0.0, 60.0], "what has room stays"


@pytest.mark.parametrize(("start", "end"), [(0, 0.4), (0, 2), (3.2, 9.7), (0, 139), (0, 7200)])
def test_ticks_are_round_few_and_inside(start, end):
    marks = chart.ticks(start, end)
    assert 1 <= len(marks) <= chart.TICKS + 1 and start <= marks[0] and marks[-1] <= end + 1e-9


def test_a_long_clip_draws_few_marks_and_every_point():
    (query,) = ask("coat", end=150.0).queries
    drawn = chart.chart_html(query, 0.0, 150.0)
    assert "chart dense" in drawn
    points = sum(len(p.split()) for p in re.findall(r"points='([^']*)'", drawn))
    assert points > 1000 and drawn.count("<i class='mark") < 200


def test_one_key_frame_gives_bars_in_the_place_of_lines():
    (query,) = ask("coat").queries
    drawn = chart.chart_html(replace(query, keyframes=query.keyframes[1:2]), 0.0, 2.0)
    assert "<polyline" not in drawn and "class='plot bars'" in drawn and "width:86.0%" in drawn


def test_lines_that_never_rise_are_counted_and_not_drawn():
    box = (10.0, 10.0, 50.0, 100.0)
    keys = (key_at(0.5, box=box, scores=[(12, 0.75), (14, 0.04), (17, 0.03)]), key_at(1.5, box=box))
    drawn = chart.chart_html(Query("s", True, 0.9, keys, (), ()), 0.0, 2.0)
    assert "and 1 less likely" in drawn and "nothing above 10 %" in drawn and drawn.count("<polyline") == 1


def test_what_is_not_there_is_said_in_words():
    found, nobody = ask("coat", "the dragon").queries
    assert "no actions to show" in chart.chart_html(nobody, 0.0, 2.0) and chart.segments_html(nobody, 0.0) == ""
    assert "No action was sure enough" in chart.segments_html(replace(found, segments=()), 0.0)
    assert "no key frame" in chart.chart_html(replace(nobody, keyframes=()), 0.0, 2.0)
    alone = replace(nobody, keyframes=tuple(replace(key, candidates=()) for key in nobody.keyframes))
    assert "No people were seen" in people.people_html(alone, [], VIDEO)
    assert "No people were seen" in plots.answers_html(Result(VIDEO, 0.0, 2.0, 1.0, {}, (alone,)))
    assert "follows no words" in why.why_html([()], found, [PICTURE], VIDEO, 0)
    assert strip.result_strip_html(ask("coat"), []) == ""


def test_rows_of_the_table_seek_in_the_clock_of_the_video():
    segments = (
        Segment(action(14), 12.0, 13.0, 0.5),
        Segment(action(12), 10.0, 12.0, 0.4),
        Segment(action(1), 9.9, 11, 1),
    )
    query = replace(ask("coat").queries[0], segments=segments)
    table = Tags(chart.segments_html(query, 10.0))
    rows = [row for row in table.named("tr") if "data-seek" in row]
    assert [row["data-seek"] for row in rows] == ["0.000", "0.000", "2.000"]
    assert [button["data-seek"] for button in table.named("button")] == ["0.000", "0.000", "2.000"]
    assert "10.0 s" in table.words and "person movement" in table.words


def test_subtitles_tell_every_change_with_what_is_new_first():
    segments = (Segment(action(12), 10.0, 13.0, 0.9), Segment(action(14), 12.0, 13.0, 0.5))
    query = replace(ask("coat").queries[0], segments=segments)
    assert chart.cues(query, 10.0, 14.0) == [(0.0, 2.0, "stand"), (2.0, 3.0, "walk, stand")]


def test_the_strip_grows_at_its_end_only_and_is_closed_when_whole():
    result = ask("coat", "the dragon")
    tiles = [
        strip.tile_html(PICTURE, keys, (320, 180))
        for keys in zip(*(query.keyframes for query in result.queries), strict=True)
    ]
    some, more = (strip.strip_html(tiles[:count], whole=False) for count in (2, 4))
    assert more.startswith(some) and "data-seek" not in more and more.count("disabled") == 4
    whole = strip.result_strip_html(result, [PICTURE] * 3)
    assert Tags(whole).named("button")[1]["data-seek"] == "0.500" and "4 more key frames" in whole
    assert "left:12.50%;top:25.00%;width:16.56%" in whole, "the box of 0.5 s, in per cent of the frame"


def test_runners_up_are_one_crop_a_person_without_the_one_answered():
    man, twin, woman = (0.0, 0.0, 40.0, 100.0), (2.0, 0.0, 42.0, 98.0), (100.0, 0.0, 140.0, 100.0)
    seen = [Candidate(woman, 0.2), Candidate(man, 0.7), Candidate(twin, 0.6)]
    moved = [Candidate((105.0, 0.0, 145.0, 100.0), 0.4), Candidate(man, 0.5)]
    keys = (key_at(0.5, box=man, people=seen), key_at(1.5, box=man, people=moved))
    (other,) = people.runners_up(Query("s", True, 0.9, keys, (), ()))
    assert (other.key, other.candidate, other.score, other.seen) == (1, 0, 0.4, 2)
    nobody = tuple(replace(key, found=False, box_xyxy=None) for key in keys)
    both = people.runners_up(Query("s", False, 0.1, nobody, (), ()))
    assert [(p.key, p.candidate) for p in both] == [(0, 1), (1, 0)], "without an answer all are offered"


def test_at_most_six_people_are_offered_the_likeliest_first():
    crowd = [Candidate((50.0 * i, 0.0, 50.0 * i + 30, 90.0), 0.01 * i) for i in range(10)]
    offered = people.runners_up(Query("s", False, 0.1, (key_at(0.5, people=crowd),), (), ()))
    assert [person.candidate for person in offered] == [9, 8, 7, 6, 5, 4]


def test_a_crop_lies_in_the_picture_and_is_never_empty():
    picture = np.arange(90 * 160 * 3, dtype=np.uint32).astype(np.uint8).reshape(90, 160, 3)
    cut = people.crop(picture, (100.0, 60.0, 140.0, 140.0), VIDEO)
    assert cut.shape == (50, 30, 3) or cut.shape == (49, 30, 3)
    assert min(people.crop(picture, (319.0, 179.0, 320.0, 180.0), VIDEO).shape) > 0
    assert people.crop(picture, (0.0, 0.0, 320.0, 180.0), VIDEO).shape == picture.shape


def test_the_way_back_is_offered_to_whoever_picked_somebody():
    (query,) = ask("coat").queries
    assert "data-back" in people.people_html(query, [PICTURE], VIDEO, switched=True)
    assert "data-back" not in people.people_html(query, [PICTURE], VIDEO)


def test_paths_grow_towards_the_key_moment_and_are_as_solid_as_their_share():
    (query,) = ask("coat").queries
    path = WordPath("coat", (0.3, 0.5, 0.7), ((10.0, 20.0), (30.0, 40.0), (50.0, 60.0)), (0.1, 0.2, 0.4))
    drawn = why.why_html([(), (path,)], query, [PICTURE] * 2, VIDEO, 1)
    circles = [attributes for attributes in Tags(drawn).named("circle")]
    radii = [float(circle["r"]) for circle in circles]
    assert radii[1] > radii[0] == radii[2]
    solid = [float(circle["opacity"]) for circle in circles]
    assert solid == sorted(solid) and solid[-1] == 1
    assert drawn.count("<line") == 2 and "Key frame 2 of 2, 0.5 s" in drawn and "40 % of its attention" in drawn


def test_why_begins_where_the_person_is_surest_found():
    (query,) = ask("coat").queries
    keys = tuple(replace(key, presence=0.99) if i == 3 else key for i, key in enumerate(query.keyframes))
    assert why.best_key(replace(query, keyframes=keys), 7) == 3
    assert why.best_key(replace(query, keyframes=keys), 2) == 1, "only where a picture was kept"
    assert why.best_key(replace(query, keyframes=()), 0) == 0
