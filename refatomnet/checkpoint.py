"""Checkpoint folders: ``model.safetensors`` (trained tensors only) and ``config.json`` (everything else).

Frozen encoders are no part of a checkpoint: the compact one lies in the package once, those of the BLIP-2 tier come
from the hub or a folder. The config names them and their hashes.
"""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import refatomnet
from refatomnet.actions import ACTIONS
from refatomnet.card import PICTURE
from refatomnet.config import ModelConfig
from refatomnet.downloads import CHECKPOINT_FILES, hub_errors, is_hub_id
from refatomnet.downloads import SHIPPED as SHIPPED
from refatomnet.encoders import PublicEncoder
from refatomnet.errors import CheckpointError
from refatomnet.heads import LookEncoder
from refatomnet.hub import HubModel
from refatomnet.model import RavarModel
from refatomnet.preprocess import MEAN, STD

FORMAT_VERSION = 4
DATA = Path(__file__).parent / "data"
ENCODER_FILE = DATA / "mobilenetv2.safetensors"
PREPROCESSING = {"mean": list(MEAN), "std": list(STD), "resize": "letterbox"}
PUBLIC_PREPROCESSING = {"resize": "whole picture, then as the files of each public model say"}
_TEXT_ENCODERS = {"minilm": "all-MiniLM-L6-v2", "bag-of-words": "bag of words"}
_FROZEN = "encoder."


def save_checkpoint(model: HubModel, folder: str | Path, card: dict[str, Any]) -> None:
    """Write a model's trained tensors, in half precision, and its config.

    Args:
        model: The model.
        folder: Made if missing; an older checkpoint in it is replaced.
        card: What goes into the config beside the fixed part: name, data, seed, scores, calibration, licence.

    Raises:
        CheckpointError: If the card says what the fixed part says.
    """
    text = config_text(model, card)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    trained = {
        name: value.detach().cpu().half().contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith(_FROZEN)
    }
    save_file(trained, target / "model.safetensors.part")
    (target / "model.safetensors.part").replace(target / "model.safetensors")
    part = target / "config.json.part"
    part.write_text(text, encoding="utf-8")
    part.replace(target / "config.json")


def load_checkpoint(source: str | Path | None = None) -> tuple[RavarModel, dict[str, Any]]:
    """Build and fill the model of a checkpoint, in evaluation mode on the CPU.

    Args:
        source: A shipped name (``"compact"``, also None), a checkpoint folder, or a Hugging Face Hub id.

    Returns:
        The model, with its card, and the checkpoint's whole config.

    Raises:
        CheckpointError: If there is no such checkpoint, it is damaged, or it does not fit this version.
    """
    folder = find_checkpoint(source)
    config = read_config(folder)
    try:
        state = load_file(folder / "model.safetensors")
    except FileNotFoundError as error:
        raise CheckpointError(f"checkpoint {folder} has no model.safetensors; copy the whole folder") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{folder / 'model.safetensors'} is damaged ({error}); fetch it again") from error
    while config["format_version"] < FORMAT_VERSION:
        config, state = UPGRADES[config["format_version"]](config, state)
    try:
        model = RavarModel(ModelConfig.from_dict(config["model"]))
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        said = " ".join(str(error).split())
        raise CheckpointError(f"{folder / 'config.json'} is damaged: no model is of that kind ({said})") from error
    _fill(model, state, folder)
    if isinstance(model.encoder, PublicEncoder):
        model.encoder.stands_on = config["encoders"]
    fixed = fixed_part(model)
    model.card = {key: value for key, value in config.items() if key not in fixed}
    if (folder / PICTURE).is_file():
        model.misses = (folder / PICTURE).read_bytes()
    return model.eval(), config


def find_checkpoint(source: str | Path | None, **download: Any) -> Path:
    """The folder a checkpoint name, path or hub id stands for; the hub is asked only for ``owner/name``.

    Args:
        source: As for :func:`load_checkpoint`.
        download: How a hub id is fetched: revision, token, cache_dir, force_download, local_files_only.

    Raises:
        CheckpointError: If there is no such checkpoint, or the hub cannot be reached.
    """
    if source is None or str(source) == SHIPPED:
        return DATA / SHIPPED
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if is_hub_id(source):
        return _from_hub(str(source), download)
    if str(source) == "zero-shot":
        raise CheckpointError("zero-shot has no weights of ours; here a trained checkpoint is needed")
    raise CheckpointError(
        f"there is no checkpoint {str(source)!r}; give '{SHIPPED}', 'zero-shot', a checkpoint folder, or a "
        "hub id as owner/name"
    )


def config_text(model: HubModel, card: dict[str, Any]) -> str:
    """What ``config.json`` holds.

    Raises:
        CheckpointError: If the card says what the fixed part says, or what JSON does not know.
    """
    fixed = fixed_part(model)
    if doubled := sorted(fixed.keys() & card.keys()):
        raise CheckpointError(f"the card may not set {doubled}, which the model itself says; leave them out")
    try:
        return json.dumps({**fixed, **card}, indent=1) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"the card cannot be written as JSON ({error}); give plain values") from error


def fixed_part(model: HubModel) -> dict[str, Any]:
    """What a checkpoint's config says of every model of this kind, in the order it is written."""
    config, own = model.config, model.get_submodule("encoder")
    compact = {"visual": _visual_encoder(), "text": {"name": _TEXT_ENCODERS.get(config.text)}}
    return {
        "format_version": FORMAT_VERSION,
        "version": refatomnet.__version__,
        "model": config.to_dict(),
        "preprocessing": _preprocessing(config.encoder),
        "actions": [action.name for action in ACTIONS],
        "encoders": own.stands_on if isinstance(own, PublicEncoder) else compact,
    }


def read_config(folder: Path) -> dict[str, Any]:
    """The config of a checkpoint folder, checked for its version and for what its weights were trained on."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} is no checkpoint folder: it has no config.json") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); fetch the checkpoint again") from error
    found = config.get("format_version") if isinstance(config, dict) else None
    if found not in (*UPGRADES, FORMAT_VERSION):
        raise CheckpointError(f"{path} has format version {found!r}, this version reads 1 to {FORMAT_VERSION}")
    if config.get("actions") != [action.name for action in ACTIONS]:
        raise CheckpointError(f"{path} was trained on another list of actions than AVA's 80")
    if not isinstance(config.get("model"), dict) or not isinstance(config.get("encoders"), dict):
        raise CheckpointError(f"{path} is damaged: it lacks its model or its encoders; fetch the checkpoint again")
    encoder = config["model"].get("encoder", "compact")
    if config.get("preprocessing") != _preprocessing(encoder):
        raise CheckpointError(f"{path} was trained on otherwise prepared pictures; use the version that wrote it")
    if encoder != "compact":  # what they stand on is looked at when they are loaded
        if not all(isinstance(part, dict) for part in config["encoders"].values()):
            raise CheckpointError(
                f"{path} is damaged: its encoders are no names and hashes; fetch the checkpoint again"
            )
    elif config["encoders"].get("visual") != _visual_encoder():
        raise CheckpointError(f"{path} was trained on another visual encoder; use the version that wrote it")
    return config


def upgrade_from_1(config: dict[str, Any], state: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Format 1 (versions 0.1 and 0.2): RefAtomNet++ alone, its parts not yet sorted into fusion and heads.

    Such a model boxed the key frame only, and looked at people by the frozen features alone.
    """
    fusion = r"(scene_retrieval|word_retrieval|scan_scene|scan_words|scan_visual)\."
    choice = r"(nobody$|(among|reading|follow|score|match_person|match_word|match_gate)\.)"
    moves = (
        (fusion, r"fusion.\1."),
        (r"(temporal|spatial)\.", r"fusion.aligned.\1."),
        (choice, r"choice.\1"),
        (r"branch_(box|action)\.", r"branch.\1."),
        (r"(fusion\.scan_\w+)\.mamba\.", r"\1.mixer."),
    )
    moved = {}
    for name, value in state.items():
        for old, new in moves:
            name = re.sub(rf"^{old}", new, name)
        moved[name] = value
    if len(moved) < len(state):
        raise CheckpointError("the checkpoint is damaged: it holds a tensor under its old and its new name")
    return {**config, "format_version": 2, "model": {**config["model"], "frame_boxes": False, "looks": False}}, moved


def upgrade_from_2(config: dict[str, Any], state: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Format 2 (before the release of 0.3.0): people neither counted nor saw where others were."""
    return {**config, "format_version": 3, "model": {**config["model"], "relations": False}}, state


def upgrade_from_3(config: dict[str, Any], state: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Format 3 (before the release of 0.3.0): people's pixels were read into one token, of the key frame alone.

    What else is read of them now says nothing yet, but can learn.
    """
    config = {**config, "format_version": 4}
    before = tuple(f"looks.out.{name}" for name in ("1.weight", "1.bias", "3.weight", "3.bias"))
    if not config["model"].get("looks", True) or any(name not in state for name in before):
        return config, state
    state = dict(state)
    out, bias, token, token_bias = (state.pop(name) for name in before)
    if out.ndim != 2 or bias.shape != out.shape[:1] or token.shape != (len(token_bias), len(out)):
        raise CheckpointError("the checkpoint is damaged: shapes of looks.out do not go together")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        anew = LookEncoder(len(token), frames=config["model"].get("frames", 8), dropout=0.0)
    new = {f"looks.{name}": value for name, value in anew.state_dict().items()}
    rows, columns = out.shape
    if columns * 2 != new["looks.out.1.weight"].shape[1] or rows > LookEncoder.WIDTH:
        raise CheckpointError("the checkpoint is damaged: looks.out.1.weight is of another size")
    new["looks.out.1.weight"][:rows, :columns] = out
    new["looks.out.1.weight"][:rows, columns:] = 0
    new["looks.out.1.bias"][:rows] = bias
    new["looks.token.weight"][:, :rows], new["looks.token.weight"][:, rows:] = token, 0
    new["looks.token.bias"] = token_bias
    if "choice.phrases.name" in state:
        new["look_shown.0.weight"] = torch.zeros(len(token), LookEncoder.WIDTH)
        new["look_shown.0.bias"] = torch.zeros(len(token))
    return config, {**new, **state}


UPGRADES = {1: upgrade_from_1, 2: upgrade_from_2, 3: upgrade_from_3}


@cache
def encoder_state() -> dict[str, Tensor]:
    """Weights of the frozen visual encoder that the package carries."""
    return {name: value.float() for name, value in load_file(ENCODER_FILE).items()}


@cache
def encoder_hash() -> str:
    """SHA-256 of the packaged encoder file, so that features and checkpoints know what they belong to."""
    return hashlib.sha256(ENCODER_FILE.read_bytes()).hexdigest()


def fill_encoder(encoder: nn.Module) -> None:
    """Give a visual encoder the weights that the package carries; one of public models fetches its own when asked."""
    if not isinstance(encoder, PublicEncoder):
        encoder.load_state_dict(encoder_state())


def _fill(model: RavarModel, state: dict[str, Tensor], folder: Path) -> None:
    fill_encoder(model.encoder)
    expected = {name: value for name, value in model.state_dict().items() if not name.startswith(_FROZEN)}
    missing, unknown = sorted(expected.keys() - state.keys()), sorted(state.keys() - expected.keys())
    if missing or unknown:
        raise CheckpointError(f"checkpoint {folder} does not fit: missing {missing[:3]}, unknown {unknown[:3]}")
    wrong = [name for name, value in expected.items() if value.shape != state[name].shape]
    if wrong:
        raise CheckpointError(f"checkpoint {folder} does not fit: {wrong[0]} has shape {tuple(state[wrong[0]].shape)}")
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise CheckpointError(f"checkpoint {folder} is damaged: it holds values that are not finite")
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=False)


def _from_hub(name: str, download: dict[str, Any]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(CHECKPOINT_FILES), **download))
    except hub_errors() as error:
        revision = f" at revision {download['revision']!r}" if download.get("revision") else ""
        raise CheckpointError(
            f"the checkpoint {name!r} is neither a folder here nor reachable on the hub{revision}; "
            f"the shipped one is '{SHIPPED}'"
        ) from error


def _preprocessing(encoder: str) -> dict[str, Any]:
    return PREPROCESSING if encoder == "compact" else PUBLIC_PREPROCESSING


def _visual_encoder() -> dict[str, str]:
    return {"name": "MobileNetV2, ImageNet", "sha256": encoder_hash()}
