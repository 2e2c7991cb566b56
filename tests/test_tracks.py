"""Following people and deciding whom a sentence means over time, on constructed detections."""

import numpy as np
import pytest

from refatomnet.tracks import BRIDGED_S, Track, Tracker, meant_frames, steady_presence, who_is_meant

RED, BLUE = np.array([1.0, 0.0]), np.array([0.0, 1.0])
FPS, STEP = 30, 10


def box(x, y=50.0, width=20.0, height=60.0):
    return np.array([x, y, x + width, y + height])


def follow(pictures, *, shots=None, looks=None, scores=None):
    """Tracker and the tracks of each picture's boxes; a picture a third of a second."""
    tracker, numbers = Tracker(), []
    for k, boxes in enumerate(pictures):
        count = len(boxes)
        numbers.append(
            tracker.step(
                k * STEP,
                k * STEP / FPS,
                np.array(boxes).reshape(-1, 4),
                np.array(scores[k]) if scores else np.full(count, 0.9),
                np.array(looks[k]) if looks else np.tile(RED, (count, 1)),
                shot=shots[k] if shots else 0,
            )
        )
    return tracker, numbers


def test_a_walker_is_followed_though_their_boxes_do_not_overlap():
    tracker, numbers = follow([[box(25 * k)] for k in range(6)])
    assert numbers == [[0]] * 6 and len(tracker.tracks) == 1


def test_two_who_cross_keep_their_tracks():
    pictures = [[box(20 * k), box(160 - 20 * k)] for k in range(9)]
    _, numbers = follow(pictures)
    assert numbers == [[0, 1]] * 9, "they go on straight"
    hidden = [boxes if k != 4 else boxes[:1] for k, boxes in enumerate(pictures)]
    _, numbers = follow(hidden)
    assert numbers[-1] == [0, 1], "one hides the other for a moment"


def test_looks_decide_where_motion_does_not():
    pictures = [[box(0), box(200)], [box(0), box(200)], [box(95), box(105)]]
    looks = [[RED, BLUE], [RED, BLUE], [BLUE, RED]]
    _, numbers = follow([[box(90), box(110)]] * 2 + [[box(99), box(101)]], looks=looks)
    assert numbers[-1] == [1, 0]
    _, numbers = follow(pictures, looks=looks)
    assert numbers[-1] == [2, 3], "nobody jumps across the picture"


def test_an_occlusion_is_bridged_for_a_second_and_no_longer():
    gap = round(BRIDGED_S * FPS / STEP)
    _, numbers = follow([[box(0)], *[[]] * (gap - 1), [box(0)]])
    assert numbers[-1] == [0]
    tracker, numbers = follow([[box(0)], *[[]] * gap, [box(0)]])
    assert numbers[-1] == [1] and len(tracker.tracks) == 2


def test_a_cut_ends_everybody_and_boxes_reach_it():
    tracker, numbers = follow([[box(0)], [box(0)], [box(0)], [box(0)]], shots=[0, 0, 15, 15])
    assert numbers == [[0], [0], [1], [1]]
    assert (tracker.tracks[0].frames[-1], tracker.tracks[1].frames[0]) == (14, 15)


def test_doubtful_detections_go_on_but_begin_nothing():
    pictures = [[box(0), box(200)]] * 3
    _, numbers = follow(pictures, scores=[[0.9, 0.35], [0.35, 0.3], [0.9, 0.01]])
    assert numbers == [[0, -1]] * 3


def test_the_same_picture_again_changes_nothing():
    tracker = Tracker()
    given = (0, 0.0, np.array([box(0)]), np.array([0.9]), np.array([RED]))
    assert tracker.step(*given, shot=0) == tracker.step(*given, shot=0) == [0]
    assert list(tracker.tracks[0].frames) == [0]


def test_boxes_between_pictures_are_straight_and_do_not_lag():
    track = Track([0, 10, 20], [box(0), box(10), box(40)])
    boxes = track.between(-5, 99)
    assert list(boxes) == list(range(21))
    assert [boxes[n][0] for n in (0, 5, 10, 15, 20)] == [0, 5, 10, 25, 40]
    assert track.between(30, 40) == {}
    jitter = Track([0, 10, 20], [box(0), box(-2, width=24.0), box(0)]).between(0, 20)
    assert jitter[10][2] - jitter[10][0] == pytest.approx(22) and jitter[10][[0, 2]].mean() == pytest.approx(10)


def test_a_lone_key_frame_keeps_its_probabilities():
    (chance,) = who_is_meant([0.7], [np.array([0.6, 0.4])], [[0, 1]], [False])
    assert chance == pytest.approx([0.6, 0.4])
    assert steady_presence([0.7], [0]) == pytest.approx([0.7])


def test_a_doubtful_key_frame_follows_its_neighbours_on_the_track():
    shares = [np.array([0.9, 0.1]), np.array([0.4, 0.6]), np.array([0.9, 0.1])]
    chances = who_is_meant([0.95, 0.4, 0.95], shares, [[0, 1]] * 3, [False] * 3)
    assert chances[1][0] > 0.9, "the same person is meant"
    apart = who_is_meant([0.95, 0.4, 0.95], shares, [[0, 1]] * 3, [False, True, True])
    assert apart[1] == pytest.approx([0.4, 0.6]), "but not across cuts"
    for chance in chances + apart:
        assert chance.sum() == pytest.approx(1)


def test_who_comes_back_on_another_track_is_found_again():
    shares = [np.array([0.9, 0.1]), np.array([1.0]), np.array([0.8, 0.2])]
    chances = who_is_meant([0.95, 0.2, 0.95], shares, [[0, 1], [1], [2, 1]], [False] * 3)
    assert chances[0][0] > 0.8 and chances[2][0] > 0.5, "the one seen all along was not meant before"


def test_key_frames_without_people_part_what_lies_around_them():
    share = np.array([0.7, 0.3])
    chances = who_is_meant([0.9, 0.0, 0.9], [share, np.zeros(0), share], [[0, 1], [], [0, 1]], [False] * 3)
    assert len(chances[1]) == 0 and chances[0] == pytest.approx(share) and chances[2] == pytest.approx(share)


def test_presence_is_averaged_along_a_track_and_never_piles_up():
    assert steady_presence([0.8] * 20, [3] * 20) == pytest.approx([0.8] * 20)
    steady = steady_presence([0.9, 0.4, 0.9, 0.1], [0, 0, 0, 1])
    assert 0.6 < steady[1] < 0.9 and steady[3] == pytest.approx(0.1), "another track is another person"
    assert steady_presence([0.9, 0.4], [-1, -1]) == pytest.approx([0.9, 0.4]), "without a track each stands alone"


def test_frames_run_from_the_first_found_key_frame_to_the_last():
    tracks = [Track([0, 100], [box(0), box(100)]), Track([0, 100], [box(300), box(300)])]
    boxes = meant_frames([10, 20, 30, 40], [None, 0, 0, None], tracks, [])
    assert list(boxes) == list(range(20, 31)) and boxes[25][0] == 25
    assert meant_frames([10, 20], [None, None], tracks, []) == {}


def test_who_is_lost_in_between_ends_where_they_left():
    tracks = [Track([0, 24], [box(0), box(24)]), Track([36, 60], [box(36), box(60)])]
    boxes = meant_frames([10, 20, 30, 40, 50], [0, 0, None, 1, 1], tracks, [])
    assert list(boxes) == [*range(10, 25), *range(36, 51)]


def test_who_stays_though_they_are_not_found_ends_halfway():
    tracks = [Track([0, 60], [box(0), box(60)])]
    assert list(meant_frames([10, 20, 30], [0, None, 0], tracks, [])) == [*range(10, 15), *range(25, 31)]


def test_a_cut_hands_over():
    tracks = [Track([0, 26], [box(0), box(0)]), Track([27, 60], [box(300), box(300)])]
    boxes = meant_frames([20, 30], [0, 1], tracks, [27])
    assert list(boxes) == list(range(20, 31))
    assert boxes[26][0] == 0 and boxes[27][0] == 300


def test_where_tracks_were_mixed_up_the_closest_moment_hands_over():
    tracks = [Track([0, 50], [box(0), box(250)]), Track([0, 50], [box(120), box(-130)])]  # they meet at frame 12
    boxes = meant_frames([10, 30], [0, 1], tracks, [])
    assert boxes[11][0] == 55 and boxes[12][0] == 60 and boxes[13][0] == 55 and boxes[25][0] == -5
    apart = [Track([0, 50], [box(0), box(0)]), Track([0, 50], [box(300), box(300)])]
    assert [boxes[0] for boxes in meant_frames([10, 30], [0, 1], apart, []).values()] == [0] * 10 + [300] * 11
