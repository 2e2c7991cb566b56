"""What the page says and shows of a result: sentences, chart and table rows, without any component."""

import html
import math
import re
from collections.abc import Mapping
from typing import Any

from refatomnet.actions import GROUPS
from refatomnet.types import Query, Result

Point = tuple[float, float]

TOP = "top actions"
VIEWS = (TOP, *GROUPS)
SHOWN = 6
# Readable on a white and on a dark page alike, and told apart with the common colour blindnesses.
PALETTE = ("#2f7fd6", "#e07b1a", "#1f9e77", "#c2559b", "#a08a12", "#7a6fd0")
TICK_STEPS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
TABLE_HEADERS = ["action", "start", "end", "score"]
SCORE_NAMES = {
    "records": "records",
    "miou": "mIoU",
    "acc_iou50": "accuracy at IoU 0.5",
    "map_weighted": "mAP, weighted",
    "map_macro": "mAP, macro",
    "auroc_weighted": "AUROC, weighted",
    "auroc_macro": "AUROC, macro",
    "presence_auroc": "AUROC of presence",
    "ci95": "95 % interval",
}


def short_name(name: str) -> str:
    """An action's name without its examples: ``ride (e.g., a bike, a car, a horse)`` is ``ride``."""
    return re.sub(r" \(e\.g\..*?\)", "", name)


def percent(value: float) -> str:
    """A share in words: 0.914 is ``91 %``."""
    return f"{100 * value:.0f} %"


def answer_sentence(query: Query) -> str:
    """The answer to one sentence, in words."""
    found = [key for key in query.keyframes if key.found]
    if not found:
        return f"Nobody in this clip fits ‘{query.sentence}’ (presence {percent(query.presence)})."
    frames = f"{len(found)} of {len(query.keyframes)} key frame{'s' if len(query.keyframes) > 1 else ''}"
    first, last = found[0].time, found[-1].time
    when = f"at {first:.1f} s" if len(found) == 1 else f"from {first:.1f} s to {last:.1f} s"
    scores: dict[str, list[float]] = {}
    for key in found:
        for entry in key.actions:
            scores.setdefault(short_name(entry.action.name), []).append(entry.score)
    best = sorted(scores, key=lambda name: -sum(scores[name]))[:3]
    actions = ", ".join(f"{name} {percent(sum(scores[name]) / len(scores[name]))}" for name in best)
    return f"Found in {frames}, {when}" + (f": {actions}." if actions else ".")


def answers_html(result: Result) -> str:
    """One block a sentence."""
    blocks = []
    for query in result.queries:
        kind = "found" if query.found else "nobody"
        said = html.escape(query.sentence)
        heading = f"<p class='said'>‘{said}’</p>" if query.found else ""
        blocks.append(f"<div class='answer {kind}'>{heading}<p>{html.escape(answer_sentence(query))}</p></div>")
    return "".join(blocks)


def message_html(text: str, kind: str = "note") -> str:
    """A sentence for the status area; ``kind`` is ``note`` or ``problem``."""
    role = " role='alert'" if kind == "problem" else ""
    return f"<div class='answer {kind}'{role}><p>{html.escape(text)}</p></div>"


def progress_html(stage: str, done: float) -> str:
    """The stage of the work with a bar; ``done`` in [0, 1]."""
    share = min(max(done, 0.0), 1.0)
    bar = f"<div class='bar'><span style='width:{100 * share:.0f}%'></span></div>"
    return f"<div class='answer working'><p>{html.escape(stage)} <b>{percent(share)}</b></p>{bar}</div>"


def action_series(query: Query, view: str = TOP) -> dict[str, list[list[Point]]]:
    """Scores over time of the highest actions in a view, the highest peak first.

    Returns:
        By action, its stretches of (seconds, score); a stretch ends where the person is not found or the action is not
        among the best of the key frame.
    """
    series: dict[str, list[list[Point]]] = {}
    before: set[str] = set()
    for key in query.keyframes:
        here: set[str] = set()
        for entry in key.actions if key.found else ():
            if view not in (TOP, entry.action.group):
                continue
            name = short_name(entry.action.name)
            here.add(name)
            stretches = series.setdefault(name, [])
            if name not in before:
                stretches.append([])
            stretches[-1].append((key.time, entry.score))
        before = here
    peaks = {name: max(score for part in stretches for _, score in part) for name, stretches in series.items()}
    return {name: series[name] for name in sorted(series, key=lambda name: -peaks[name])[:SHOWN]}


def chart_html(query: Query, view: str, start: float, end: float) -> str:
    """The scores as lines over time; lines stretch with the page while dots and words keep their size."""
    series = action_series(query, view)
    if not series:
        return message_html(f"None of the best actions is a {view}." if query.found else "Not found in this clip.")
    span = max(end - start, 1e-6)
    lines, dots, legend = [], [], []
    for (name, stretches), colour in zip(series.items(), PALETTE, strict=False):
        label = html.escape(name)
        legend.append(f"<li><i style='background:{colour}'></i>{label}</li>")
        for stretch in stretches:
            places = [(100 * (moment - start) / span, 100 * (1 - score)) for moment, score in stretch]
            path = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
            lines.append(f"<polyline points='{path}' stroke='{colour}'/>")
            for (x, y), (moment, score) in zip(places, stretch, strict=True):
                place = f"left:{x:.2f}%;top:{y:.2f}%;background:{colour}"
                dots.append(f"<i style='{place}' title='{label} {percent(score)} at {moment:.1f} s'></i>")
    rows = "".join(f"<span class='y' style='top:{100 - y}%'>{y} %</span>" for y in (0, 50, 100))
    columns = "".join(
        f"<span class='x' style='left:{100 * (tick - start) / span:.2f}%'>{tick:g} s</span>"
        for tick in _ticks(start, end)
    )
    drawing = f"<svg viewBox='0 0 100 100' preserveAspectRatio='none' aria-hidden='true'>{''.join(lines)}</svg>"
    return (
        f"<figure class='chart' aria-label='Action scores over time'><div class='plot'>{rows}{columns}{drawing}"
        f"{''.join(dots)}</div><ul>{''.join(legend)}</ul></figure>"
    )


def _ticks(start: float, end: float) -> list[float]:
    step = next((step for step in TICK_STEPS if (end - start) / step <= 6), TICK_STEPS[-1])
    first = math.ceil(start / step)
    return [round(index * step, 3) for index in range(first, math.floor(end / step + 1e-9) + 1)]


def segment_rows(query: Query) -> list[list[str]]:
    """The stretches of a query for the table, the earliest and then the surest first."""
    ordered = sorted(query.segments, key=lambda s: (s.start, -s.score))
    return [[short_name(s.action.name), f"{s.start:.1f} s", f"{s.end:.1f} s", percent(s.score)] for s in ordered]


def card_markdown(card: Mapping[str, Any]) -> str:
    """The checkpoint's card: what it is and its measured scores as a table."""
    facts = [f"**Checkpoint** {_plain(card.get('name', 'unnamed'))}"]
    facts += [f"version {_plain(card['version'])}"] if "version" in card else []
    facts += [f"trained on {_plain(card['trained_on'])}"] if "trained_on" in card else []
    rows = list(_scores(card.get("scores"), ""))
    if not rows:
        return ", ".join(facts) + ". It carries no measured scores."
    table = "\n".join(f"| {_plain(name)} | {value} |" for name, value in rows)
    return f"{', '.join(facts)}.\n\n| measured on held-out data | value |\n|---|---:|\n{table}"


def _scores(scores: Any, prefix: str) -> "list[tuple[str, str]]":
    rows: list[tuple[str, str]] = []
    for name, value in scores.items() if isinstance(scores, Mapping) else ():
        label = f"{prefix}{SCORE_NAMES.get(name, str(name).replace('_', ' '))}"
        if name == "per_class" or isinstance(value, bool):
            continue
        if isinstance(value, Mapping):
            rows += _scores(value, f"{label}: ")
        elif isinstance(value, int):
            rows.append((label, f"{value:,}"))
        elif isinstance(value, float):
            rows.append((label, f"{value:.3f}"))
        elif isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
            rows.append((label, f"{value[0]:.3f} to {value[1]:.3f}"))
    return rows


def _plain(value: Any) -> str:
    return re.sub(r"([\\`*_\[\]|<>])", r"\\\1", str(value))
