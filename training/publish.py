"""Put a checkpoint or a data set on the Hugging Face Hub, with its card.

    python -m training.publish CHECKPOINT OWNER/NAME [--evaluation test.json …]
    python -m training.publish DATA OWNER/NAME

A checkpoint's card is written from its config and what ``training.evaluate`` measured; a data set's is the one in it.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from refatomnet.downloads import megabytes, weights_sha256
from refatomnet.errors import DataError, OptionError
from refatomnet.hub import check_sources, pushing
from refatomnet.model import RavarModel
from refatomnet.records import read_records
from training.arguments import Parser, run
from training.card import KEPT, KEPT_OF_TEST
from training.data.card import TITLE
from training.data.records import read_object

CLIPS = "clips/*.mp4"  # in folders below too: the hub's patterns go over slashes


def publish(options: argparse.Namespace) -> int:
    if (options.folder / "config.json").is_file():
        where = publish_checkpoint(options)
    elif options.evaluation:
        raise OptionError(f"--evaluation goes with a checkpoint, and {options.folder} has no config.json")
    else:
        where = publish_data(options)
    print(where)
    return 0


def publish_checkpoint(options: argparse.Namespace) -> str:
    """Upload a checkpoint folder with a card that tells its scores; returns the address of the commit."""
    model = RavarModel.from_pretrained(options.folder)
    scores = dict(model.card.get("scores") or {})
    weights = weights_sha256(options.folder)
    for path in options.evaluation:
        split, found = read_evaluation(path, str(model.card.get("name")), weights)
        scores[split] = found
    model.card["scores"] = scores
    if not options.dry_run:
        return model.push_to_hub(options.repo, private=options.private, commit_message="Upload checkpoint")
    check_sources(model)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return told(Path(folder), sorted(Path(folder).iterdir()), options.repo)


def publish_data(options: argparse.Namespace) -> str:
    """Upload a folder that ``training.generate`` made: card, records, scenes, clips; returns the commit's address.

    Raises:
        DataError: If it is another data set, which may not be ours to pass on, or if clips are missing.
    """
    from huggingface_hub import HfApi

    folder: Path = options.folder
    files = data_files(folder)
    if options.dry_run:
        return told(folder, files, options.repo)
    with pushing(options.repo, DataError):
        api = HfApi()
        repo = api.create_repo(options.repo, repo_type="dataset", private=options.private, exist_ok=True).repo_id
        tables = [str(path.relative_to(folder)) for path in files if path.suffix != ".mp4"]
        commit = api.upload_folder(
            repo_id=repo, folder_path=folder, repo_type="dataset", allow_patterns=[*tables, CLIPS],
            commit_message="Upload data set",
        )  # fmt: skip
        return str(commit.commit_url)


def data_files(folder: Path) -> list[Path]:
    """What of a data set folder is uploaded.

    Raises:
        DataError: If it is another data set, which may not be ours to pass on, or if clips are missing.
    """
    card = folder / "README.md"
    if not card.is_file() or TITLE not in card.read_text(encoding="utf-8").splitlines():
        raise DataError(
            f"{folder} is neither a checkpoint nor made by training.generate; other data sets may not be passed on"
        )
    tables = sorted(folder.glob("*.jsonl"))
    clips = {record.clip for table in tables for record in read_records(table) if record.clip}
    if not clips:
        raise DataError(f"{folder} has no records with clips; make some by training.generate first")
    if lost := sorted(clip for clip in clips if not (folder / clip).is_file()):
        raise DataError(
            f"{folder} lacks {len(lost)} of the clips that its records name, such as {lost[0]}; make it whole"
        )
    scenes, films = sorted(folder.glob("scenes/*.jsonl")), sorted(folder.glob("clips/**/*.mp4"))
    return [card, *tables, *scenes, *films]


def read_evaluation(path: Path, name: str, weights: str) -> tuple[str, dict[str, Any]]:
    """The split and the scores of an evaluation JSON, if they are those of a checkpoint of this name and these weights.

    Args:
        path: What ``training.evaluate --json`` wrote.
        name: The checkpoint's.
        weights: SHA-256 of its model.safetensors; a JSON of an older version does not tell it.

    Raises:
        DataError: If it is no such JSON.
        OptionError: If it is of another checkpoint, or of less or other than the split as it is.
    """
    found = read_object(path)
    try:
        data, command, measured = str(found["data"]), str(found["command"]), found["checkpoint"]
        split = data.rpartition("/")[2]
        scores = {key: found[key] for key in (*KEPT, *KEPT_OF_TEST, "command") if key in found}
        float(scores["miou"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not what training.evaluate --json writes ({error}); measure again") from error
    if measured != name:
        raise OptionError(f"{path} was measured on the checkpoint {measured!r}, this one is {name!r}; measure this one")
    if found.get("weights", weights) != weights:
        raise OptionError(f"{path} was measured on other weights than those of this {name!r}; measure again")
    if {"--limit", "--corruption"} & {word.partition("=")[0] for word in shlex.split(command)}:
        raise OptionError(f"{path} is of a part of {split} or of spoilt clips ({command}); measure it whole")
    return split, scores


def told(folder: Path, files: list[Path], repo: str) -> str:
    """What a dry run says: the files by kind, and the card."""
    sizes = [path.stat().st_size for path in files]
    lines = [f"{megabytes(size):>9}  {path.relative_to(folder)}" for path, size in zip(files, sizes, strict=True)]
    shown = lines if len(lines) <= 20 else [*lines[:20], f"… {len(lines) - 20} more"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    return "\n".join([card, f"{repo} would get {len(files)} files, {megabytes(sum(sizes))}:", *shown])


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 2 bad arguments or data, or the hub cannot be reached."""
    parser = Parser(
        "python -m training.publish", description="Put a checkpoint or a data set on the Hugging Face Hub, with a card."
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a checkpoint, or what training.generate made")
    parser.add_argument("repo", metavar="OWNER/NAME", help="made if missing")
    parser.add_argument(
        "--evaluation", metavar="JSON", type=Path, action="append", default=[],
        help="what training.evaluate --json wrote about the checkpoint; repeatable, one a split",
    )  # fmt: skip
    parser.add_argument("--private", action="store_true", help="where the repository is made, for its owner only")
    parser.add_argument("--dry-run", action="store_true", help="send nothing; show what would be sent, and the card")
    return run(parser, publish, arguments)


if __name__ == "__main__":
    sys.exit(main())
