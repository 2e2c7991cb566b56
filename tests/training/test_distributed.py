"""Runs in processes of their own: killed and resumed, and shared by two, on a few painted clips."""

import json
import math
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_cache import SMALL, painted

from refatomnet.checkpoint import encoder_state, load_checkpoint, save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.model import RavarModel
from training.config import read_train_config
from training.evaluate import measure
from training.trainer import Trainer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]  # torchrun
# Without chance, so that how a batch is shared out changes nothing but the order of sums.
CERTAIN: dict[str, Any] = {"model": replace(SMALL, dropout=0.0, looks=False), "true_share": 0.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return painted(tmp_path_factory.getbasetemp())


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> Any:
    """On the CPU, as the runs of their own are."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    AcceleratorState._reset_state(True)
    torch.set_num_threads(1)
    yield
    AcceleratorState._reset_state(True)


def write_config(path: Path, data: Path, *, model: ModelConfig = SMALL, **values: Any) -> Path:
    common = {"data": str(data), "batch_clips": 2, "sentences": 2, "threads": 1, "warmup_steps": 4}
    path.write_text(yaml.safe_dump({**common, "model": model.to_dict(), **values}))
    return path


def start(*command: str, **options: Any) -> subprocess.Popen:
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, text=True, **options)


def finish(process: subprocess.Popen) -> str:
    """What it wrote to standard output; it must have gone well."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out or ""


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    """The tensors and numbers of nested containers, by path."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else None
    if items is None:
        return {name: value}
    return {path: leaf for key, entry in items for path, leaf in leaves(entry, f"{name}/{key}").items()}


def curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    """All that TensorBoard shows of a run: steps and values by name."""
    events = EventAccumulator(str(run / "events")).Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_a_run_killed_and_resumed_is_the_run_that_was_not(data: Path, tmp_path: Path) -> None:
    values = {"still_epochs": 4.0, "epochs": 6.5, "evaluate_every": 7, "save_every": 7}
    config = write_config(tmp_path / "run.yaml", data, **values)
    command = [sys.executable, "-m", "training.train", str(config)]
    whole = start(*command, f"run={tmp_path / 'whole'}", stderr=subprocess.PIPE)
    killed = start(*command, f"run={tmp_path / 'killed'}", stderr=subprocess.PIPE)
    for line in killed.stderr:
        if "val at step 14:" in line:  # before the state of this step is kept
            killed.kill()
            break
    assert killed.wait() == -9
    finish(whole)
    step = torch.load(tmp_path / "killed" / "state.pt", weights_only=True)["step"]
    assert 0 < step < 21 and not (tmp_path / "killed" / "evaluation.json").exists()
    finish(start(*command, f"run={tmp_path / 'killed'}", "--resume", stderr=subprocess.PIPE))

    states = [leaves(torch.load(tmp_path / run / "state.pt", weights_only=True)) for run in ("whole", "killed")]
    assert states[0].keys() == states[1].keys() and states[0]["/step"] == 21
    assert {name.split("/")[1] for name in states[0]} >= {"model", "criterion", "optimizer", "ema", "best", "stale"}
    for name, value in states[0].items():
        same = torch.equal(value, states[1][name]) if torch.is_tensor(value) else value == states[1][name]
        assert same, name
    expected, found = curves(tmp_path / "whole"), curves(tmp_path / "killed")
    assert [step for step, _ in expected["loss/total"]] == [1, 20]
    assert [step for step, _ in expected["val/miou"]] == [7, 14, 21]
    np.testing.assert_equal(found, expected)
    best = [(tmp_path / run / "best" / "model.safetensors").read_bytes() for run in ("whole", "killed")]
    assert best[0] == best[1]

    results = [json.loads((tmp_path / run / "evaluation.json").read_text()) for run in ("whole", "killed")]
    commands = [result.pop("command") for result in results]
    assert results[0] == results[1] and results[0]["records"] == 9
    _, *arguments = shlex.split(commands[1])
    again = json.loads(finish(start(sys.executable, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)))
    assert again == {**results[1], "command": commands[1]}


@pytest.mark.usefixtures("one_process")
def test_two_processes_measure_every_record_once(data: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = RavarModel(SMALL)
    model.encoder.load_state_dict(encoder_state())
    straight = {"scale": 1.0, "bias": 0.0}
    card = {"name": "fresh", "calibration": {"actions": straight, "presence": straight, "threshold": 0.5}}
    save_checkpoint(model, tmp_path / "fresh", card)
    arguments = ["--data", str(data), "--split", "val", "--checkpoint", str(tmp_path / "fresh"), "--controls"]
    out = finish(start(*TWO, "-m", "training.evaluate", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    found = json.loads(out)  # one JSON, not one a process
    assert found.pop("command") == f"python -m training.evaluate {shlex.join(arguments)}"
    expected = measure(data, "val", tmp_path / "fresh", controls=True)
    assert expected["records"] == 9  # of three clips, which two processes cannot share evenly
    assert found == expected


@pytest.mark.usefixtures("one_process")
def test_two_processes_in_two_parts_learn_what_one_does_in_four(data: Path, tmp_path: Path) -> None:
    """The gradients of all parts count, and both processes end with the same weights."""
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import os, sys, torch\n"
        "from training import train\n"
        "class Trainer(train.Trainer):\n"
        "    def fit(self):\n"
        "        super().fit()\n"
        "        assert 2 * torch.get_num_threads() <= max(2, os.cpu_count()), torch.get_num_threads()\n"
        "        group = torch.distributed.group.WORLD._get_backend(torch.device('cpu'))\n"
        "        assert group.options._timeout.days > 7, group.options._timeout  # others wait while one encodes\n"
        "        end = self.folder.parent / f'{self.accelerator.process_index}.pt'\n"
        "        torch.save(self.run_step.module.state_dict(), end)\n"
        "train.Trainer = Trainer\n"
        "sys.exit(train.main(sys.argv[1:]))\n"
    )
    values = {"batch_clips": 4, "accumulate": 2, "still_epochs": 1.0, "epochs": 3.0, "evaluate_every": 2, **CERTAIN}
    values |= {"threads": 64}  # more than there are for two
    config = write_config(tmp_path / "run.yaml", data, **values)
    shared = start(*TWO, str(probe), str(config), f"run={tmp_path / 'two'}", stderr=subprocess.PIPE)
    one = Trainer(read_train_config(config, [f"run={tmp_path / 'one'}", "accumulate=4", "threads=1"]))
    begun = {name: value.clone() for name, value in one.run_step.state_dict().items()}
    one.begin(resume=False)
    one.fit()
    finish(shared)
    ends = [torch.load(tmp_path / f"{process}.pt") for process in (0, 1)]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    expected = {name: value for name, value in one.run_step.state_dict().items() if value.is_floating_point()}
    # Adam makes steps of rounding errors where a gradient is zero, so all weights are compared as one.
    moved = sum(float((value - begun[name]).square().sum()) for name, value in expected.items())
    apart = sum(float((value - ends[0][name]).square().sum()) for name, value in expected.items())
    assert moved > 0.01 and apart < 1e-4 * moved
    files = {path.name for path in (tmp_path / "two").iterdir()}
    assert files == {"best", "config.json", "evaluation.json", "events", "state.pt"}
    assert len(list((tmp_path / "two" / "events").iterdir())) == 1
    shown, same = curves(tmp_path / "two"), curves(tmp_path / "one")
    assert shown.keys() == same.keys() and [step for step, _ in shown["val/miou"]] == [2, 4] and one.step == 4
    for name in (name for name in same if name.startswith("loss/")):
        assert shown[name] == [(1, pytest.approx(same[name][0][1], rel=1e-3, abs=1e-5))], name
    assert load_checkpoint(tmp_path / "two" / "best")[1]["training"]["steps"] in (2, 4)
    assert not math.isnan(json.loads((tmp_path / "two" / "evaluation.json").read_text())["miou"])
    again = start(
        *TWO, "-m", "training.train", str(config), f"run={tmp_path / 'two'}", "--resume", stderr=subprocess.PIPE
    )
    _, told = again.communicate(timeout=240)
    assert again.returncode == 0 and "resumed at step 4" in told, told
