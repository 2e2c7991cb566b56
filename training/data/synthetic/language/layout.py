"""Who is where in the picture: sides, order, distance, relations, stature and facing, each with three-valued truth."""

from collections.abc import Callable

import numpy as np

from ..facts import Thing
from .truths import FLAT, IN_VIEW, TALL, Truth, View, every

Fits = Callable[[View, int], Truth]


def mirrored(view: View, side: str) -> dict[int, float]:
    """Distances of people's centres from the left (right) edge, as shares of the width."""
    return {j: c if side == "left" else 1 - c for j, c in view.x.items()}


def on_side(view: View, i: int, side: str) -> Truth:
    """On the left (right): of two, the outer one; else by thirds of the frame, a clear outermost person counting."""
    x = mirrored(view, side)
    outer = sorted(x.values())
    if len(outer) == 2:
        clear = outer[1] - outer[0] > 0.08 and outer[0] < 0.6 and outer[1] > 0.4
        return (x[i] == outer[0]) if clear else None
    if x[i] < 0.36:
        return True
    if len(outer) > 2 and x[i] == outer[0] and outer[1] - outer[0] > 0.1 and x[i] < 0.48:
        return True
    return None if x[i] < 0.5 else False


def on_half(view: View, i: int, side: str) -> Truth:
    """Whether person i could be said to be on a side: False only well on the other with someone further out."""
    x = mirrored(view, side)
    others = [x[j] for j in x if j != i and view.visible[j] >= IN_VIEW]
    return False if x[i] > 0.6 and (not others or x[i] > min(others)) else None


def in_part(view: View, i: int, side: str) -> Truth:
    """On a side, and so by the frame as well as among the people."""
    truth = on_side(view, i, side)
    return None if truth is True and mirrored(view, side)[i] > 0.4 else truth


def off_middle(view: View, i: int) -> Truth:
    """Whether person i could be said to be in the middle: False only well outside and with nobody further out."""
    ends = (view.order[0], view.order[-1])
    return False if abs(view.x[i] - 0.5) > (0.2 if i in ends else 0.35) else None


def in_middle(view: View, i: int) -> Truth:
    off = abs(view.x[i] - 0.5)
    if off > 0.2:
        return False
    inner = len(view.ids) == 1 or (len(view.ids) > 2 and i not in (view.order[0], view.order[-1]))
    return True if off < 0.09 and inner else None


def outermost(view: View, i: int, side: str, gap: float, within: float = 1.0) -> Truth:
    """The leftmost (rightmost) person, by at least gap of the frame width and no further in than within."""
    if len(view.ids) < 2:
        return on_half(view, i, side)
    x = mirrored(view, side)
    first, second = sorted(x.values())[:2]
    return (x[i] == first) if second - first > gap and first < within else (None if x[i] - first < 0.3 else False)


def extreme_depth(view: View, i: int, near: bool, ratio: float = 0.8) -> Truth:
    """The nearest (farthest) person, at less than ratio of the next one's distance (more than its inverse)."""
    if len(view.ids) < 2:
        return None
    d = {j: z if near else 1 / max(z, 1e-6) for j, z in view.depth.items()}
    first, second = sorted(d.values())[:2]
    return (d[i] == first) if first < ratio * second else (None if first > 0.7 * d[i] else False)


def nth(view: View, i: int, n: int, side: str) -> Truth:
    """The n-th from a side, counting everyone in view; unsure for all where two people are nearly level."""
    xs = [view.x[j] for j in view.order]
    if len(xs) < 3 or min(np.diff(xs)) < 0.06:
        return None
    order = view.order if side == "left" else view.order[::-1]
    return n <= len(order) and order[n - 1] == i


def group(view: View, who: Fits) -> list[int] | None:
    """Those whom a noun fits, from left to right; None if it is unsure of anyone."""
    truth = [who(view, j) for j in view.order]
    return None if None in truth else [j for j, t in zip(view.order, truth, strict=True) if t]


def nth_among(view: View, i: int, n: int, side: str, who: Fits) -> Truth:
    """The n-th man from a side: among the men, and nobody else may be meant by counting everyone."""
    members = group(view, who)
    if members is None or len(members) < 2 or len(view.ids) < 3:
        return False if who(view, i) is False else None
    if min(np.diff([view.x[j] for j in view.order])) < 0.06:
        return False if i not in members else None
    order, everyone = (m if side == "left" else m[::-1] for m in (members, view.order))
    if n > len(order):
        return None
    other = n <= len(everyone) and everyone[n - 1] in members and everyone[n - 1] != order[n - 1]
    return None if other else order[n - 1] == i


def related(view: View, i: int, anchor: int, relation: str) -> Truth:
    if i == anchor:
        return False
    dx, ratio = view.x[anchor] - view.x[i], view.depth[i] / max(view.depth[anchor], 1e-6)
    if relation in ("left", "right"):
        dx = dx if relation == "left" else -dx
        return True if dx > 0.08 else False if dx < -0.01 else None
    if relation == "beside":
        near = 0.06 < abs(dx) < 0.28 and 0.75 < ratio < 1.33
        near = near and not any(0.01 < (view.x[j] - view.x[i]) / dx < 0.99 for j in view.ids if j not in (i, anchor))
        return True if near else False if abs(dx) > 0.42 or (abs(dx) > 0.2 and not 0.4 < ratio < 2.5) else None
    ratio = ratio if relation == "behind" else 1 / max(ratio, 1e-6)
    return True if ratio > 1.25 and abs(dx) < 0.15 else False if ratio < 1.0 or abs(dx) > 0.35 else None


def between(view: View, i: int, a: int, b: int) -> Truth:
    if i in (a, b):
        return False
    low, high = sorted((view.x[a], view.x[b]))
    x = view.x[i]
    return True if low + 0.06 < x < high - 0.06 else False if x < low - 0.02 or x > high + 0.02 else None


def by_thing(view: View, i: int, thing: Thing, relation: str) -> Truth:
    """Relations with a thing: beside it by the gap in the picture, behind or before it by overlap and distance."""
    box, me = thing.boxes_xyxy[view.key], view.box[i]
    wide, centre = box[2] - box[0], (box[0] + box[2]) / 2
    if relation in ("left", "right"):
        dx = (centre - view.x[i]) * (1 if relation == "left" else -1)
        clear = me[2] < box[0] + 0.2 * wide if relation == "left" else me[0] > box[2] - 0.2 * wide
        return True if dx > 0.08 and clear else False if dx < -0.01 else None
    if relation == "beside":
        gap = max(box[0] - me[2], me[0] - box[2])
        return True if -0.02 < gap < 0.08 and _on_floor_with(view, i, box) else False if gap > 0.2 else None
    hidden = view.people[i].hidden_by
    inside = box[0] < view.x[i] < box[2]
    if hidden is None or not inside:
        return False if me[2] < box[0] or me[0] > box[2] else None
    if thing.depth is None:
        return None
    covered = float(hidden[view.key, -1])
    beyond = view.depth[i] - thing.depth
    if beyond < 0.15 if relation == "behind" else beyond > -0.15:
        return False if abs(beyond) > 0.6 else None
    if relation == "behind":
        return True if covered > 0.15 and box[3] > me[3] - 0.02 else False if covered < 0.01 else None
    before = covered < 0.01 and me[3] > box[3] + 0.02 and me[1] < box[3] and box[3] < 0.95
    return True if before else False if covered > 0.15 else None


def _on_floor_with(view: View, i: int, box: np.ndarray) -> bool:
    """Whether a thing stands about as far away as person i: both end low in the frame at about the same height."""
    return bool(abs(view.full[i][3] - box[3]) < 0.1 and box[3] < 0.97 and view.full[i][3] < 0.97)


def stature(view: View, i: int, who: Fits, sign: int) -> Truth:
    """The taller (taller of two) or tallest among those the noun fits.

    All must be upright, 8 cm apart, and where the tallest is not clearly nearest, look it too.
    """
    members = group(view, who)
    if members is None or i not in members or len(members) < 2:
        return False if who(view, i) is False else None
    if any(view.people[j].posture not in TALL for j in members):
        return None
    heights = {j: sign * float(view.people[j].look.height) for j in members}
    best, second = sorted(heights.values(), reverse=True)[:2]
    first = max(members, key=heights.__getitem__)
    if best - second < 0.08 or any(not looks_it(view, first, j, sign) for j in members if j != first):
        return None if best - heights[i] < 0.08 or i == first else False
    return i == first


def looks_it(view: View, i: int, j: int, sign: int) -> bool:
    """Whether person i also looks taller (shorter) than j: about as far away, or the head is higher (lower) as well."""
    if 0.8 < view.depth[i] / max(view.depth[j], 1e-6) < 1.25:
        return True
    return bool(sign * (view.full[j][1] - view.full[i][1]) > 0.02 and min(view.full[i][1], view.full[j][1]) > 0.005)


def foremost(view: View, i: int, who: Fits, way: str) -> Truth:
    """Nearer, farther, further left or right than the other(s) of those the noun fits."""
    members = group(view, who)
    if members is None or i not in members or len(members) < 2:
        return False if who(view, i) is False else None
    if way in ("left", "right"):
        x = mirrored(view, way)
        first, second = sorted(x[j] for j in members)[:2]
        return (x[i] == first) if second - first > 0.08 else None
    d = {j: view.depth[j] if way == "nearer" else 1 / max(view.depth[j], 1e-6) for j in members}
    first, second = sorted(d.values())[:2]
    return (d[i] == first) if first < 0.8 * second else None


def faces(view: View, i: int, way: str) -> Truth:
    """Whether person i faces a way in the picture; unsure near the borders, where the shoulders tell."""
    person = view.people[i]
    if person.posture in FLAT:
        return None
    truth, turn = person.facing == way, view.frontal(i)
    if truth and not view.seen(i, "top"):
        return None
    if turn is None:
        return truth
    if person.posture not in (*TALL, "sitting"):  # the trunk is foreshortened
        return None if truth else False
    sure = {"camera": turn > 0.43, "away": turn < -0.43}.get(way, abs(turn) < 0.28)
    possible = {"camera": turn > 0.28, "away": turn < -0.28}.get(way, abs(turn) < 0.46)
    opposite = {way, person.facing} in ({"left", "right"}, {"camera", "away"})
    return True if truth and sure else None if truth or (possible and not opposite) else False


def crowd(view: View, who: Fits) -> int:
    """How many people a noun may fit."""
    return sum(every([who(view, j)]) is not False for j in view.ids)
