"""Train a model on a data set's cached features.

    python -m training.train CONFIG.yaml [--resume] [key=value …]

Also under ``accelerate launch -m training.train …`` or ``torchrun -m training.train …`` on several processes or GPUs.
Everything of a run lies in its folder: resolved config, TensorBoard events, the state to resume from, the checkpoint of
the best validation score so far, and in the end its evaluation on val, which ``training.evaluate`` makes again.
"""

import argparse
import json
import logging
import shlex
import sys
from pathlib import Path

from refatomnet.heap import keep_freed
from training.arguments import Parser, run
from training.config import read_train_config
from training.data.records import write_text
from training.evaluate import measure
from training.trainer import Trainer

_LOG = logging.getLogger(__name__)


def train(options: argparse.Namespace) -> int:
    config = read_train_config(options.config, options.overrides)
    keep_freed()
    trainer = Trainer(config)
    if not trainer.accelerator.is_main_process:
        logging.disable(logging.INFO)  # one process speaks for all
    trainer.begin(resume=options.resume)
    ends = ", ".join(f"{phase} until step {end}" for phase, end in trainer.ends.items())
    _LOG.info("%d stills, %d clips; %s", len(trainer.still_set), len(trainer.train_set), ends)
    if not trainer.finished:
        trainer.fit()
    if trainer.finished:
        trainer.accelerator.wait_for_everyone()  # one process writes the checkpoint that all read now
        best = trainer.folder / "best"
        found = measure(trainer.data_folder, "val", best)
        arguments = ["--data", str(trainer.data_folder), "--split", "val", "--checkpoint", str(best)]
        command = f"python -m training.evaluate {shlex.join(arguments)}"
        if trainer.accelerator.is_main_process:
            write_text(trainer.folder / "evaluation.json", json.dumps({**found, "command": command}, indent=1) + "\n")
            _LOG.info("evaluation of the best checkpoint on val is in %s", trainer.folder / "evaluation.json")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.train", description="Train a model on a data set's cached features.")
    parser.add_argument("config", metavar="CONFIG.yaml", type=Path)
    parser.add_argument("--resume", action="store_true", help="go on with the run that lies in the run folder")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="over the config's own; part.key=value too")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    return run(parser, train, arguments)


if __name__ == "__main__":
    sys.exit(main())
