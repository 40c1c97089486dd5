"""The standard output of a command, which its reader may close before the command ends, as `head` does."""

import os
import sys
from io import TextIOBase


def print_line(stdout: TextIOBase, line: str) -> None:
    """Write the line at once. Into an output that was closed nothing is written, and the command goes on."""
    try:
        stdout.write(line)
        stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Have what is written from now on go nowhere: Python itself writes what is left when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
