"""Open the demo: ``python app.py [--host --port --share --data --checkpoint --device --mcp]``."""

import argparse
import importlib.util
import logging
import os
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"


def parse_arguments() -> argparse.Namespace:
    """Read the command line; bad values end the program with one line."""
    parser = argparse.ArgumentParser(description="Referring atomic video action recognition in the browser.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=None, help="port (default: the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="open a public link through Gradio's tunnel")
    parser.add_argument("--data", type=Path, default=None, help="folder of records (*.jsonl) to take the samples from")
    parser.add_argument("--checkpoint", default=None, help="name, folder or hub id (default: the shipped weights)")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"], help="where the model runs")
    parser.add_argument("--mcp", action="store_true", help="serve the API as tools over MCP too")
    arguments = parser.parse_args()
    if arguments.data is not None and not arguments.data.is_dir():
        parser.error(f"--data {arguments.data} is not a folder; give one that holds *.jsonl records")
    if arguments.mcp and importlib.util.find_spec("mcp") is None:
        parser.error("--mcp needs the package mcp; install it with: pip install 'gradio[mcp]'")
    return arguments


def main() -> None:
    """Build the demo around a predictor that loads in the background, and launch it."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    from refatomnet.demo import build_demo, launch_options, read_samples
    from refatomnet.demo.handlers import AnyPredictor
    from refatomnet.errors import DataError

    def load() -> AnyPredictor:
        from refatomnet.predictor import Predictor

        predictor: AnyPredictor = Predictor.from_pretrained(arguments.checkpoint, device=arguments.device)
        return predictor

    try:
        samples = read_samples(arguments.data or ASSETS)
        demo = build_demo(load, samples)
    except DataError as error:
        raise SystemExit(f"app.py: {error}") from error
    options = launch_options(samples, host=arguments.host, port=arguments.port, share=arguments.share)
    demo.launch(**options, mcp_server=arguments.mcp)


if __name__ == "__main__":
    main()
