"""Our layers in the released order give what the released code gave, on its seeded weights and inputs."""

import zlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from refatomnet.errors import CheckpointError
from refatomnet.released import ReleasedFusion, load_released, released_fusion

REFERENCE = Path(__file__).parent / "data" / "released_fusion_seed7.safetensors"
SEED, CLIPS, FRAMES = 7, 2, 8
MAMBA_256 = {
    "A_log": (512, 16), "D": (512,), "conv1d.weight": (512, 1, 4), "conv1d.bias": (512,), "in_proj.weight": (1024, 256),
    "x_proj.weight": (48, 512), "dt_proj.weight": (512, 16), "dt_proj.bias": (512,), "out_proj.weight": (256, 512),
}  # fmt: skip


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def released_weights() -> dict[str, Tensor]:
    """Seeded by name, as the reference was made."""
    shapes = {n: tuple(p.shape) for n, p in ReleasedFusion().named_parameters() if not n.startswith("retrieval.")}
    weights = {}
    for name, shape in shapes.items():
        value = normal((zlib.crc32(name.encode()) + SEED) % 2**31, *shape) * 0.05
        if name.endswith("A_log"):
            value = value + torch.arange(1, shape[1] + 1.0).log()
        elif name.endswith((".D", "norm1.weight", "norm2.weight")):
            value = 1 + value
        elif "dt_proj.bias" in name:
            value = value - 4
        weights[name] = value
    return weights


def inputs() -> tuple[Tensor, Tensor, list[Tensor], Tensor, Tensor, Tensor]:
    logits = normal(SEED + 3, CLIPS, 100, 92)
    logits[:, :, 1] += 2
    logits[:, :, 0] -= 10
    boxes = torch.rand(CLIPS, 100, 4, generator=torch.Generator().manual_seed(SEED + 4)) * 0.5 + 0.1
    keywords = [normal(SEED + 10 + i, words, 2560) for i, words in enumerate((5, 3))]
    image, sentence = normal(SEED + 1, CLIPS, FRAMES, 32, 768), normal(SEED + 2, CLIPS, FRAMES, 4, 768) * 0.5
    return image, sentence, keywords, logits, boxes, normal(SEED + 5, 91, 768)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    torch.set_num_threads(1)
    return released_weights()


def test_it_gives_what_the_release_gave(weights: dict[str, Tensor]) -> None:
    output = released_fusion(weights, *inputs())._asdict()
    expected = load_file(REFERENCE)
    assert set(expected) == set(output)
    for name, value in expected.items():
        torch.testing.assert_close(
            output[name], value, atol=1e-4, rtol=0, msg=lambda said, name=name: f"{name}: {said}"
        )


def test_parameters_carry_the_released_names_and_shapes(weights: dict[str, Tensor]) -> None:
    assert {f"mamba_bbox.1.{name}": shape for name, shape in MAMBA_256.items()}.items() <= {
        name: tuple(value.shape) for name, value in weights.items()
    }.items()
    unused = {"proj_box.weight": (32, 100), "latent_proj2.bias": (256,), "cross_attention_2.query_tokens": (6, 256)}
    unused |= {
        "proj_box.bias": (32,),
        "proj_sem.weight": (32, 1),
        "proj_sem.bias": (32,),
        "latent_proj2.weight": (256,) * 2,
    }
    unused |= {f"{name}.weight": (256, 768) for name in ("proj_img", "proj_boxes")}
    unused |= {f"{name}.bias": (256,) for name in ("proj_img", "proj_boxes", "latent_proj")}
    unused |= {"latent_proj.weight": (256, 256)}
    unused |= {f"cross_attention{name}.query_tokens": (6, 256) for name in ("", "_box", "_sem", "_sem2", "_box2")}
    whole = weights | {name: torch.zeros(shape) for name, shape in unused.items()}
    assert sum(value.numel() for value in whole.values()) == 13_861_768
    load_released(whole)


def test_weights_that_do_not_fit_are_refused(weights: dict[str, Tensor]) -> None:
    with pytest.raises(CheckpointError, match="proj_text2.bias is missing"):
        load_released({name: value for name, value in weights.items() if name != "proj_text2.bias"})
    with pytest.raises(CheckpointError, match="qformer.weight is unknown"):
        load_released(weights | {"qformer.weight": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="size mismatch"):
        load_released(weights | {"proj.bias": torch.zeros(3)})
