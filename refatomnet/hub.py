"""A model as the Hugging Face Hub knows it: saved, loaded and pushed as a checkpoint folder with a model card."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin
from torch import nn

from refatomnet.config import ModelConfig
from refatomnet.errors import CheckpointError

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
_MEASURES = {
    "miou": "mIoU",
    "acc_iou50": "Acc@IoU 0.5",
    "map_macro": "mAP, macro",
    "map_weighted": "mAP, support-weighted",
    "auroc_macro": "AUROC, macro",
    "auroc_weighted": "AUROC, support-weighted",
    "presence_auroc": "AUROC of presence",
    "ece": "calibration error of the actions",
}

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
rest. The frozen encoders, of frames ({{ encoder }}) and of words ({{ text }}), come with the package.

## Data
{% if trained_on %}Trained on: {{ trained_on }}.{% else %}The checkpoint does not say what it was trained on.{% endif %}

## Scores
{% if scores %}Fractions from 0 to 1, measured on held-out data.

{{ scores }}{% else %}The checkpoint carries no measured scores.{% endif %}

## Meant for
Research on referring expressions and actions, comparison of methods, and describing what people do in footage that one
may analyse. Expect worse scores on footage unlike the data above.

## Not meant for
- Telling who somebody is: sentences are about clothes, looks and place. It must not be used to identify persons.
- Surveillance, or any decision about a person, such as on work, credit, entry, guilt or treatment.
- Anything where a wrong box or a wrong action does harm.

## Licence
{{ licence or "The checkpoint states no licence." }}
"""


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
    """

    config: ModelConfig
    card: dict[str, Any]

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

        config_text(self.config, self.card)  # the mixin removes the old config before it asks for the new one
        return super().save_pretrained(save_directory, **options)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the checkpoint folder, as one commit, to a repository that is made if missing.

        Args:
            repo_id: ``owner/name``.
            options: The mixin's: commit_message, private, token, branch, create_pr and so on.

        Returns:
            Address of the commit.

        Raises:
            CheckpointError: If the hub cannot be reached or refuses.
        """
        from refatomnet.checkpoint import hub_errors

        try:
            return super().push_to_hub(repo_id, **options)
        except hub_errors() as error:
            said = " ".join(str(error).split())
            raise CheckpointError(
                f"cannot push to {repo_id!r} ({said}); see that the hub can be reached, that you are logged in "
                "(hf auth login) and may write there"
            ) from error

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The README.md of this model on the hub, from its card and config; ``kwargs`` replace parts of the text."""
        from refatomnet.checkpoint import fixed_part

        encoders = fixed_part(self.config)["encoders"]
        data = ModelCardData(**self._hub_mixin_info.model_card_data.to_dict())
        licence = _line(self.card.get("licence", ""))
        if licence in _LICENCES:
            data.license = _LICENCES[licence]
        elif licence:
            data.license, data.license_name = "other", re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-")
        facts: dict[str, Any] = {
            "mark": _MARK,
            "name": _line(self.card.get("name", "unnamed")),
            "presence": self.config.presence,
            "method": _METHODS[self.config.architecture],
            "trained": sum(p.numel() for name, p in self.named_parameters() if not name.startswith("encoder.")),
            "encoder": encoders["visual"]["name"],
            "text": encoders["text"]["name"],
            "trained_on": _line(self.card.get("trained_on", "")),
            "scores": _score_table(self.card.get("scores")),
            "licence": licence,
        }
        return ModelCard.from_template(data, template_str=self._hub_mixin_info.model_card_template, **(facts | kwargs))

    def _save_pretrained(self, save_directory: Path) -> None:
        from refatomnet.checkpoint import save_checkpoint

        save_checkpoint(self, save_directory, self.card)
        readme = save_directory / "README.md"
        if readme.is_file() and _MARK in readme.read_text(encoding="utf-8", errors="replace"):
            readme.unlink()  # the mixin would keep it, and with it the scores of the older checkpoint


def _score_table(scores: Any) -> str:
    """A Markdown table, a column a split, of the known measures; empty where there are none."""
    splits = {str(k): v for k, v in scores.items() if isinstance(v, Mapping)} if isinstance(scores, Mapping) else {}
    rows = []
    for name, label in _MEASURES.items():
        values = [split.get(name) for split in splits.values()]
        if any(isinstance(value, float | int) for value in values):
            shown = [f"{value:.3f}" if isinstance(value, float | int) else "–" for value in values]
            rows.append(f"| {label} | {' | '.join(shown)} |")
    head = f"| | {' | '.join(map(_line, splits))} |\n|---|{'---:|' * len(splits)}"
    return "\n".join([head, *rows]) if rows else ""


def _line(value: Any) -> str:
    """A value from a card as plain text of one line."""
    return re.sub(r"([\\`*_\[\]|<>#])", r"\\\1", " ".join(str(value).split()))
