"""What several test modules share: an untrained checkpoint, its predictor, and the shipped sample clips."""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint folder with fresh weights that finds somebody at every key frame."""
    import torch

    from refatomnet.checkpoint import encoder_state, save_checkpoint
    from refatomnet.config import ModelConfig
    from refatomnet.model import RavarModel

    torch.set_num_threads(1)  # tiny work: more threads only wait for each other
    torch.manual_seed(0)
    small = {"width": 32, "heads": 4, "layers": 1, "image_height": 96, "image_width": 160}
    model = RavarModel(ModelConfig(**small))
    model.encoder.load_state_dict(encoder_state())
    straight = {"scale": 1.0, "bias": 0.0}
    card = {"name": "fresh", "trained_on": "nothing", "scores": {"val": {"miou": 0.01}}}
    card["calibration"] = {"actions": straight, "presence": straight, "threshold": 0.0}
    folder = tmp_path_factory.mktemp("checkpoint") / "fresh"
    save_checkpoint(model, folder, card)
    return folder


@pytest.fixture(scope="session")
def predictor(checkpoint: Path) -> Any:
    """The predictor of that checkpoint, on the CPU."""
    from refatomnet import Predictor

    return Predictor.from_pretrained(checkpoint, device="cpu")


@pytest.fixture(scope="session")
def samples() -> list[dict[str, Any]]:
    """The records of the shipped sample clips that somebody fits, ``clip`` made an absolute path."""
    lines = (ASSETS / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    return [{**record, "clip": ASSETS / record["clip"]} for record in records if record["box_xyxy"] is not None]
