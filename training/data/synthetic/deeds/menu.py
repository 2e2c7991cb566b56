"""What there is to do: the deeds of one person by posture, and the AVA actions each may give."""

from collections.abc import Callable
from typing import Any

from . import gestures, handling, motions, moves, working

Whole = Callable[..., motions.Deed]  # (body, t, rng)
OnTop = Callable[..., motions.Deed]  # (deed of a posture, body, rng)

POSTURES: tuple[Whole, ...] = (
    motions.stand, motions.walk, motions.run, motions.sit, motions.sit_floor, motions.crouch, motions.bend,
    motions.crawl, motions.lie, moves.jump, moves.dance, moves.martial, moves.fall, moves.get_up,
)  # fmt: skip
HANDLING: tuple[Whole, ...] = (
    handling.pick_up, handling.put_down, handling.push, handling.pull, handling.ride, handling.kick_ball,
    handling.throw, handling.catch, working.dig, working.hammer, working.punch_bag, working.touch, working.cut,
    working.cook, working.paint, working.write_board, working.open_door, working.close_door, working.play_keys,
    working.climb, working.turn_wheel,
)  # fmt: skip
_ANYWHERE: tuple[OnTop, ...] = (
    gestures.phone_ear, gestures.phone_text, gestures.read, gestures.drink, gestures.eat, gestures.smoke,
    gestures.photograph, gestures.listen_music, gestures.point, gestures.clap, gestures.hand_wave,
    gestures.gesticulate,
)  # fmt: skip
SOLO: tuple[OnTop, ...] = (
    *_ANYWHERE, gestures.carry, gestures.write_pad, gestures.brush_teeth, gestures.sing, gestures.guitar,
    gestures.violin, gestures.fish,
)  # fmt: skip
SEATED: tuple[OnTop, ...] = (
    *_ANYWHERE, gestures.carry_seated, gestures.write_pad, gestures.guitar, gestures.fish, working.computer,
    working.write, working.watch_tv, working.board_game,
)  # fmt: skip
ON_FLOOR: tuple[OnTop, ...] = (
    gestures.phone_ear, gestures.phone_text, gestures.read, gestures.drink, gestures.eat, gestures.smoke,
    gestures.listen_music, gestures.point, gestures.clap, gestures.hand_wave, gestures.gesticulate,
)  # fmt: skip
WALKING: tuple[OnTop, ...] = (
    gestures.phone_ear, gestures.phone_text, gestures.carry, gestures.drink, gestures.eat, gestures.smoke,
    gestures.listen_music, gestures.hand_wave,
)  # fmt: skip
ON_TOP: dict[Whole, tuple[OnTop, ...]] = {
    motions.stand: SOLO, motions.sit: SEATED, motions.sit_floor: ON_FLOOR, motions.walk: WALKING,
}  # fmt: skip

# Every action a deed may give; what is done on top of a posture adds to the posture's own.
GIVES: dict[Callable[..., Any], tuple[int, ...]] = {
    motions.stand: (12,), motions.walk: (14,), motions.run: (10,), motions.sit: (11,), motions.sit_floor: (11,),
    motions.crouch: (3,), motions.bend: (1,), motions.crawl: (2,), motions.lie: (8,), moves.jump: (7,),
    moves.dance: (4,), moves.martial: (9,), moves.fall: (5,), moves.get_up: (6,),
    handling.pick_up: (1, 12, 36), handling.put_down: (1, 12, 47), handling.push: (14, 46), handling.pull: (14, 45),
    handling.ride: (11, 49), handling.kick_ball: (12, 35), handling.throw: (12, 58), handling.catch: (12, 18),
    working.dig: (1, 12, 25, 53), working.hammer: (12, 34), working.punch_bag: (12, 34), working.touch: (12, 59),
    working.cut: (12, 19, 24), working.cook: (12, 23, 55), working.paint: (12, 39), working.write_board: (12, 63),
    working.open_door: (12, 38), working.close_door: (12, 22), working.play_keys: (12, 41), working.climb: (12, 20),
    working.turn_wheel: (12, 60), working.board_game: (40,),
    gestures.phone_ear: (15,), gestures.phone_text: (57,), gestures.read: (17, 48), gestures.drink: (17, 27),
    gestures.eat: (29,), gestures.smoke: (54,), gestures.photograph: (56,), gestures.listen_music: (37,),
    gestures.point: (43,), gestures.clap: (67,), gestures.hand_wave: (69,), gestures.gesticulate: (79,),
    gestures.carry: (17,), gestures.carry_seated: (17,), gestures.write_pad: (63,), gestures.brush_teeth: (16,),
    gestures.sing: (77,), gestures.guitar: (41,), gestures.violin: (41,), gestures.fish: (33,),
    working.computer: (62,), working.write: (63,), working.watch_tv: (61,),
}  # fmt: skip

# What children do not do.
GROWN_UP: tuple[Callable[..., Any], ...] = (gestures.smoke, working.cut, working.cook)
# Where deeds belong that do not belong everywhere.
INSIDE: tuple[Callable[..., Any], ...] = (
    working.cut, working.cook, working.open_door, working.close_door, working.write_board, working.watch_tv,
    working.computer, gestures.brush_teeth,
)  # fmt: skip
OUTSIDE: tuple[Callable[..., Any], ...] = (working.dig, gestures.fish, handling.ride)
