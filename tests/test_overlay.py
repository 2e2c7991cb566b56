"""Annotated video out: frames, timing and sound of the analysed part, legible texts, the rest undisturbed."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from test_video import make_video, number_of, numbered_image

from refatomnet import overlay, pictures, video
from refatomnet.actions import action
from refatomnet.errors import Cancelled, VideoError
from refatomnet.overlay import Note, Style
from refatomnet.types import ActionScore, Box, KeyFrame, Query, Result, TrackPoint, VideoInfo

SCORES = (ActionScore(action(12), 0.93), ActionScore(action(80), 0.61), ActionScore(action(17), 0.05))


def query(sentence: str, frames: int, fps: float, box: Box | None, found: Sequence[bool] | None = None) -> Query:
    """One key frame a second from 0 s; a track wherever the nearest key frame found the person."""
    seconds = max(1, int(frames / fps))
    found = found or [box is not None] * seconds
    keys = tuple(
        KeyFrame(float(t), int(t * fps), fits, 0.9 if fits else 0.1, box if fits else None, SCORES if fits else ())
        for t, fits in enumerate(found)
    )
    shown = [n for n in range(frames) if box and found[min(round(n / fps), len(found) - 1)]]
    track = tuple(TrackPoint(n, box) for n in shown) if box else ()
    return Query(sentence, any(found), 0.9, keys, (), track)


def result_of(path: Path, *boxes: Box | None, start: float = 0.0, end: float | None = None) -> Result:
    info = video.probe(path)
    queries = tuple(query(f"person {n}", info.frames, info.fps, box) for n, box in enumerate(boxes))
    return Result(info, start, info.duration if end is None else end, 1.0, {}, queries)


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def sound_level(path: Path) -> tuple[str, float, float]:
    """Codec, seconds heard and root mean square of the sound."""
    with av.open(str(path)) as file:
        codec = file.streams.audio[0].codec_context.codec.canonical_name
        heard = [(float(frame.pts * frame.time_base), frame.to_ndarray()) for frame in file.decode(audio=0)]
        seconds = heard[-1][0] + heard[-1][1].shape[1] / 44100
        loud = np.concatenate([samples.ravel() for _, samples in heard])
    return codec, seconds, float(np.sqrt(np.mean(loud.astype(float) ** 2)))


def test_the_annotated_video_is_plain_h264_with_the_same_frames_and_the_sound(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", size=(320, 180), sound="aac")
    out = tmp_path / "out.mp4"
    result_of(path, (100, 60, 160, 150)).save_video(out)
    with av.open(str(out)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames) == (320, 180, 30)
        assert stream.start_time == 0
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    frames = list(video.read_frames(out))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(30)])
    assert video.probe(out).duration == pytest.approx(3.0)
    codec, seconds, level = sound_level(out)
    assert codec == "aac"
    assert seconds == pytest.approx(3.0, abs=0.06)
    assert level > 0.1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("name", "sound", "kept"),
    [("a.mkv", "mp3", "mp3"), ("a.ts", "aac", "aac"), ("a.mkv", "flac", "aac"), ("a.avi", "pcm_s16le", "aac")],
)
def test_sound_is_copied_where_mp4_can_carry_it_and_encoded_elsewhere(
    tmp_path: Path, name: str, sound: str, kept: str
) -> None:
    path = make_video(tmp_path / name, codec="mpeg4" if name == "a.avi" else "libx264", sound=sound)
    result_of(path, None).save_video(tmp_path / "out.mp4")
    codec, seconds, level = sound_level(tmp_path / "out.mp4")
    assert codec == kept
    assert seconds == pytest.approx(3.0, abs=0.08)
    assert level > 0.1


@pytest.mark.parametrize("sound", ["aac", "flac"])
def test_a_part_keeps_its_frames_and_its_sound(tmp_path: Path, sound: str) -> None:
    path = make_video(tmp_path / "clip.mkv", size=(320, 180), sound=sound)
    out = tmp_path / "out.mp4"
    result_of(path, (20, 100, 60, 170), start=1.2, end=2.5).save_video(out)
    frames = list(video.read_frames(out))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(13)])
    assert [number_of(frame.image[:40]) for frame in frames] == list(range(12, 25))
    assert sound_level(out)[1] == pytest.approx(1.3, abs=0.06)


def test_variable_frame_rate_is_kept(tmp_path: Path) -> None:
    stamps = [0, 100, 150, 400, 410, 900, 1000, 1300]
    path = make_video(tmp_path / "vfr.mp4", 8, stamps=[7 + stamp for stamp in stamps])
    result_of(path, (20, 20, 60, 60)).save_video(tmp_path / "out.mp4")
    times = [frame.time for frame in video.read_frames(tmp_path / "out.mp4")]
    assert times == pytest.approx([stamp / 1000 for stamp in stamps], abs=1e-4)


def test_odd_and_turned_videos_come_out_upright_and_even(tmp_path: Path) -> None:
    odd = make_video(tmp_path / "odd.avi", 4, size=(321, 241), codec="mpeg4")
    result_of(odd, (100, 100, 321, 241)).save_video(tmp_path / "odd.mp4")
    info = video.probe(tmp_path / "odd.mp4")
    assert (info.width, info.height, info.frames) == (320, 240, 4)
    for turns in range(4):
        turned = make_video(tmp_path / f"turned{turns}.mp4", 4, size=(320, 180), rotation=90 * turns)
        result_of(turned, None).save_video(tmp_path / "out.mp4")
        before, after = (list(video.read_frames(file)) for file in (turned, tmp_path / "out.mp4"))
        assert [frame.image.shape for frame in before] == [frame.image.shape for frame in after]
        corner = np.s_[-60:, -60:]
        for one, other in zip(before, after, strict=True):
            assert np.abs(one.image[corner].astype(int) - other.image[corner]).mean() < 6


def test_one_frame_can_be_annotated(tmp_path: Path) -> None:
    path = make_video(tmp_path / "one.mp4", 1, size=(320, 180))
    result_of(path, (100, 60, 160, 150)).save_video(tmp_path / "out.mp4")
    assert video.probe(tmp_path / "out.mp4").frames == 1


def test_a_picture_can_be_annotated(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(numbered_image(9, 200, 100)).save(tmp_path / "one.png")
    result_of(tmp_path / "one.png", (100, 60, 160, 90)).save_video(tmp_path / "out.mp4")
    frame = next(video.read_frames(tmp_path / "out.mp4"))
    assert frame.image.shape == (100, 200, 3)


def test_the_video_shows_what_the_pictures_show(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", [grey(480, 270)] * 5)
    result = result_of(path, (200, 100, 300, 260), None)
    result.save_video(tmp_path / "out.mp4")
    source, written = (list(video.read_frames(file))[2] for file in (path, tmp_path / "out.mp4"))
    drawn = overlay.annotate_frame(source.image, 2, source.time, result)
    assert np.abs(drawn.astype(int) - written.image).mean() < 4
    untouched = ~changed(source.image, drawn)
    assert untouched.mean() > 0.6
    # Away from the edges of what was drawn, whose colours the encoder smears by a few pixels.
    far = np.ones_like(untouched)
    ys, xs = np.nonzero(~untouched)
    far[max(ys.min() - 8, 0) : ys.max() + 8, max(xs.min() - 8, 0) : xs.max() + 8] = False
    assert np.abs(source.image[far].astype(int) - written.image[far]).max(initial=0) < 8


def test_nothing_is_left_behind_when_cancelled_or_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "clip.mp4", sound="aac")
    result = result_of(path, (20, 20, 60, 60))
    fractions: list[float] = []
    with pytest.raises(Cancelled):
        overlay.write_annotated(
            result, tmp_path / "out.mp4", progress=fractions.append, cancelled=lambda: len(fractions) == 12
        )
    assert len(fractions) == 12

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(overlay, "_paint_yuv", fail)
    with pytest.raises(RuntimeError):
        overlay.write_annotated(result, tmp_path / "out.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_progress_ends_at_one(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4")
    fractions: list[float] = []
    overlay.write_annotated(result_of(path, None, start=1, end=2), tmp_path / "out.mp4", progress=fractions.append)
    assert fractions == pytest.approx([n / 10 for n in range(1, 11)])


def test_output_that_cannot_be_written_gives_one_sentence(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 3)
    result = result_of(path, None)
    before = path.read_bytes()
    (tmp_path / "file").touch()
    for target in (tmp_path / "no" / "folder.mp4", tmp_path, path, tmp_path / "file" / "out.mp4"):
        with pytest.raises(VideoError, match="cannot write") as caught:
            overlay.write_annotated(result, target)
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    path.unlink()
    with pytest.raises(VideoError, match="does not exist"):
        overlay.write_annotated(result, tmp_path / "out.mp4")


def test_a_part_without_frames_is_an_error(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 3)
    with pytest.raises(VideoError, match="no frame between"):
        overlay.write_annotated(result_of(path, None, start=5, end=6), tmp_path / "out.mp4")


@pytest.mark.parametrize("size", [(320, 180), (320, 256), (768, 432), (1080, 1920), (1920, 1080)])
def test_labels_are_legible_and_inside_the_frame(size: tuple[int, int]) -> None:
    width, height = size
    style = Style(*size)
    assert style.letters >= 11
    assert style.letters >= min(size) / 50
    sentence = "the man with the naïve façade who is walking a very long way past everything " * 3
    for box in ((0, 0, width, height), (width - 20, 0, width, 40), (0, height - 30, 10, height), (-5, -5, width, 9)):
        marks = overlay._layout([Note(sentence, box, ("stand 93%", "talk to 60%", "carry/hold 41%"))], style, {})
        for mark in marks:
            x1, y1, x2, y2 = mark.area
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height
            assert not any(value % 2 for value in mark.area)


def test_tiny_frames_can_be_drawn_on() -> None:
    for size in ((16, 16), (17, 33), (40, 16)):
        drawn = overlay.draw(grey(*size), [Note("somebody", (2, 2, 9, 9), ("stand 93%",)), Note("nobody", None)])
        assert drawn.shape == (size[1], size[0], 3)


def test_only_the_box_and_its_label_are_painted() -> None:
    image = grey(640, 360)
    drawn = overlay.draw(image, [Note("the woman in red", (300, 200, 400, 340), ("sit 80%",))])
    assert (image == 128).all()
    where = changed(image, drawn)
    line = Style(640, 360).line
    assert where[200 - line : 340 + line, 300 - line : 400 + line].any()
    assert not where[200:340, 300:400].any()
    assert not where[:, : 300 - line - 2].any()
    assert not where[340 + line + 2 :].any()
    assert not where[:100].any()


def test_every_sentence_has_its_own_colour_and_labels_do_not_hide_each_other() -> None:
    notes = [Note(f"person {n}", (200, 100, 300, 350), ("stand 90%",), overlay.PALETTE[n]) for n in range(3)]
    notes.append(Note("a horse", None, (), overlay.PALETTE[3]))
    marks = overlay._layout(notes, Style(640, 360), {})
    texts = [mark.area for mark in marks if mark.patch.rgb.shape[0] > 1]
    assert len(texts) == 4
    for number, one in enumerate(texts):
        assert all(overlay._shared(one, other) == 0 for other in texts[:number])
    drawn = overlay.draw(grey(640, 360), notes)
    for note in notes:
        assert (drawn == note.colour).all(axis=2).sum() > 20


def test_a_label_stays_on_its_side_while_it_fits() -> None:
    style = Style(640, 360)
    sides: dict[Note, int] = {}
    tall = overlay._label("person", ("stand 90%",), overlay.PALETTE[0], style).rgb.shape[0] + style.line
    tops = []
    for y in (tall + 20, tall - 6, tall + 20):
        marks = overlay._layout([Note("person", (200, y, 300, 250), ("stand 90%",))], style, sides)
        tops.append(marks[-1].area[1])
    assert tops[0] < tall < 250 <= tops[1]
    assert tops[2] >= 250


def test_nobody_matches_is_said_where_nobody_was_found() -> None:
    info = VideoInfo("clip.mp4", 640, 360, 10.0, 40, 4.0)
    asked = query("the dancer", 40, 10, (300, 200, 400, 340), found=[True, False, False, True])
    result = Result(info, 0, 4, 1.0, {}, (asked,))
    shown = overlay.Overlay(result, 640, 360)
    assert [bool(shown.notes(n, n / 10)[0].box_xyxy) for n in (0, 4, 10, 20, 30, 39)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    (note,) = shown.notes(0, 0.0)
    assert note.actions == ("stand 93%", "watch (a person) 61%")
    image = grey(640, 360)
    corner = changed(image, overlay.annotate_frame(image, 15, 1.5, result))
    assert corner[:40, :200].any()
    assert not corner[60:].any()


def test_a_person_out_of_sight_for_a_moment_is_not_called_missing() -> None:
    info = VideoInfo("clip.mp4", 640, 360, 10.0, 40, 4.0)
    asked = query("the dancer", 40, 10, (300, 200, 400, 340))
    hidden = Query(asked.sentence, True, 0.9, asked.keyframes, (), asked.track[:12] + asked.track[18:])
    shown = overlay.Overlay(Result(info, 0, 4, 1.0, {}, (hidden,)), 640, 360)
    assert shown.notes(14, 1.4) == []
    assert shown.notes(20, 2.0)


def test_boxes_follow_the_scale_of_the_picture() -> None:
    info = VideoInfo("clip.mp4", 640, 360, 10.0, 1, 0.1)
    result = Result(info, 0, 0.1, 1.0, {}, (query("one", 1, 10, (320, 180, 640, 360)),))
    (note,) = overlay.Overlay(result, 320, 180).notes(0, 0.0)
    assert note.box_xyxy == (160, 90, 320, 180)


def test_accents_are_drawn_and_long_texts_shortened() -> None:
    font = overlay._font(16, False)
    missing = bytes(font.getmask("\uffff"))
    assert all(bytes(font.getmask(letter)) != missing for letter in "éßøŁğЖΩ…·")
    (line,) = overlay._wrapped(("word " * 50).split(), " ", font, 200, 1)
    assert line.endswith("…")
    assert 150 < font.getlength(line) <= 200
    assert overlay._wrapped(("stand 93%", "talk to 60%", "sit 3%"), " · ", font, 210, 1, drop=True) == [
        "stand 93% · talk to 60%"
    ]


def test_no_two_actions_share_a_short_name() -> None:
    from refatomnet.actions import ACTIONS

    assert len({overlay._short(entry.name) for entry in ACTIONS}) == len(ACTIONS)


def test_colours_survive_the_way_through_yuv() -> None:
    for colour in overlay.PALETTE:
        for code, bt709 in ((1, True), (6, False)):
            y, u, v = overlay.Patch(np.full((2, 2, 3), colour, np.uint8)).yuv(bt709)
            frame = av.VideoFrame(16, 16, "yuv420p")
            for plane, value in zip(pictures.planes(frame), (y, u, v), strict=True):
                plane[:] = value[0, 0]
            frame.colorspace, frame.color_range = code, 1
            assert np.abs(frame.to_ndarray(format="rgb24")[4, 4].astype(int) - colour).max() <= 4


def test_the_writer_keeps_uneven_times_and_low_rates(tmp_path: Path) -> None:
    with video.VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=1 / 7, time_base=Fraction(1, 1000)) as writer:
        for pts in (0, 7000, 7000, 21000):
            writer.write(av.VideoFrame.from_ndarray(grey(64, 48), format="rgb24").reformat(format="yuv420p"), pts)
    assert [round(frame.time, 3) for frame in video.read_frames(tmp_path / "a.mp4")] == [0, 7, 7.001, 21]
