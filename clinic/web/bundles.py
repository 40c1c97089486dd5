"""Style sheets made of many parts, served as one file each.

A file in static/bundles/ only imports parts. A browser follows these imports when the sources are served as they are,
in development and in tests; collectstatic puts the parts in their places, and a bundle costs one request.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

BUNDLES = "bundles/"
PARTS = ("css/",)
IMPORT = re.compile(r'^@import "([^"]+)"(?: layer\((\w+)\))?;\n', re.MULTILINE)


def bundled(name: str, read: Callable[[str], str]) -> str:
    """The text of the bundle `name` with its parts in the places of its imports; `read` gives the text of a file."""

    def part(found: re.Match) -> str:
        text = read(normpath(join(dirname(name), found[1])))
        return f"@layer {found[2]} {{\n{text}}}\n" if found[2] else text

    return IMPORT.sub(part, read(name))


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage of hashed and compressed files, with bundles instead of their parts."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[tuple]:
        """Django calls this with {name: (storage, path)} once all files are copied."""

        def source(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return file.read().decode()

        if not dry_run:
            texts = {name: bundled(name, source) for name in paths if name.startswith(BUNDLES)}
            for name, text in texts.items():
                Path(self.path(name)).write_text(text, encoding="utf-8")
            parts = {name for name in paths if name.startswith(PARTS)}
            self.delete_files(parts)
            paths = {name: found for name, found in paths.items() if name not in parts}
            paths |= {name: (self, name) for name in texts}
        yield from super().post_process(paths, dry_run=dry_run, **options)
