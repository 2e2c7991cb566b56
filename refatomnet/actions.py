"""The 80 atomic actions of AVA v2.2 (Gu et al., CVPR 2018): ids 1 to 80, names and groups."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One atomic action: its AVA id (1-80), name, group, and whether AVA's 60-class evaluation uses it."""

    id: int
    name: str
    group: str
    in_ava_60: bool


MOVEMENT = "person movement"
OBJECT = "object manipulation"
INTERACTION = "person interaction"
GROUPS = (MOVEMENT, OBJECT, INTERACTION)

ACTIONS: tuple[Action, ...] = (
    Action(1, "bend/bow (at the waist)", MOVEMENT, True),
    Action(2, "crawl", MOVEMENT, False),
    Action(3, "crouch/kneel", MOVEMENT, True),
    Action(4, "dance", MOVEMENT, True),
    Action(5, "fall down", MOVEMENT, True),
    Action(6, "get up", MOVEMENT, True),
    Action(7, "jump/leap", MOVEMENT, True),
    Action(8, "lie/sleep", MOVEMENT, True),
    Action(9, "martial art", MOVEMENT, True),
    Action(10, "run/jog", MOVEMENT, True),
    Action(11, "sit", MOVEMENT, True),
    Action(12, "stand", MOVEMENT, True),
    Action(13, "swim", MOVEMENT, True),
    Action(14, "walk", MOVEMENT, True),
    Action(15, "answer phone", OBJECT, True),
    Action(16, "brush teeth", OBJECT, False),
    Action(17, "carry/hold (an object)", OBJECT, True),
    Action(18, "catch (an object)", OBJECT, False),
    Action(19, "chop", OBJECT, False),
    Action(20, "climb (e.g., a mountain)", OBJECT, True),
    Action(21, "clink glass", OBJECT, False),
    Action(22, "close (e.g., a door, a box)", OBJECT, True),
    Action(23, "cook", OBJECT, False),
    Action(24, "cut", OBJECT, True),
    Action(25, "dig", OBJECT, False),
    Action(26, "dress/put on clothing", OBJECT, True),
    Action(27, "drink", OBJECT, True),
    Action(28, "drive (e.g., a car, a truck)", OBJECT, True),
    Action(29, "eat", OBJECT, True),
    Action(30, "enter", OBJECT, True),
    Action(31, "exit", OBJECT, False),
    Action(32, "extract", OBJECT, False),
    Action(33, "fishing", OBJECT, False),
    Action(34, "hit (an object)", OBJECT, True),
    Action(35, "kick (an object)", OBJECT, False),
    Action(36, "lift/pick up", OBJECT, True),
    Action(37, "listen (e.g., to music)", OBJECT, True),
    Action(38, "open (e.g., a window, a car door)", OBJECT, True),
    Action(39, "paint", OBJECT, False),
    Action(40, "play board game", OBJECT, False),
    Action(41, "play musical instrument", OBJECT, True),
    Action(42, "play with pets", OBJECT, False),
    Action(43, "point to (an object)", OBJECT, True),
    Action(44, "press", OBJECT, False),
    Action(45, "pull (an object)", OBJECT, True),
    Action(46, "push (an object)", OBJECT, True),
    Action(47, "put down", OBJECT, True),
    Action(48, "read", OBJECT, True),
    Action(49, "ride (e.g., a bike, a car, a horse)", OBJECT, True),
    Action(50, "row boat", OBJECT, False),
    Action(51, "sail boat", OBJECT, True),
    Action(52, "shoot", OBJECT, True),
    Action(53, "shovel", OBJECT, False),
    Action(54, "smoke", OBJECT, True),
    Action(55, "stir", OBJECT, False),
    Action(56, "take a photo", OBJECT, True),
    Action(57, "text on/look at a cellphone", OBJECT, True),
    Action(58, "throw", OBJECT, True),
    Action(59, "touch (an object)", OBJECT, True),
    Action(60, "turn (e.g., a screwdriver)", OBJECT, True),
    Action(61, "watch (e.g., TV)", OBJECT, True),
    Action(62, "work on a computer", OBJECT, True),
    Action(63, "write", OBJECT, True),
    Action(64, "fight/hit (a person)", INTERACTION, True),
    Action(65, "give/serve (an object) to (a person)", INTERACTION, True),
    Action(66, "grab (a person)", INTERACTION, True),
    Action(67, "hand clap", INTERACTION, True),
    Action(68, "hand shake", INTERACTION, True),
    Action(69, "hand wave", INTERACTION, True),
    Action(70, "hug (a person)", INTERACTION, True),
    Action(71, "kick (a person)", INTERACTION, False),
    Action(72, "kiss (a person)", INTERACTION, True),
    Action(73, "lift (a person)", INTERACTION, True),
    Action(74, "listen to (a person)", INTERACTION, True),
    Action(75, "play with kids", INTERACTION, False),
    Action(76, "push (another person)", INTERACTION, True),
    Action(77, "sing to (e.g., self, a person, a group)", INTERACTION, True),
    Action(78, "take (an object) from (a person)", INTERACTION, True),
    Action(79, "talk to (e.g., self, a person, a group)", INTERACTION, True),
    Action(80, "watch (a person)", INTERACTION, True),
)
NUM_ACTIONS = len(ACTIONS)
_BY_NAME = {action.name: action for action in ACTIONS}


def action(id_or_name: int | str) -> Action:
    """The action with this AVA id (1-80) or exact name; ``KeyError`` when there is none."""
    if isinstance(id_or_name, str):
        return _BY_NAME[id_or_name]
    if not 1 <= id_or_name <= NUM_ACTIONS:
        raise KeyError(f"AVA action ids run from 1 to {NUM_ACTIONS}, got {id_or_name}")
    return ACTIONS[id_or_name - 1]
