"""Scores and presence over time, and the table of segments: a query in, HTML out.

Lines stretch with the page (an SVG in per cent of its panel), while marks and words, which are HTML, keep their size.
``data-seek`` is in seconds of the annotated video, which begins at ``start`` of the clip; words tell the clip's time.
"""

import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from refatomnet.actions import GROUPS
from refatomnet.demo.plots import clock, colour, message_html, percent, short_name
from refatomnet.types import KeyFrame, Query, Segment

Point = tuple[float, float]

LINES = 5
LEAST_PEAK = 0.1  # lines that never rise above are left out: many, and alike
DENSE = 60  # key frames from which lines and marks are finer
# Each is 3 : 1 or better on the page's white and on its darkest panel, and told apart with the common colour
# blindnesses; dashes and marks tell the same without any colour.
COLOURS = ("#2f7fd6", "#c96a12", "#1f9470", "#c2559b", "#8b7df0")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 4")
MARKS_A_LINE = 24
LABEL_GAP = 15.0  # per cent of a panel that a line's name takes
TICK_STEPS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
TICKS = 6


@dataclass(frozen=True)
class Line:
    """One action over time: stretches of (seconds, score), cut where it is not among the best or nobody is found."""

    name: str
    stretches: tuple[tuple[Point, ...], ...]

    @property
    def peak(self) -> float:
        """Its highest score."""
        return max(score for stretch in self.stretches for _, score in stretch)


def group_lines(query: Query) -> dict[str, list[Line]]:
    """The lines of each group of actions that has any, the highest peak first."""
    told: dict[str, dict[str, list[list[Point]]]] = {group: {} for group in GROUPS}
    before: set[str] = set()
    for key in query.keyframes:
        here: set[str] = set()
        for entry in key.actions if key.found else ():
            name = short_name(entry.action.name)
            here.add(name)
            stretches = told[entry.action.group].setdefault(name, [])
            if name not in before:
                stretches.append([])
            stretches[-1].append((key.time, entry.score))
        before = here
    return {
        group: sorted((Line(n, tuple(map(tuple, s))) for n, s in names.items()), key=lambda line: -line.peak)
        for group, names in told.items()
        if names
    }


def reach(keyframes: Sequence[KeyFrame], start: float, end: float) -> list[Point]:
    """The stretch of time that each key frame speaks for: to half way to its neighbours, within [start, end]."""
    times = [key.time for key in keyframes]
    edges = [start, *((a + b) / 2 for a, b in pairwise(times)), end]
    return [(min(max(a, start), end), min(max(b, start), end)) for a, b in pairwise(edges)]


def spread(places: Sequence[float], gap: float = LABEL_GAP) -> list[float]:
    """Move labels at these heights (per cent from the top) apart by ``gap`` each, inside [0, 100], in their order."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [0.0] * len(places)
    floor = 0.0
    for i in order:
        moved[i] = max(places[i], floor)
        floor = moved[i] + gap
    ceiling = 100.0
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved


def ticks(start: float, end: float) -> list[float]:
    """Round moments for the time axis, at most TICKS + 1."""
    step = next((step for step in TICK_STEPS if (end - start) / step <= TICKS), TICK_STEPS[-1])
    while (end - start) / step > TICKS:
        step *= 2
    first = math.ceil(start / step - 1e-9)
    return [round(index * step, 3) for index in range(first, math.floor(end / step + 1e-9) + 1)]


def chart_html(query: Query, start: float, end: float, number: int = 0) -> str:
    """Presence and scores of one query on one time axis, ``start`` to ``end`` seconds of the clip.

    ``number`` is the sentence's place, which gives presence its colour.
    """
    if not query.keyframes:
        return message_html("There is no key frame to show scores of.")
    groups = group_lines(query)
    span = max(end - start, 1e-6)
    panels = [_presence_html(query, start, end)]
    panels += [_panel_html(group, lines, query, start, end) for group, lines in groups.items()]
    if not groups:
        panels.append("<p class='small empty'>Nobody fits this sentence, so there are no actions to show.</p>")
    marks = "".join(
        f"<span style='left:{100 * (tick - start) / span:.2f}%'>{_tick(tick)}</span>" for tick in ticks(start, end)
    )
    data = html.escape(json.dumps(_tips(query, groups, start), separators=(",", ":")), quote=True)
    first = query.keyframes[0].time
    kind = "chart dense" if len(query.keyframes) > DENSE else "chart"
    return (
        f"<figure class='{kind}' style='--who:{colour(number)}' data-start='{start:.3f}' data-span='{span:.3f}'"
        f" data-tips='{data}'><figcaption><b>Over time</b> How likely each action is, key frame by key frame. "
        f"Click anywhere to go there{_offset(start)}.</figcaption><div class='panels'>{''.join(panels)}"
        f"<div class='over'><div class='head' role='slider' tabindex='0' aria-label='Time in the clip'"
        f" aria-valuemin='{start:.2f}' aria-valuemax='{end:.2f}' aria-valuenow='{start:.2f}'"
        f" aria-valuetext='{clock(start)}; arrow keys go to the key frames, the first at {clock(first)}'></div>"
        f"<div class='guide' hidden></div></div></div><div class='ticks' aria-hidden='true'>{marks}</div>"
        f"<div class='tip' hidden></div></figure>"
    )


def segments_html(query: Query, start: float) -> str:
    """The segments as a table, the earliest and then the surest first; every row goes to its beginning.

    Empty where nobody is found: the chart says so already.
    """
    if not query.found:
        return ""
    if not query.segments:
        return message_html(
            "No action was sure enough to hold for a stretch of time; the chart shows those that came closest."
        )
    rows = "".join(_row_html(segment, start) for segment in sorted(query.segments, key=lambda s: (s.start, -s.score)))
    heads = "".join(f"<th scope='col'>{name}</th>" for name in ("action", "group", "from", "to", "score"))
    return (
        "<div class='segments' role='region' aria-label='Stretches of time' tabindex='0'><table>"
        f"<caption><b>Stretches of time</b> Pick one to go there.</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def cues(query: Query, start: float, end: float) -> list[tuple[float, float, str]]:
    """Subtitles: the actions that hold, told anew at every change, those that begin there first.

    Returns:
        (from, to, text) in seconds of the annotated video; no stretch where nothing holds.
    """
    moments = sorted({start, end, *(m for s in query.segments for m in (s.start, s.end) if start < m < end)})
    told = []
    before: set[str] = set()
    for first, last in pairwise(moments):
        holds = [s for s in query.segments if s.start <= first and s.end >= last]
        names = [short_name(s.action.name) for s in sorted(holds, key=lambda s: -s.score)]
        names.sort(key=lambda name: name in before)
        if names:
            told.append((round(first - start, 3), round(last - start, 3), ", ".join(names)))
        before = set(names)
    return told


def _presence_html(query: Query, start: float, end: float) -> str:
    """The thin row: how likely the described person is in view, filled strongly where they are taken as found."""
    span = max(end - start, 1e-6)
    bars = []
    for key, (first, last) in zip(query.keyframes, reach(query.keyframes, start, end), strict=True):
        kind = "in" if key.found else "out"
        x, width, height = 100 * (first - start) / span, 100 * (last - first) / span, 100 * key.presence
        bars.append(
            f"<rect class='{kind}' x='{x:.2f}' width='{width:.2f}' y='{100 - height:.1f}' height='{height:.1f}'/>"
        )
    best = max(key.presence for key in query.keyframes)
    title = (
        "presence, in colour where the person is taken as in view" if query.found else "presence, too low throughout"
    )
    return (
        f"<div class='panel presence'><p class='name'>{title}</p><div class='plot'>{_svg(bars)}</div>"
        f"<ul><li class='plain'>up to {percent(best)}</li></ul></div>"
    )


def _panel_html(group: str, lines: Sequence[Line], query: Query, start: float, end: float) -> str:
    shown = _chosen(lines)
    more = len(lines) - len(shown)
    rest = f"<span>and {more} less likely</span>" if shown and more else ""
    if not shown:
        few = f"<span>nothing above {percent(LEAST_PEAK)}</span>"
        return f"<div class='panel'><p class='name'>{group}{few}</p></div>"
    drawn = _bars_html(shown) if len(query.keyframes) == 1 else _lines_html(shown, query, start, end)
    lasts = [100 * (1 - line.stretches[-1][-1][1]) for line in shown]
    names = "".join(
        f"<li style='top:{place:.1f}%'>{_key_html(i)}<span>{html.escape(line.name)}</span></li>"
        for i, (line, place) in enumerate(zip(shown, spread(lasts), strict=True))
    )
    kind = "panel single" if len(query.keyframes) == 1 else "panel"
    return f"<div class='{kind}'><p class='name'>{group}{rest}</p>{drawn}<ul>{names}</ul></div>"


def _chosen(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.peak >= LEAST_PEAK][:LINES]


def _lines_html(lines: Sequence[Line], query: Query, start: float, end: float) -> str:
    span = max(end - start, 1e-6)
    shapes = []
    for key, (first, last) in zip(query.keyframes, reach(query.keyframes, start, end), strict=True):
        if not key.found:
            x, width = 100 * (first - start) / span, 100 * (last - first) / span
            shapes.append(f"<rect class='away' x='{x:.2f}' width='{width:.2f}' y='0' height='100'/>")
    marks = []
    for i, line in enumerate(lines):
        count = sum(len(stretch) for stretch in line.stretches)
        every = max(1, math.ceil(count / MARKS_A_LINE))
        for stretch in line.stretches:
            places = [(100 * (moment - start) / span, 100 * (1 - score)) for moment, score in stretch]
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
            shapes.append(f"<polyline points='{points}' stroke='{COLOURS[i]}' stroke-dasharray='{DASHES[i]}'/>")
            marks += [
                f"<i class='mark m{i}' style='left:{x:.2f}%;top:{y:.2f}%;color:{COLOURS[i]}'></i>"
                for x, y in places[::every]
            ]
    levels = "".join(f"<span class='level' style='top:{100 - level}%'>{level} %</span>" for level in (0, 50, 100))
    return f"<div class='plot'>{levels}{_svg(shapes)}{''.join(marks)}</div>"


def _bars_html(lines: Sequence[Line]) -> str:
    """For a clip of one key frame, where there is no time to draw lines over."""
    bars = "".join(
        f"<p><span>{html.escape(line.name)}</span><i style='width:{100 * line.peak:.1f}%;background:{COLOURS[i]}'></i>"
        f"<b>{percent(line.peak)}</b></p>"
        for i, line in enumerate(lines)
    )
    return f"<div class='plot bars'>{bars}</div>"


def _svg(shapes: Sequence[str]) -> str:
    return f"<svg viewBox='0 0 100 100' preserveAspectRatio='none' aria-hidden='true'>{''.join(shapes)}</svg>"


def _key_html(i: int) -> str:
    """A line's sample: its dash and its mark."""
    line = f"<line x1='0' x2='24' y1='5' y2='5' stroke='{COLOURS[i]}' stroke-dasharray='{DASHES[i]}'/>"
    sample = f"<svg viewBox='0 0 24 10' width='24' height='10' aria-hidden='true'>{line}</svg>"
    return f"<span class='key'>{sample}<i class='mark m{i}' style='color:{COLOURS[i]}'></i></span>"


def _row_html(segment: Segment, start: float) -> str:
    first, last = max(0.0, segment.start - start), max(0.0, segment.end - start)
    name = html.escape(short_name(segment.action.name))
    label = f"{name}, from {clock(segment.start)} to {clock(segment.end)}: go there"
    return (
        f"<tr data-seek='{first:.3f}' data-from='{first:.3f}' data-to='{last:.3f}'>"
        f"<th scope='row'><button type='button' data-seek='{first:.3f}' aria-label='{label}'>{name}</button></th>"
        f"<td>{segment.action.group}</td><td>{clock(segment.start)}</td><td>{clock(segment.end)}</td>"
        f"<td><i class='meter' style='--share:{100 * segment.score:.0f}%'></i>{percent(segment.score)}</td></tr>"
    )


def _tips(query: Query, groups: dict[str, list[Line]], start: float) -> dict[str, Any]:
    """What the pointer's note tells: times of the key frames and, by line, the score at each or None."""
    rows = []
    for lines in groups.values():
        for i, line in enumerate(_chosen(lines)):
            at = {moment: score for stretch in line.stretches for moment, score in stretch}
            scores = [None if key.time not in at else round(at[key.time], 3) for key in query.keyframes]
            rows.append({"name": line.name, "colour": COLOURS[i], "mark": i, "scores": scores})
    return {
        "times": [round(key.time - start, 3) for key in query.keyframes],
        "said": [clock(key.time) for key in query.keyframes],
        "presence": [round(key.presence, 3) for key in query.keyframes],
        "found": [int(key.found) for key in query.keyframes],
        "rows": rows,
    }


def _tick(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else clock(seconds)


def _offset(start: float) -> str:
    return f". Times are those of the whole clip; the video above begins at {clock(start)}" if start > 0 else ""
