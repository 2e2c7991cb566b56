"""A tiny BLIP-2, language model and detector with random weights, in folders as transformers saves them."""

import string
from pathlib import Path
from typing import Any

from tiny_public import save_detector

SIDE, PATCH, PATCHES = 28, 7, 4
QUERIES, QUERY_WIDTH, PATCH_WIDTH, WORD_WIDTH = 6, 24, 32, 20


def save_blip2(folder: Path) -> Path:
    """BLIP-2 for image-text retrieval, with its tokenizer and image processor."""
    import torch
    import transformers as hf

    torch.manual_seed(0)
    seen = dict(
        hidden_size=PATCH_WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE,
        patch_size=PATCH, initializer_range=0.1,
    )  # fmt: skip
    letters = string.ascii_lowercase + string.digits
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "man", *letters, *(f"##{c}" for c in letters)]
    asked = dict(
        vocab_size=len(vocabulary), hidden_size=QUERY_WIDTH, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=32, max_position_embeddings=64, initializer_range=0.2, use_qformer_text_input=True,
    )  # fmt: skip
    config = hf.Blip2Config(
        vision_config=seen, qformer_config=asked, text_config=_language_config(), num_query_tokens=QUERIES,
        image_text_hidden_size=8,
    )  # fmt: skip
    network = hf.Blip2ForImageTextRetrieval(config)
    torch.nn.init.normal_(network.query_tokens, std=0.5)
    network.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    hf.BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    hf.BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def _language_config() -> dict[str, Any]:
    return dict(
        model_type="opt", vocab_size=300, hidden_size=WORD_WIDTH, num_hidden_layers=1, ffn_dim=24,
        num_attention_heads=2, word_embed_proj_dim=WORD_WIDTH, max_position_embeddings=64,
    )  # fmt: skip


def save_language_model(folder: Path, *, inside_blip2: bool = False) -> Path:
    """An OPT with a tokenizer of bytes, by itself or inside a BLIP-2 that answers questions."""
    import torch
    import transformers as hf
    from tokenizers.pre_tokenizers import ByteLevel

    torch.manual_seed(1)
    if inside_blip2:
        seen = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=SIDE)
        asked = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)
        config = hf.Blip2Config(vision_config=seen, qformer_config=asked, text_config=_language_config())
        hf.Blip2ForConditionalGeneration(config).save_pretrained(folder)
    else:
        hf.OPTModel(hf.OPTConfig(**_language_config())).save_pretrained(folder)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet())]
    given = {piece: i for i, piece in enumerate(pieces)}
    hf.GPT2Tokenizer(vocab=given, merges=[], unk_token="<unk>", bos_token="</s>", eos_token="</s>").save_pretrained(
        folder
    )
    return folder


def save_tier(folder: Path, detector: str = "detr") -> dict[str, Any]:
    """BLIP-2 and a detector in folders; what a model's config says of them."""
    return {
        "encoder": "blip2",
        "text": "blip2",
        "blip2": str(save_blip2(folder / "blip2")),
        "detector": str(save_detector(folder / detector, detector)),
        "queries": QUERIES,
        "query_width": QUERY_WIDTH,
        "patches": PATCHES,
        "patch_width": PATCH_WIDTH,
        "word_width": QUERY_WIDTH,
        "looks": False,
        "frame_boxes": False,
    }
