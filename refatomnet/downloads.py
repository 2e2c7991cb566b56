"""What checkpoints need from the Hugging Face Hub: whether it is here, how much is to come, and fetching it.

Light, so that the page can tell without PyTorch, and silent: only :func:`look_up` and :func:`fetch` speak with the hub,
and only about a checkpoint that needs it and is not here yet.
"""

import fnmatch
import hashlib
import json
import multiprocessing
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from refatomnet.errors import Cancelled, CheckpointError

SHIPPED = "compact"
CHECKPOINT_FILES = ("config.json", "model.safetensors")
TIMEOUT_S = 4.0  # for the hub to say how large something is
POLL_S = 0.1
STOP_S = 5.0  # for a download that is stopped to clear its half-written file away
_STEP = 2**20  # bytes between two words about it
_INDEX = "model.safetensors.index.json"  # of weights in several files

Progress = Callable[[str, float], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class HubFiles:
    """Files of a repository on the hub, by name or by pattern such as ``*.safetensors``.

    files: Each of these must be there. also: these are taken where they are. megabytes: about how large all of it is,
    None if that is not known.
    """

    repo: str
    files: tuple[str, ...]
    revision: str | None = None
    also: tuple[str, ...] = ()
    megabytes: int | None = None


@dataclass(frozen=True)
class Outlook:
    """What stands between a checkpoint and its use.

    missing: Bytes still to fetch; 0 where all is here, None where that is not known. problem: why it cannot be had, as
    a sentence.
    """

    missing: int | None = 0
    problem: str = ""


# Public models: the revision to take, where not the main one, and about how many MB that is.
PUBLIC: dict[str, tuple[str | None, int]] = {
    "ustc-community/dfine-small-coco": (None, 42),
    "google/siglip2-base-patch16-224": (None, 1540),
    "facebook/detr-resnet-50": ("no_timm", 167),
    "Salesforce/blip2-itm-vit-g": (None, 4690),
    "Salesforce/blip2-opt-2.7b": (None, 14980),
}


def weights_sha256(folder: Path) -> str:
    """SHA-256 of the weights in a folder; of several files, that of their hashes in order of their names.

    The hub's cache names what it keeps by this very hash, which spares reading gigabytes.
    """
    hashes = []
    for path in sorted(folder.glob("*.safetensors")):
        known = path.resolve().name
        if len(known) == 64 and set(known) <= set("0123456789abcdef"):
            hashes.append(known)
            continue
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def public_model(repo: str) -> HubFiles:
    """What transformers reads of a model on the hub: settings, words and weights, these in one form only."""
    revision, size = PUBLIC.get(repo, (None, None))
    return HubFiles(repo, ("config.json", "*.safetensors"), revision, ("*.json", "*.txt", "*.model"), size)


# Checkpoints that go by a name of their own, in the order in which the page offers them, and what they need.
NAMED: dict[str, tuple[HubFiles, ...]] = {
    SHIPPED: (),
    "zero-shot": (
        public_model("ustc-community/dfine-small-coco"),
        public_model("google/siglip2-base-patch16-224"),
    ),
}


def is_hub_id(source: str | Path) -> bool:
    """Whether this reads as ``owner/name`` on the hub, and is no folder here."""
    looks_so = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", str(source)) and not str(source).endswith((".safetensors", ".json"))
    return bool(looks_so) and not Path(source).expanduser().is_dir()


def needs(source: str | Path | None) -> tuple[HubFiles, ...]:
    """What a checkpoint, as ``--checkpoint`` names it, needs from the hub, as far as that can be told from here.

    Nothing for the shipped one; its own files for a hub id; and of folders and hub ids whose config is here, the
    public models whose names their config gives as encoders.
    """
    return (*_own(source), *public_models(source))


def public_models(source: str | Path | None) -> tuple[HubFiles, ...]:
    """Those of them that are public models."""
    if source is None or str(source) in NAMED:
        return NAMED[str(source or SHIPPED)]
    if not _own(source):
        return _stands_on(Path(source).expanduser() / "config.json")
    from huggingface_hub import try_to_load_from_cache

    here = try_to_load_from_cache(str(source), "config.json")
    return _stands_on(Path(here)) if isinstance(here, str) else ()


def glance(source: str | Path | None) -> Outlook:
    """What can be told without the network: nothing is missing, or how much is not known."""
    return Outlook(0 if all(map(is_here, needs(source))) else None)


def look_up(source: str | Path | None) -> Outlook:
    """The bytes that a checkpoint still lacks, asked of the hub unless all of it is here."""
    try:
        return Outlook(sum(file.size for file in _missing(source)))
    except CheckpointError as error:
        return Outlook(None, str(error))


def fetch(
    source: str | Path | None,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
    *,
    public: bool = True,
) -> None:
    """Download what a checkpoint lacks into the hub's cache; files that came whole are kept when it is stopped.

    It is done in a process of its own, which can be stopped at any moment, also while the network hangs.

    Args:
        source: As for :func:`needs`.
        progress: Called with what is done, in words, and how much of it, 0 to 1.
        cancelled: Asked every tenth of a second; stops the download when it says true.
        public: Whether the public models that it needs are fetched too.

    Raises:
        CheckpointError: If the hub cannot be reached, has no such files, or they cannot be written.
        Cancelled: If it was stopped.
    """
    files = _missing(source, public=public)
    if not files:
        return
    whole = sum(file.size for file in files)
    stage = f"Downloading {source}, {megabytes(whole)}"
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_download, args=(theirs, files), name="download", daemon=True)
    process.start()
    theirs.close()
    came = 0
    try:
        while True:
            if cancelled is not None and cancelled():
                raise Cancelled(f"the download of {source} was stopped")
            if progress is not None:
                progress(stage, min(0.99, came / max(whole, 1)))
            if not ours.poll(POLL_S):
                continue
            told = ours.recv()
            if told is None:
                process.join(STOP_S)
                if progress is not None:
                    progress(stage, 1.0)
                return
            if isinstance(told, str):
                raise CheckpointError(
                    f"the download of {source} failed ({told}); see that the hub can be reached and that the disk has "
                    f"room for {megabytes(whole)}, and try again"
                )
            came += told
    except EOFError as error:
        raise CheckpointError(f"the download of {source} was ended from outside; try again") from error
    finally:
        ours.close()
        process.terminate()
        process.join(STOP_S)
        process.kill()
        process.join()


def megabytes(size: int) -> str:
    """Bytes in words: "845 MB", "1.7 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 999.5e6 else f"{max(size, 1) / 1e6:.{0 if size >= 9.95e6 else 1}f} MB"


def hub_errors() -> tuple[type[Exception], ...]:
    """What the hub's client raises where the hub is out of reach or refuses."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    transport = HfHubHTTPError.__mro__[1]  # the HTTP library's own; which library depends on the client's version
    return HfHubHTTPError, transport, EntryNotFoundError, OSError, ValueError


@dataclass(frozen=True)
class _File:
    need: HubFiles
    name: str
    size: int


def is_here(need: HubFiles) -> bool:
    """Whether all of it is in the cache, of weights in parts every part; the disk alone is asked."""
    from huggingface_hub import snapshot_download

    own = list(need.files)
    try:
        folder = Path(snapshot_download(need.repo, revision=need.revision, allow_patterns=own, local_files_only=True))
    except hub_errors():
        return False
    return all(any(folder.glob(pattern)) for pattern in (*need.files, *_parts(folder)))


def _parts(folder: Path) -> set[str]:
    """The files that weights lie in, where they are in several."""
    try:
        return set(json.loads((folder / _INDEX).read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _own(source: str | Path | None) -> tuple[HubFiles, ...]:
    """The checkpoint's own files on the hub."""
    named = source is None or str(source) in NAMED or not is_hub_id(source)
    return () if named else (HubFiles(str(source), CHECKPOINT_FILES),)


def _stands_on(config: Path) -> tuple[HubFiles, ...]:
    """The public models that a checkpoint's config names as its encoders; what cannot be read names none."""
    try:
        encoders = json.loads(config.read_text(encoding="utf-8"))["encoders"].values()
        names = [str(part["name"]) for part in encoders]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()  # whoever loads it says what is wrong
    return tuple(public_model(name) for name in dict.fromkeys(names) if is_hub_id(name))


def _missing(source: str | Path | None, *, public: bool = True) -> list[_File]:
    """The files that are to be fetched, the largest last, so that where weights are, all else is.

    Of a hub id the config, which is small, is fetched at once: it says what else is needed.

    Raises:
        CheckpointError: If the hub cannot be reached, or has no such repository or files.
    """
    for own in _own(source):
        if not is_here(own) and any(file.name == "config.json" for file in _on_hub(str(source), own, [own])):
            from huggingface_hub import hf_hub_download

            with _asking(str(source), own, [own]):
                hf_hub_download(own.repo, "config.json")
    lacking = [need for need in (needs(source) if public else _own(source)) if not is_here(need)]
    files = [file for need in lacking for file in _on_hub(str(source), need, lacking)]
    return sorted(files, key=lambda file: file.size)


@contextmanager
def _asking(source: str, need: HubFiles, lacking: Sequence[HubFiles]) -> Iterator[None]:
    """Makes of what the hub's client raises one sentence, about this or about all that a checkpoint lacks."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    where = f"{need.repo!r}" + (f" at revision {need.revision!r}" if need.revision else "")
    try:
        yield
    except (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise CheckpointError(
            f"the hub has no {where}, or does not show it to you; see that the name is right and, if it is private, "
            "that you are logged in (hf auth login)"
        ) from error
    except hub_errors() as error:
        are, them = ("is", "it") if len(lacking) == 1 else ("are", "them")
        wanted = in_words(lacking) if source == need.repo else f"{source!r} needs {in_words(lacking)}, which"
        raise CheckpointError(
            f"{wanted} {are} neither on this machine nor reachable on the hub; connect once to fetch {them}, or use "
            f"{SHIPPED!r}, which needs no network"
        ) from error


def in_words(several: Sequence[HubFiles]) -> str:
    """Repositories with how large a download they are, as far as that is known: "'a/b' (42 MB) and 'c/d'"."""
    told = [f"{one.repo!r}" + (f" ({megabytes(one.megabytes * 10**6)})" if one.megabytes else "") for one in several]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _on_hub(source: str, need: HubFiles, lacking: Sequence[HubFiles]) -> list[_File]:
    """Its files on the hub that are not here; ``lacking`` is all that the checkpoint lacks.

    Raises:
        CheckpointError: If the hub cannot be reached, or has no such repository or files.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    with _asking(source, need, lacking):
        info = HfApi().model_info(need.repo, revision=need.revision, files_metadata=True, timeout=TIMEOUT_S)
    files = [(part.rfilename, part.size or 0) for part in info.siblings or ()]
    if absent := [one for one in need.files if not any(fnmatch.fnmatch(name, one) for name, _ in files)]:
        raise CheckpointError(f"{need.repo!r} on the hub is nothing that {source} can use: it has no {absent[0]}")
    return [
        _File(need, name, size)
        for name, size in files
        if any(fnmatch.fnmatch(name, one) for one in (*need.files, *need.also))
        and not isinstance(try_to_load_from_cache(need.repo, name, revision=info.sha), str)
    ]


def _download(told: Connection, files: Sequence[_File]) -> None:
    """In a process of its own: fetch files, telling bytes as they come, an error as text, and the end as None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever began this, who then ends it
    # As Ctrl-C does elsewhere: the hub's client ends what it has begun and deletes the half-written file.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.utils.logging import set_verbosity_error
        from tqdm import tqdm

        set_verbosity_error()
        constants.DOWNLOAD_CHUNK_SIZE = _STEP

        class Told(tqdm):
            """Shows nothing; tells every step."""

            def __init__(self, *given: Any, **options: Any) -> None:
                super().__init__(disable=True)

            def update(self, step: float | None = 1) -> None:
                told.send(int(step or 0))

            def update_transfer(self, step: float | None = 1) -> None:
                """What came over the network, where that is counted apart from what was written."""

        for file in files:
            # By the revision's name, not the commit's, so that the cache will know it by that name.
            hf_hub_download(file.need.repo, file.name, revision=file.need.revision, tqdm_class=Told)
        told.send(None)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except Exception as error:
        told.send(" ".join(f"{error}".split()) or type(error).__name__)
