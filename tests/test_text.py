"""Sentences to words and embeddings."""

from pathlib import Path

import pytest
import torch

from refatomnet.errors import SentenceError
from refatomnet.text import MAX_CHARACTERS, STOP_WORDS, MiniLM, keyword_mask, pad_text, split_words

LONG = "the woman behind the man in the grey-green anorak, not the one without a hat"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)  # tiny work: more threads only wait for each other


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def test_words_are_lower_case_without_punctuation() -> None:
    assert split_words("  The man's RED\n t-shirt, (left)! 2nd ") == ["the", "man's", "red", "t-shirt", "left", "2nd"]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("a" * 10_000, f"10000 characters.*{MAX_CHARACTERS}"),
        ("the man " * 1_000, f"{MAX_CHARACTERS}"),
        ("🙂 🙃", "no words"),
        ("?!…", "no words"),
        ("穿红衣服的女人", "no English words"),
        ("мужчина в сером", "no English words"),
        ("42", "no English words"),
    ],
)
def test_useless_sentences_are_refused_in_one_line(sentence: str, said: str) -> None:
    with pytest.raises(SentenceError, match=said) as caught:
        split_words(sentence)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_the_longest_allowed_sentence_passes() -> None:
    assert split_words("a" * MAX_CHARACTERS) == ["a" * MAX_CHARACTERS]


def test_words_that_tell_people_apart_are_content() -> None:
    telling = (
        "red white blue grey navy left right behind front middle under between near next on top without with not no "
        "one two three 2 first second third last nobody only tall short sitting facing away up down other".split()
    )
    assert keyword_mask(telling) == [True] * len(telling)
    assert not STOP_WORDS & set(telling)
    assert keyword_mask("the man who is in a red coat".split()) == [
        False, True, False, False, True, False, True, True
    ]  # fmt: skip
    assert keyword_mask(["the", "one", "is"]) == [False, True, False]
    assert keyword_mask(["who", "is", "that"]) == [True, True, True]  # something to follow, whatever is said


def test_a_word_is_the_mean_of_its_pieces(encoder: MiniLM) -> None:
    words = ("the", "grey-green", "anorak")
    batch = encoder._tokenizer([list(words)], is_split_into_words=True, return_tensors="pt")
    with torch.inference_mode():
        states = encoder._model(**batch).last_hidden_state[0]
    owners = batch.word_ids(0)
    assert owners.count(1) > 1 and owners.count(2) > 1  # several pieces each
    expected = torch.stack([states[[i for i, o in enumerate(owners) if o == w]].mean(0) for w in range(3)])
    ((found, pooled),) = encoder.encode_words([words])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(pooled, torch.nn.functional.normalize(states.mean(0), dim=0), atol=1e-5, rtol=1e-5)


def test_sentences_are_padded_and_do_not_depend_on_their_neighbours(encoder: MiniLM) -> None:
    text = encoder(["the man", LONG])
    lengths = [2, len(split_words(LONG))]
    assert text.states.shape == (2, lengths[1], 384) and text.mask.sum(1).tolist() == lengths
    assert (text.states[0, 2:] == 0).all() and not text.keywords[0, 2:].any()
    assert text.keywords[0].tolist()[:2] == [False, True] and text.words[0] == ("the", "man")
    torch.testing.assert_close(text.sentence.norm(dim=1), torch.ones(2))
    alone, together = encoder(["the man"]), encoder.encode_words([text.words[0], text.words[1]])
    torch.testing.assert_close(text.states[0, :2], alone.states[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together[0][0], alone.states[0], atol=1e-5, rtol=1e-5)
    chosen = text.select(torch.tensor([1, 0, 1]))
    assert chosen.words == (text.words[1], text.words[0], text.words[1])
    assert torch.equal(chosen.states[0], text.states[1]) and torch.equal(chosen.keywords[1], text.keywords[0])


def test_a_sentence_is_encoded_once(encoder: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    first = encoder([LONG])
    calls = []
    real = encoder._model.forward
    monkeypatch.setattr(encoder._model, "forward", lambda *a, **k: calls.append(1) or real(*a, **k))
    again = encoder([LONG, LONG.upper() + "!", LONG])  # the same words
    assert not calls and all(torch.equal(again.states[i], first.states[0]) for i in range(3))
    encoder(["the one nobody has asked about"])
    assert len(calls) == 1


def test_only_so_many_words_are_kept(encoder: MiniLM) -> None:
    assert encoder(["red " * 60]).states.shape[1] == encoder.max_words


def test_the_encoder_is_frozen_and_local(encoder: MiniLM, tmp_path: Path) -> None:
    assert not any(p.requires_grad for p in encoder._model.parameters()) and not encoder._model.training
    with pytest.raises(OSError):
        MiniLM(tmp_path / "nowhere")


def test_padding_keeps_the_order_of_rows() -> None:
    rows = [(torch.full((n, 5), float(n)), torch.full((5,), float(n))) for n in (3, 1, 2)]
    text = pad_text(rows, [("red", "coat", "left"), ("hat",), ("the", "man")])
    assert text.mask.sum(1).tolist() == [3, 1, 2] and text.sentence[:, 0].tolist() == [3, 1, 2]
    assert text.states[:, :, 0].tolist() == [[3, 3, 3], [1, 0, 0], [2, 2, 0]]
    assert text.keywords.tolist() == [[True] * 3, [True, False, False], [False, True, False]]
