"""The config: its switches, and its way through JSON and YAML."""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from refatomnet.config import ModelConfig
from refatomnet.errors import CheckpointError

WRONG = [
    (
        "architecture",
        "refatomnet++",
        "architecture is 'refatomnet++'; expected 'refatomnetpp' or 'refatomnet' or 'plain'",
    ),
    ("encoder", "resnet", "encoder is 'resnet'; expected 'compact'"),
    ("text", "bert", "text is 'bert'; expected 'minilm' or 'bag-of-words'"),
    ("levels", ("scene", "words"), "levels is ('scene', 'words'); expected 'scene' or 'keyword' or 'sentence'"),
    ("levels", ("scene", "scene"), "levels is ('scene', 'scene'); expected 'scene' or"),
    ("levels", (), "levels is (); expected 'scene' or"),
    ("branches", ("spatial", "depth"), "branches is ('spatial', 'depth'); expected 'temporal' or 'spatial'"),
    ("branches", (), "branches is (); expected 'temporal' or 'spatial'"),
    ("retrieval", "none", "retrieval is 'none'; expected 'hard' or 'soft' or 'random'"),
    ("scan", "gru", "scan is 'gru'; expected 'mamba' or 'lstm' or 'transformer' or 'none'"),
    ("answer", "person", "answer is 'person'; expected 'people' or 'place' or 'branches'"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG, ids=[f"{name} {value}" for name, value, _ in WRONG])
def test_a_wrong_switch_is_refused_with_what_it_may_be(name: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        ModelConfig(**{name: value})
    assert said in str(raised.value)
    with pytest.raises(CheckpointError) as told:
        ModelConfig.from_dict({name: list(value) if isinstance(value, tuple) else value})
    assert said in str(told.value) and "newer version" in str(told.value)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"unknown keys \['colour'\]"):
        ModelConfig.from_dict({"colour": "red"})


@pytest.mark.parametrize("form", [json, yaml], ids=["json", "yaml"])
def test_a_config_comes_back_from_text_as_it_was(form: Any) -> None:
    config = ModelConfig(
        architecture="refatomnet", levels=("sentence", "scene"), branches=("spatial",), presence=False, frame_rate=6.0
    )
    dump = {json: json.dumps, yaml: yaml.safe_dump}[form]
    load = {json: json.loads, yaml: yaml.safe_load}[form]
    back = ModelConfig.from_dict(load(dump(config.to_dict())))
    assert back == config and back.levels == ("sentence", "scene") and isinstance(back.categories, tuple)
    assert hash(back) == hash(config)  # lists would not do


def test_a_replaced_config_is_checked_too() -> None:
    with pytest.raises(ValueError, match="answer is 'x'"):
        replace(ModelConfig(), answer="x")


def test_every_switch_of_the_defaults_is_on() -> None:
    config = ModelConfig()
    assert (config.architecture, config.answer, config.scan, config.retrieval) == (
        "refatomnetpp",
        "people",
        "mamba",
        "hard",
    )
    assert config.levels == ("scene", "keyword", "sentence") and config.branches == ("temporal", "spatial")
    assert config.presence and config.frame_boxes and config.categories[0] == "person"
