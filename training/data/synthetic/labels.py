"""Which of the actions that people do can be seen, and so are labels."""

from dataclasses import replace

import numpy as np

from .deeds.motions import Deed
from .facts import Person
from .people.bodies import ARM, CHEST, HEAD, LEG, ROOT
from .stage import Actor

NEAR = 1.51  # seconds about the key frame that labels speak of
MIN_SEEN = 0.3  # share of the frames around the key frame in which an action's joints and props must be seen
MIN_PROP = 7  # pixels of the working frame
FIXTURE = 10  # times as many of a piece of furniture
MOVEMENTS = frozenset(range(1, 15))
AT_MOUTH, MOST_TURNED = frozenset((16, 27, 29, 54, 77)), -0.45
SHARED = frozenset((64, 68, 70, 75))
TOGETHER = frozenset((64, 65, 66, 68, 70, 71, 72, 73, 74, 75, 76, 78, 80))  # what takes two
KNEES = [LEG[1][1], LEG[-1][1]]
HANDS = frozenset(j for g in (1, -1) for j in ARM[g][1:])
UPPER, LOWER = (CHEST, HEAD), (ROOT, *LEG[1][:2], *LEG[-1][:2])


def seen_actions(
    deed: Deed,
    pixels: dict[str, np.ndarray],
    joints_seen: np.ndarray,
    near: np.ndarray,
    *,
    company: float | None,
    turned: np.ndarray,
) -> set[int]:
    """The deed's actions that a viewer can see.

    A movement is seen by the trunk or head together with a hip or a knee. Anything else by the joints it shows, of
    the hands and forearms one being enough; where it needs a thing, by that thing in place of the hands.

    Args:
        deed: With the joints that each action shows, and the thing that it needs.
        pixels: Visible pixels of its props and fixtures by name, (T,).
        joints_seen: (T, J).
        near: The frames within a second and a half of the key frame (T,).
        company: How much is seen of the best seen of those acted with, a share; None where there is nobody.
        turned: Cosine of the angle between the way to the camera and where the body points (T,).
    """
    seen = joints_seen[near].mean(0) >= MIN_SEEN
    seen[KNEES] = seen[KNEES].any()  # either will do
    there = {name for name, count in pixels.items() if (count[near] >= MIN_PROP).mean() >= MIN_SEEN}

    def visible(a: int) -> bool:
        if a in TOGETHER and company is not None and company < MIN_SEEN:
            return False
        if a in AT_MOUTH and (turned[near] > MOST_TURNED).mean() < MIN_SEEN:
            return False
        if a in MOVEMENTS:
            return bool(seen[list(UPPER)].any() and seen[list(LOWER)].any())
        hands = [seen[j] for j in deed.shows.get(a, ()) if j in HANDS]
        shown = deed.needs[a] in there if a in deed.needs else any(hands) or not hands
        return bool(shown and all(seen[j] for j in deed.shows.get(a, ()) if j not in HANDS))

    return {a for a in deed.actions if visible(a)}


def with_shared(people: list[Person], k: int, actor: Actor, near: np.ndarray) -> Person:
    """A person with the actions that are seen of both as soon as they are seen of one."""
    me = people[k]
    if (me.visible[near] >= 0.2).mean() < MIN_SEEN:
        return me
    theirs = {a for j in actor.partners for a in people[j].actions}
    return replace(me, actions=tuple(sorted({*me.actions, *(theirs & SHARED & set(actor.deed.actions))})))
