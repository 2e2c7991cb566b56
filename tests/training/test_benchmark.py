"""The timing of the scan beside others; that of rendering is tested with the generator."""

import json

import pytest
import torch

from training import benchmark


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_scan_is_timed_beside_two_others(tmp_path, capfd):
    asked = ["scan", "--lengths", "300", "--width", "16", "--threads", "1", "--runs", "2"]
    assert benchmark.main([*asked, "--json", str(tmp_path / "found.json")]) == 0
    printed = capfd.readouterr().out
    assert printed.count("forward and backward") == 1 and printed.count("x ours; peak") == 3
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["batch"], found["width"], found["threads"]) == (1, 16, 1)
    rows = found["lengths"].pop("300")
    assert list(rows) == ["ours", "mambapy", "transformers"] and not found["lengths"]
    assert all(row["runs"] == 2 and row["seconds"] > 0 for row in rows.values()) and rows["ours"]["times_ours"] == 1
    # mambapy holds a dozen arrays of 512 steps, 32 channels and 16 states, a MiB each
    assert rows["mambapy"]["peak_bytes"] > 5 * 2**20


def test_the_layers_compared_are_the_same_function():
    layers = benchmark._layers(list(benchmark.LAYERS), 16)
    x = torch.randn(1, 30, 16)
    mixed = [layer(x) for layer in layers.values()]
    torch.testing.assert_close(mixed[1], mixed[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mixed[2], mixed[0], atol=1e-5, rtol=1e-5)


def test_runs_take_turns_and_the_slow_run_once(monkeypatch):
    order = []

    def timed(layer, x):
        order.append(layer)
        return 99.0 if layer == "slow" else float(len(order))

    monkeypatch.setattr(benchmark, "_pass", timed)
    seconds = benchmark.time_in_turns({"ours": "quick", "other": "slow"}, torch.zeros(1), 3)
    assert order == ["quick", "slow", "quick", "quick"]
    assert seconds == {"ours": [1.0, 3.0, 4.0], "other": [99.0]}
    rows = benchmark.compare(seconds, {"ours": 1000, "other": 4000})
    assert rows["ours"]["seconds"] == 3.0 and rows["other"]["times_ours"] == 33.0
    assert (rows["ours"]["runs"], rows["other"]["runs"], rows["other"]["peak_times_ours"]) == (3, 1, 4.0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "required: render|scan"),
        (["scan", "--runs", "0"], "at least 1"),
        (["scan", "--lengths", "240", "-3"], "at least 1"),
        (["scan", "--width", "wide"], "invalid int value: 'wide'"),
        (["render", "--clips", "0"], "got 0 and 2"),
        (["step", "--clips", "0"], "at least 1"),
        (["step", "--tier", "huge"], "invalid choice: 'huge'"),
        (["step", "--json", "/proc/nowhere/a.json"], "there is no folder /proc/nowhere"),
        (["scan", "--json", "/proc/nowhere/a.json"], "there is no folder /proc/nowhere"),
    ],
)
def test_bad_arguments_are_one_line(capfd, asked, message):
    assert benchmark.main(asked) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]


def test_a_step_is_timed_on_cached_features_and_with_the_encoders_inside(tmp_path, capsys):
    assert benchmark.main(["step", "--clips", "1", "--runs", "1", "--json", str(tmp_path / "a.json")]) == 0
    found = json.loads((tmp_path / "a.json").read_text())
    seconds = found["seconds"]
    assert min(seconds["encoders inside"], seconds["cached"]) > 0  # which is faster, one step on busy cores can't tell
    assert found["times_as_fast"] == seconds["encoders inside"] / seconds["cached"]
    assert f"a cached step is {found['times_as_fast']:.1f} times as fast" in capsys.readouterr().out


def test_the_page_and_the_first_key_frame_are_timed(tmp_path, capfd):
    pytest.importorskip("gradio")
    asked = ["page", "--runs", "1", "--json", str(tmp_path / "found.json")]
    assert benchmark.main(asked) == 0
    assert "times" in capfd.readouterr().out
    seconds = json.loads((tmp_path / "found.json").read_text())["seconds"]
    assert seconds["ratio"] == seconds["page"] / seconds["imports"] > 0  # how soon is for a quiet machine
    assert 0 < seconds["first_key_frame"] <= seconds["answer"]
