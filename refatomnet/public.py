"""Public models from the hub or a folder, through transformers' public classes, which are imported when asked for.

No code from a repository is run, and weights are read from safetensors only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refatomnet.downloads import hub_errors
from refatomnet.errors import CheckpointError

# Configs, tokenizers and weights; not the same weights in other forms.
_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
_PROCESSORS = {"AutoImageProcessor": {"backend": "pil"}, "AutoTokenizer": {}}  # pil: without torchvision


@dataclass(frozen=True)
class PublicModel:
    """A public model and what we need it for.

    what: What it is to us, for messages, as "detector". source: a hub id, or a folder as transformers saves it.
    revision: Branch, tag or commit on the hub; the main one by default. megabytes: about how large the download is,
    None if that is not known.
    """

    what: str
    source: str | Path
    revision: str | None = None
    megabytes: int | None = None

    def fetch(self, **download: Any) -> Path:
        """The folder with its files: the source itself, or the hub's as kept on this machine, downloaded if need be.

        Args:
            download: How it is fetched: token, cache_dir, force_download, local_files_only.

        Raises:
            CheckpointError: If it is neither here nor on a hub that can be reached.
        """
        folder = Path(self.source).expanduser()
        if folder.is_dir():
            return folder
        from huggingface_hub import snapshot_download

        try:
            return Path(snapshot_download(str(self.source), revision=self.revision, allow_patterns=_FILES, **download))
        except hub_errors() as error:
            size = f" (a download of {self.megabytes:,} MB)" if self.megabytes else ""
            at = f" at revision {self.revision!r}" if self.revision else ""
            raise CheckpointError(
                f"the {self.what} {str(self.source)!r}{at}{size} is neither on this machine nor reachable on the hub; "
                "connect once to fetch it, or give a folder that has it"
            ) from error

    def load(self, kind: str, folder: Path) -> Any:
        """Its network, in single precision and evaluation mode on the CPU, frozen.

        Args:
            kind: One of transformers' automatic classes, such as ``"AutoModelForObjectDetection"``.
            folder: As :meth:`fetch` gave it.

        Raises:
            CheckpointError: If the files are damaged, lack weights, need a library that is not here, or are of another
                kind of model.
        """
        import torch

        # Sizes that differ are let pass here and refused below, as the error raised for them does not name them.
        how = {"output_loading_info": True, "use_safetensors": True, "ignore_mismatched_sizes": True}
        model, told = self._read(kind, folder, dtype=torch.float32, **how)
        if wrong := sorted({*told["missing_keys"], *(name for name, *_ in told["mismatched_keys"])}):
            raise CheckpointError(
                f"the {self.what} in {folder} does not fit its config: missing or of another size are {len(wrong)} of "
                f"its tensors, such as {wrong[0]}; fetch it again"
            )
        return model.eval().requires_grad_(False)

    def load_processor(self, kind: str, folder: Path) -> Any:
        """What prepares its input: ``"AutoImageProcessor"``, on Pillow alone, or ``"AutoTokenizer"``.

        Raises:
            CheckpointError: If its files are missing or damaged.
        """
        return self._read(kind, folder, **_PROCESSORS[kind])

    def _read(self, kind: str, folder: Path, **how: Any) -> Any:
        import transformers
        from safetensors import SafetensorError
        from transformers.utils import logging

        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # what is on the disk takes seconds
        try:
            return getattr(transformers, kind).from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, **how
            )
        except ImportError as error:
            said = " ".join(str(error).split()).partition(".")[0]
            raise CheckpointError(
                f"the {self.what} in {folder} cannot be used without another library ({said}); install that, or take "
                f"a {self.what} that needs none"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
            said = " ".join(str(error).split())[:200]
            raise CheckpointError(f"the {self.what} in {folder} cannot be used ({said}); fetch it again") from error
        finally:
            if bars:
                logging.enable_progress_bar()
