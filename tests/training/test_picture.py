"""The pictures of the README: they are there, small enough, and only of samples."""

from conftest import ASSETS, ROOT
from PIL import Image

from training.picture import FILM, PICTURE, main


def test_both_pictures_are_in_the_readme_and_small():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, most in ((PICTURE, 300_000), (FILM, 2_500_000)):
        assert f"](assets/{name})" in readme
        assert (ASSETS / name).stat().st_size < most
    with Image.open(ASSETS / PICTURE) as picture:
        assert picture.width == 1280
    with Image.open(ASSETS / FILM) as film:
        assert film.n_frames > 20


def test_only_samples_are_taken(capsys, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert main(["--clip", "holiday.mp4"]) == 2
    assert "holiday.mp4 is no sample; give one of 000005.mp4" in capsys.readouterr().err
