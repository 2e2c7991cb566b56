"""A model as the Hugging Face Hub knows it: saved, loaded and pushed as a checkpoint folder with a model card."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData, PyTorchModelHubMixin
from torch import nn

from refatomnet.card import MEASURES, PICTURE, by_split, markdown, one_line, sections
from refatomnet.config import ModelConfig
from refatomnet.downloads import hub_errors, is_hub_id
from refatomnet.encoders import PublicEncoder
from refatomnet.errors import CheckpointError, RefAtomNetError

if TYPE_CHECKING:
    from refatomnet.model import RavarModel

_MARK = "<!-- Written with the checkpoint and replaced with it; take this line out to keep the text. -->"
_METHODS = {
    "refatomnetpp": "The method is RefAtomNet++ ([arXiv 2510.16444](https://arxiv.org/abs/2510.16444))",
    "refatomnet": "People are found and chosen here; the fusion is RefAtomNet's "
    "([arXiv 2407.01872](https://arxiv.org/abs/2407.01872))",
    "plain": "The fusion is a plain one that others are compared with",
}
_LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "CC-BY-4.0": "cc-by-4.0"}  # SPDX to the hub's own names

_TEMPLATE = """---
{{ card_data }}
---
{{ mark }}

# {{ name }}

Given a video and one English sentence about a person in it, this model finds that person, follows them and says which
of AVA's 80 atomic actions they do{% if presence %}; if the sentence fits nobody, it says so{% endif %}.

{{ method }}. This is an independent implementation, not the authors'.

## Use
With the Python package `refatomnet` installed, and this repository's id or the path of a folder with its files:
```python
from refatomnet import Predictor

predictor = Predictor.from_pretrained("owner/name")
clip = predictor.encode("clip.mp4")
print(predictor.ask(clip, "the man in the grey shirt").to_dict())
```
`model.safetensors` holds the {{ "{:,}".format(trained) }} trained parameters in half precision, `config.json` the
rest. The frozen encoders, of frames ({{ encoder }}) and of words ({{ text }}), {{ whence }}.

{{ told }}

## Licence
{{ licence or "The checkpoint states no licence." }}
"""


@contextmanager
def pushing(repo_id: str, kind: type[RefAtomNetError]) -> Iterator[None]:
    """Makes of what the hub's client raises one sentence, as an error of a kind of ours."""
    try:
        yield
    except hub_errors() as error:
        said = " ".join(str(error).split())
        raise kind(
            f"cannot push to {repo_id!r} ({said}); see that the hub can be reached, that you are logged in "
            "(hf auth login) and may write there"
        ) from error


def check_sources(model: nn.Module) -> None:
    """Refuse a model to be passed on whose public models lie in folders, which only this machine has.

    Raises:
        CheckpointError: If some do.
    """
    encoder = model.get_submodule("encoder")
    named = {str(part["name"]) for part in encoder.stands_on.values()} if isinstance(encoder, PublicEncoder) else ()
    if own := sorted(name for name in named if not is_hub_id(name)):
        raise CheckpointError(
            f"the checkpoint stands on weights in {' and '.join(own)}, which only this machine has; put the hub's id "
            "of the same weights in their place in its config.json, under model and under encoders"
        )


class HubModel(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="refatomnet",
    language=["en"],
    pipeline_tag="video-classification",
    tags=["video", "action-recognition", "referring-expression", "ava"],
    model_card_template=_TEMPLATE,
):
    """A module whose saved form is a checkpoint folder (:mod:`refatomnet.checkpoint`), never the mixin's own.

    ``save_pretrained(folder)`` writes that folder; a README.md in it that is not of our making stays as it is.

    config: Sizes and switches.
    card: What its checkpoint's config says beside the fixed part: name, data, scores, calibration, licence.
    misses: The card's picture of its worst misses, WebP, or None.
    """

    config: ModelConfig
    card: dict[str, Any]
    misses: bytes | None = None

    @classmethod
    def from_pretrained(  # type: ignore[override]  # no model_kwargs: a checkpoint's config is all there is to a model
        cls,
        pretrained_model_name_or_path: str | Path | None = None,
        *,
        force_download: bool = False,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        revision: str | None = None,
    ) -> "RavarModel":
        """Load a checkpoint in evaluation mode on the CPU, its card in ``card``.

        Args:
            pretrained_model_name_or_path: A shipped name (``"compact"``, also None), a checkpoint folder, or a Hugging
                Face Hub id. The other arguments are about hub ids alone.
            force_download: Fetch again what was fetched before.
            token: For private repositories; by default the one that is logged in.
            cache_dir: Where fetched files are kept.
            local_files_only: Take what was fetched before, without the network.
            revision: Branch, tag or commit.

        Raises:
            CheckpointError: If there is no such checkpoint, it is damaged, or it does not fit this version.
        """
        from refatomnet.checkpoint import find_checkpoint, load_checkpoint  # which builds models: here is too early

        folder = find_checkpoint(
            pretrained_model_name_or_path,
            force_download=force_download,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            revision=revision,
        )
        return load_checkpoint(folder)[0]

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:
        """Write the checkpoint folder with its model card.

        Raises:
            CheckpointError: If the card cannot be saved; an older checkpoint in the folder is untouched then.
        """
        from refatomnet.checkpoint import config_text

        config_text(self, self.card)  # the mixin removes the old config before it asks for the new one
        return super().save_pretrained(save_directory, **options)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the checkpoint folder, as one commit, to a repository that is made if missing.

        Args:
            repo_id: ``owner/name``.
            options: The mixin's: commit_message, private, token, branch, create_pr and so on.

        Returns:
            Address of the commit.

        Raises:
            CheckpointError: If the hub cannot be reached or refuses, or if the model needs what only this machine has.
        """
        check_sources(self)
        with pushing(repo_id, CheckpointError):
            return super().push_to_hub(repo_id, **options)

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The README.md of this model on the hub, from its card and config; ``kwargs`` replace parts of the text."""
        from refatomnet.checkpoint import fixed_part

        encoders = fixed_part(self)["encoders"]
        data = ModelCardData(**self._hub_mixin_info.model_card_data.to_dict())
        licence = one_line(self.card.get("licence", ""))
        if licence in _LICENCES:
            data.license = _LICENCES[licence]
        elif licence:
            data.license, data.license_name = "other", re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-")
        data.model_name = " ".join(str(self.card.get("name", "unnamed")).split())
        data.eval_results = self._measured() or None
        facts: dict[str, Any] = {
            "mark": _MARK,
            "name": one_line(self.card.get("name", "unnamed")),
            "presence": self.config.presence,
            "method": _METHODS[self.config.architecture],
            "trained": sum(p.numel() for name, p in self.named_parameters() if not name.startswith("encoder.")),
            "encoder": encoders["visual"]["name"],
            "text": encoders["text"]["name"],
            "whence": "come with the package" if self.config.encoder == "compact" else "are fetched from the hub",
            "told": markdown(sections(self.card, picture=self.misses is not None)),
            "licence": licence,
        }
        return ModelCard.from_template(data, template_str=self._hub_mixin_info.model_card_template, **(facts | kwargs))

    def _measured(self) -> list[EvalResult]:
        """The scores in the form of the hub's model-index."""
        about = self.card.get("data")
        name = str(about.get("name", "")) if isinstance(about, Mapping) else ""
        name = " ".join(name.split()) or "unnamed"
        return [
            EvalResult(
                task_type="video-classification",
                task_name="referring atomic video action recognition",
                dataset_type=re.sub(r"[^a-z0-9._-]+", "-", name.lower()),
                dataset_name=name,
                dataset_split=split,
                metric_type=measure,
                metric_name=label,
                metric_value=value,
            )
            for split, scores in by_split(self.card).items()
            for measure, label in MEASURES.items()
            if isinstance(value := scores.get(measure), float | int)
        ]

    def _save_pretrained(self, save_directory: Path) -> None:
        from refatomnet.checkpoint import save_checkpoint

        save_checkpoint(self, save_directory, self.card)
        if self.misses is not None:
            (save_directory / PICTURE).write_bytes(self.misses)
        readme = save_directory / "README.md"
        if readme.is_file() and _MARK in readme.read_text(encoding="utf-8", errors="replace"):
            readme.unlink()  # the mixin would keep it, and with it the scores of the older checkpoint
