"""What the page says and shows of a result: words, answers, progress, and where boxes lie; pure text to HTML."""

import base64
import html
import io
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from refatomnet.types import Box, Query, Result

if TYPE_CHECKING:
    from PIL.Image import Image


def short_name(name: str) -> str:
    """An action's name without its examples: ``ride (e.g., a bike, a car, a horse)`` is ``ride``."""
    return re.sub(r" \(e\.g\..*?\)", "", name)


def percent(value: float) -> str:
    """A share in words: 0.914 is ``91 %``."""
    return f"{100 * value:.0f} %"


def clock(seconds: float) -> str:
    """A moment in words: ``2.5 s``, from a minute on ``1:05``."""
    tenths = round(10 * seconds)
    return f"{tenths / 10:.1f} s" if tenths < 600 else f"{tenths // 600}:{tenths // 10 % 60:02d}"


def colour(number: int) -> str:
    """The colour in which a sentence's person is drawn in the video, as ``#rrggbb``."""
    from refatomnet.overlay import PALETTE  # brings the video libraries, which the page needs not wait for

    return "#{:02x}{:02x}{:02x}".format(*PALETTE[number % len(PALETTE)])


def swatch(number: int, total: int) -> str:
    """A sentence's mark: its colour, and its number where there are several, so that colour alone tells nothing."""
    return f"<i class='swatch' style='background:{colour(number)}'>{number + 1 if total > 1 else ''}</i>"


def top_actions(query: Query, count: int = 3) -> list[tuple[str, float]]:
    """The actions that weigh most over the found key frames, with the mean score where they are among the best."""
    scores: dict[str, list[float]] = {}
    for key in query.keyframes:
        for entry in key.actions if key.found else ():
            scores.setdefault(short_name(entry.action.name), []).append(entry.score)
    best = sorted(scores, key=lambda name: -sum(scores[name]))[:count]
    return [(name, sum(scores[name]) / len(scores[name])) for name in best]


def answer_sentence(query: Query) -> str:
    """The answer to one sentence, in words: whether and when."""
    found = [key for key in query.keyframes if key.found]
    if not found:
        return f"Nobody in this clip fits ‘{query.sentence}’ (presence {percent(query.presence)})."
    first, last = clock(found[0].time), clock(found[-1].time)
    when = f"at {first}" if len(found) == 1 else f"from {first} to {last}"
    if len(query.keyframes) == 1:
        return f"Found, on the one key frame {when}."
    return f"Found in {len(found)} of {len(query.keyframes)} key frames, {when}."


def answers_html(result: Result, switched: Collection[int] = ()) -> str:
    """One card a sentence; ``switched`` are the sentences whose person the visitor picked."""
    total = len(result.queries)
    cards = [_card_html(query, i, total, i in switched) for i, query in enumerate(result.queries)]
    return f"<div class='cards' role='status'>{''.join(cards)}</div>"


def _card_html(query: Query, number: int, total: int, switched: bool) -> str:
    said = html.escape(query.sentence)
    badge = "your pick" if switched else "found" if query.found else "nobody fits"
    chips = "".join(f"<li>{html.escape(name)} <b>{percent(score)}</b></li>" for name, score in top_actions(query))
    more = f"<ul aria-label='Most likely actions'>{chips}</ul>" if chips else ""
    closest = any(key.candidates for key in query.keyframes)
    if query.found:
        means = "chance that the sentence means this person" if switched else "presence, at its highest"
        more += f"<p class='small'>{percent(query.presence)} {means}.</p>"
    elif closest:
        more = "<p class='small'>Did you mean one of the closest people? They are below the video.</p>"
    else:
        more = "<p class='small'>No people were seen on the key frames at all.</p>"
    return (
        f"<article class='card {'found' if query.found else 'nobody'}' style='--who:{colour(number)}'>"
        f"<p class='said'>{swatch(number, total)}<span>‘{said}’</span><span class='badge'>{badge}</span></p>"
        f"<p>{html.escape(answer_sentence(query))}</p>{more}</article>"
    )


def choice_html(result: Result, chosen: int) -> str:
    """A row of buttons that picks whose details are shown; empty where there is one sentence alone."""
    total = len(result.queries)
    if total < 2:
        return ""
    buttons = "".join(
        f"<button type='button' data-index='{i}' aria-pressed='{'true' if i == chosen else 'false'}'>"
        f"{swatch(i, total)}<span>{html.escape(query.sentence)}</span></button>"
        for i, query in enumerate(result.queries)
    )
    return f"<div class='choice' role='group' aria-label='Details of which sentence'>{buttons}</div>"


def message_html(text: str, kind: str = "note") -> str:
    """A sentence for the status area; ``kind`` is ``note`` or ``problem``."""
    role = " role='alert'" if kind == "problem" else ""
    return f"<div class='answer {kind}'{role}><p>{html.escape(text)}</p></div>"


def progress_html(stage: str, done: float, left_s: float | None = None) -> str:
    """The stage of the work with a bar; ``done`` in [0, 1], ``left_s`` the seconds left where they are known."""
    share = min(max(done, 0.0), 1.0)
    name = html.escape(stage)
    left = f"<span class='left'>{html.escape(_left(left_s))}</span>" if left_s is not None else ""
    bar = (
        f"<div class='bar' role='progressbar' aria-label='{name}' aria-valuemin='0' aria-valuemax='100'"
        f" aria-valuenow='{100 * share:.0f}'><span style='width:{100 * share:.0f}%'></span></div>"
    )
    return f"<div class='answer working'><p><span>{name} <b>{percent(share)}</b></span>{left}</p>{bar}</div>"


def busy_html(stage: str) -> str:
    """Work whose end is not known."""
    name = html.escape(stage)
    bar = f"<div class='bar endless' role='progressbar' aria-label='{name}'><span></span></div>"
    return f"<div class='answer working'><p role='status'>{name}</p>{bar}</div>"


def _left(seconds: float) -> str:
    if seconds < 1.5:
        return "about a second left"
    if seconds < 90:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left"


def data_address(image: "Image", quality: int) -> str:
    """A picture itself as a JPEG in a ``data:`` address: nothing to fetch or keep."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def place_css(x1: float, y1: float, x2: float, y2: float) -> str:
    """Where a box lies, given in fractions of the picture it is laid over, as declarations of a style."""
    return f"left:{100 * x1:.2f}%;top:{100 * y1:.2f}%;width:{100 * (x2 - x1):.2f}%;height:{100 * (y2 - y1):.2f}%"


def iou(a: Box, b: Box) -> float:
    """Overlap of two boxes xyxy of one unit over what they cover together, in [0, 1]; without PyTorch."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return across * down / (sum(areas) - across * down)
