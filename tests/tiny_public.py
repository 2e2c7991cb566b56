"""Tiny public models with random weights, in folders as transformers saves them, so that the real loading is tested."""

from pathlib import Path
from typing import Any

NAMES = ("person", "sofa", "bench", "dog", "car")


def save_detector(folder: Path, kind: str, *, names: tuple[str, ...] = NAMES) -> Path:
    """A detector of the kind ``dfine``, ``rtdetrv2`` or ``detr``."""
    import torch
    import transformers as hf

    torch.manual_seed(0)
    labels: dict[str, Any] = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    if kind == "detr":
        backbone = hf.ResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1] * 4, layer_type="basic", out_features=["stage4"]
        )
        config = hf.DetrConfig(
            use_timm_backbone=False, backbone_config=backbone, d_model=32, encoder_layers=1, decoder_layers=1,
            encoder_ffn_dim=32, decoder_ffn_dim=32, encoder_attention_heads=2, decoder_attention_heads=2,
            num_queries=10, **labels,
        )  # fmt: skip
        hf.DetrForObjectDetection(config).save_pretrained(folder)
        hf.DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 128}).save_pretrained(folder)
        return folder
    small = dict(
        d_model=32, encoder_hidden_dim=32, encoder_ffn_dim=32, encoder_attention_heads=2, decoder_in_channels=[32] * 3,
        decoder_ffn_dim=32, decoder_layers=2, decoder_attention_heads=2, num_queries=20, num_denoising=0,
    )  # fmt: skip
    stages = {"depths": [1] * 4, "out_features": ["stage2", "stage3", "stage4"]}
    if kind == "rtdetrv2":
        backbone = hf.RTDetrResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16, 24, 32], layer_type="basic", **stages
        )  # fmt: skip
        config = hf.RTDetrV2Config(backbone_config=backbone, encoder_in_channels=[16, 24, 32], **small, **labels)
        hf.RTDetrV2ForObjectDetection(config).save_pretrained(folder)
    else:
        backbone = hf.HGNetV2Config(
            embedding_size=8, stem_channels=[3, 8, 8], stage_in_channels=[8, 16, 24, 24], stage_mid_channels=[8] * 4,
            stage_out_channels=[16, 24, 24, 32], stage_num_blocks=[1] * 4, stage_light_block=[False] * 4,
            stage_kernel_size=[3] * 4, stage_numb_of_layers=[1] * 4, hidden_sizes=[16, 24, 24, 32], **stages,
        )  # fmt: skip
        config = hf.DFineConfig(backbone_config=backbone, encoder_in_channels=[24, 24, 32], **small, **labels)
        hf.DFineForObjectDetection(config).save_pretrained(folder)
    hf.RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


WORDS = (
    "a an the photo of person man woman boy girl someone human being in on red blue coat shirt with is his her their "
    "down up something running sitting standing walking reading another hands"
).split()


def save_matcher(folder: Path, kind: str) -> Path:
    """A model of pictures and sentences, of the kind ``siglip`` (as SigLIP 2's files say they are) or ``clip``."""
    import torch
    import transformers as hf
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    torch.manual_seed(0)
    vocabulary = {word: i for i, word in enumerate(["<pad>", "<eos>", "<unk>", *dict.fromkeys(WORDS)])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    hf.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>",
        padding_side="left" if kind == "siglip" else "right",  # Gemma's, which SigLIP 2 has, goes to the left by itself
    ).save_pretrained(folder)  # fmt: skip
    layers = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**layers, "vocab_size": len(vocabulary), "max_position_embeddings": 16}
    text |= {"eos_token_id": 1, "bos_token_id": 1, "pad_token_id": 0}
    vision = {**layers, "image_size": 32, "patch_size": 16}
    if kind == "siglip":
        model = hf.SiglipModel(hf.SiglipConfig(text_config={**text, "projection_size": 32}, vision_config=vision))
        model.logit_bias.data.fill_(-3.0)
        prepare = hf.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    else:
        model = hf.CLIPModel(hf.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
        size = {"height": 32, "width": 32}
        prepare = hf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size)
    model.logit_scale.data.fill_(2.0)
    model.save_pretrained(folder)
    prepare.save_pretrained(folder)
    return folder


def save_zero_shot(folder: Path, *, detector: str = "dfine", matcher: str = "siglip") -> Path:
    """A folder to give as ``--checkpoint``."""
    save_detector(folder / "detector", detector)
    save_matcher(folder / "matcher", matcher)
    return folder
