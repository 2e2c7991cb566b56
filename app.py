"""Open the demo: ``python app.py``; ``--help`` lists the options. Builds the page and launches it, nothing else."""

import argparse
import importlib.util
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from refatomnet.downloads import NAMED, fetch, is_hub_id

if TYPE_CHECKING:
    from refatomnet.demo.handlers import AnyPredictor

ASSETS = Path(__file__).parent / "assets"
AUTH = "REFATOMNET_AUTH"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line and REFATOMNET_AUTH; bad values end the program with one line and exit code 2."""
    parser = _Parser(
        "app.py", description="Referring atomic video action recognition in the browser.", allow_abbrev=False
    )
    add = parser.add_argument
    add("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), help="address to listen on (%(default)s)")
    add("--port", type=_whole(1, 65535), help="port (default: the first free one from 7860)")
    add("--share", action="store_true", help="open a public link through Gradio's tunnel")
    add("--data", metavar="DIR", type=Path, help="folder of described people to browse and to take samples from")
    add("--checkpoint", metavar="C", type=_checkpoint, action="append", default=[],
        help="name, folder or hub id (owner/name, downloaded first); repeatable, the first is used until another is "
        "chosen; without it, the shipped weights, and no network")  # fmt: skip
    add("--device", default="auto", choices=["auto", "cpu", "cuda"], help="where the model runs (%(default)s)")
    add("--auth", metavar="USER:PASSWORD", type=_login, action="append", default=[],
        help=f"ask for a login; repeatable; {AUTH} in the environment, one a line, keeps it private")  # fmt: skip
    add("--mcp", action="store_true", help="serve the endpoints as tools over MCP too")
    add("--max-upload", metavar="MB", type=_whole(1, 100_000), default=200, help="largest clip (%(default)s)")
    add("--queue", metavar="N", type=_whole(1, 10_000), default=64, help="requests that may wait (%(default)s)")
    arguments = parser.parse_args(given)
    for line in os.environ.get(AUTH, "").split():
        try:
            arguments.auth.append(_login(line))
        except argparse.ArgumentTypeError:
            parser.error(f"{AUTH} in the environment is not USER:PASSWORD, one a line")
    if arguments.data is not None and not arguments.data.is_dir():
        parser.error(f"--data {arguments.data} is not a folder; give one with *.jsonl records or RefAVA++'s pickles")
    if arguments.mcp and importlib.util.find_spec("mcp") is None:
        parser.error("--mcp needs the package mcp; install it with: pip install 'mcp>=1.21,<2'")
    if arguments.mcp and arguments.auth:
        parser.error("--mcp does not ask for a login, so it cannot go with --auth; leave one of them out")
    return arguments


def main() -> None:
    """Build the demo around a predictor that loads once the page is there, and launch it."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what visitors left is deleted then too
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # it goes through all of them after every request
    from refatomnet.demo import build_demo, launch_options, read_samples
    from refatomnet.demo.endpoints import prepare_tools
    from refatomnet.demo.limits import Limits
    from refatomnet.demo.loading import choose_predictor
    from refatomnet.errors import DataError
    from refatomnet.heap import share_one_heap

    _fetch(arguments.checkpoint)
    choose = choose_predictor()
    share_one_heap()
    checkpoints = {_shown(source): source for source in [*arguments.checkpoint, *NAMED]}
    opened = threading.Event()
    limits = Limits(max_file_mb=arguments.max_upload, queue=arguments.queue)
    try:
        data = arguments.data or ASSETS
        samples = read_samples(data)
        demo = build_demo(
            _after(opened, lambda: choose(next(iter(checkpoints.values())), arguments.device)),
            samples, data, limits=limits, checkpoints=checkpoints, choose=choose, device=arguments.device,
        )  # fmt: skip
        options = launch_options(
            samples, host=arguments.host, port=arguments.port, share=arguments.share, limits=limits
        )
        demo.launch(**options, mcp_server=arguments.mcp, auth=arguments.auth or None, prevent_thread_lock=True)
    except DataError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"the page cannot be served at {arguments.host}, port {arguments.port or 'any'} ({error})")
    prepare_tools(demo)
    opened.set()
    demo.block_thread()


def _fetch(checkpoints: list[str]) -> None:
    """Download what is asked for and not here yet, and tell how far it is; where that fails, end with one line."""
    from refatomnet.console import Progress
    from refatomnet.errors import CheckpointError

    try:
        with Progress(quiet=False) as progress:
            for source in checkpoints:
                fetch(source, progress)
    except CheckpointError as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _shown(source: str) -> str:
    """What the page calls a checkpoint: a folder by its last part alone."""
    return Path(source).expanduser().resolve().name if Path(source).expanduser().is_dir() else source


def _after(opened: threading.Event, load: "Callable[[], AnyPredictor]") -> "Callable[[], AnyPredictor]":
    """Loads only when the page is there, which would else wait for PyTorch's import."""

    def wait() -> "AnyPredictor":
        opened.wait()
        return load()

    return wait


def _refuse(message: str) -> NoReturn:
    print(f"app.py: {message}", file=sys.stderr)
    sys.exit(2)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


def _login(text: str) -> tuple[str, str]:
    user, _, password = text.partition(":")
    if not user or not password:
        raise argparse.ArgumentTypeError("a login is USER:PASSWORD, neither of them empty")
    return user, password


def _checkpoint(text: str) -> str:
    """Refuses what is clearly no checkpoint; the rest shows when it is loaded."""
    folder = Path(text).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() and not (folder / "detector").is_dir():
            raise argparse.ArgumentTypeError(f"{text} is no checkpoint folder: it has no config.json")
    elif text not in NAMED and not is_hub_id(text):
        names = ", ".join(map(repr, NAMED))
        raise argparse.ArgumentTypeError(
            f"there is no checkpoint {text!r}; give {names}, a checkpoint folder, or a hub id as owner/name"
        )
    return text


if __name__ == "__main__":
    main()
