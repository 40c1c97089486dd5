"""Style sheets and scripts made of many parts, served as one file each.

A file in static/bundles/ only imports parts. A browser follows these imports when the sources are served as they are,
in development; collectstatic puts the parts in their places without their comments, and a bundle costs one request.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

COMMENT = re.compile(r"/\*.*?\*/\n*", re.DOTALL)
STYLE = re.compile(r'^@import "([^"]+)"(?: layer\((\w+)\))?;\n', re.MULTILINE)
MODULE = re.compile(r'^import (?:\{[^}]*\} from )?"([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)


def style(name: str, read: Callable[[str], str]) -> str:
    """The text of a style sheet with its imports in their layers; `read` gives the text of a file by its name."""

    def part(found: re.Match[str]) -> str:
        text = read(normpath(join(dirname(name), found[1])))
        return f"@layer {found[2]} {{\n{text}}}\n" if found[2] else text

    return COMMENT.sub("", STYLE.sub(part, read(name)))


def script(name: str, read: Callable[[str], str], seen: set[str]) -> str:
    """The text of a module after those it imports, each once: one module, so no two may declare the same name."""
    if name in seen:
        return ""
    seen.add(name)
    imported = [script(normpath(join(dirname(name), path)), read, seen) for path in MODULE.findall(read(name))]
    return "".join(imported) + EXPORT.sub("", MODULE.sub("", read(name)))


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage of hashed and compressed files, with bundles instead of their parts."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._urls: dict[str, str] = {}

    def url(self, name: str | None, force: bool = False) -> str:
        """Return the hashed URL of a file; the files of a process stay as they are, and a page names twenty. With
        `force`, which gives it in DEBUG too, nothing is kept."""
        name = name or ""
        if force:
            return super().url(name, force)
        if name not in self._urls:
            self._urls[name] = super().url(name)
        return self._urls[name]

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Called by collectstatic with {name: (storage, path)} once all files are copied."""

        def read(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return str(file.read(), "utf-8")

        if not dry_run:
            bundles = [name for name in paths if name.startswith("bundles/")]
            for name in bundles:
                text = style(name, read) if name.endswith(".css") else script(name, read, set())
                Path(self.path(name)).write_text(text, encoding="utf-8")
            self.delete_files(name for name in paths if name.startswith(("css/", "js/")))
            kept = {name: paths[name] for name in paths if not name.startswith(("css/", "js/", "bundles/"))}
            paths = kept | {name: (self, name) for name in bundles}
        yield from super().post_process(paths, dry_run=dry_run, **options)
        self._urls.clear()
