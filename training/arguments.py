"""What the commands share: errors are one line on standard error, exit code 2."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from refatomnet.errors import OptionError, RefAtomNetError


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see {self.prog} --help")


def picture_size(text: str) -> tuple[int, int]:
    """Width and height in pixels from "320x240"; even, as H.264 wants them.

    Raises:
        argparse.ArgumentTypeError: If it is not such a size.
    """
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(64 <= side <= 1920 and side % 2 == 0 for side in size):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 320x240: even sides of 64 to 1920 pixels")
    return size


def run(parser: Parser, command: Callable[[argparse.Namespace], int], arguments: list[str] | None) -> int:
    """Parse and run; returns the exit code: the command's own, 2 for bad arguments or data, 130 when stopped."""
    try:
        # Intermixed, so that key=value may follow an option; subcommands cannot be parsed that way.
        parse = parser.parse_args if parser._subparsers else parser.parse_intermixed_args
        return command(parse(arguments))
    except KeyboardInterrupt:
        print("stopped; what is finished is kept", file=sys.stderr)
        return 130
    except RefAtomNetError as error:
        print(f"error: {error}", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename or 'the disk'}: {error.strerror or error}", file=sys.stderr)
    return 2
