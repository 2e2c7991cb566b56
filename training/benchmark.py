"""How fast the data set is made, encoding included.

    python -m training.benchmark [--size 320x240] [--clips 40] [--workers 2]

Clips are made in a temporary folder. The first two a worker warm them up and do not count.
"""

import argparse
import sys
import tempfile

from refatomnet.errors import DataError, OptionError
from training.arguments import Parser, picture_size, run
from training.crew import Progress, run_crew
from training.generate import SPLITS, STUDIO, Job, prepare

WARM_UP = 2  # clips a worker


def benchmark(options: argparse.Namespace) -> int:
    if options.clips < 1 or options.workers < 1:
        raise OptionError(f"--clips and --workers must be at least 1, got {options.clips} and {options.workers}")
    warm = WARM_UP * options.workers
    progress = Progress(options.split, warm + options.clips)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(folder, options.split, 0, options.size, studio=options.studio)
        failed = run_crew(prepare, job, list(range(progress.total)), options.workers, progress)
    if failed:
        raise DataError(f"{len(failed)} of {progress.total} clips failed; their times would mislead")
    seconds = progress.finished[-1] - progress.finished[warm - 1]
    size = "mixed sizes" if options.size is None else "x".join(map(str, options.size))
    print(f"{options.clips} clips of {size} in {seconds:.1f} s: {options.clips / seconds:.2f} clips/s", end="")
    took = progress.seconds[warm:]
    stages = ", ".join(f"{stage} {sum(each[stage] for each in took) / len(took):.3f}" for stage in took[0])
    print(f" with {options.workers} workers; seconds a clip and worker: {stages}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.benchmark", description="Time the making of the data set.")
    parser.add_argument("--size", type=picture_size, help="such as 320x240; without it, a mix")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--studio", default=STUDIO, help=argparse.SUPPRESS)
    return run(parser, benchmark, arguments)


if __name__ == "__main__":
    sys.exit(main())
