"""How the workers of a run share the rewriting of assertions, which takes longer than to import the files.

pytest keeps a rewritten file for later runs. Where nothing is kept yet, as in a fresh clone, workers that collect in
one order all rewrite the same files at the same time. So every worker begins with files of its own.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def import_own_share(arguments: Iterable[str]) -> None:
    """Import every nth test file below pytest's `arguments`, where n is the number of workers.

    pytest collects from a module that is imported already. Collecting a file shows what is wrong with it.
    """
    worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    for file in files(arguments)[worker :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]:
        with suppress(Exception, pytest.skip.Exception, pytest.fail.Exception):
            import_module(module_name(file))


def module_name(file: Path) -> str:
    """Return the name under which pytest imports a test file."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def files(arguments: Iterable[str]) -> list[Path]:
    """Return the test files in the order of their paths."""
    paths = {Path(argument.partition("::")[0]).resolve() for argument in arguments}
    return sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))})
