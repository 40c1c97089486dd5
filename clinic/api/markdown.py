"""Parse the subset of Markdown used in descriptions into blocks that a template renders; nothing is marked safe."""

import re
from dataclasses import dataclass

PIECES = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*")
KINDS = ["code", "strong", "em"]
ITEM = re.compile(r"\s*[-*] (.*)")


@dataclass(frozen=True)
class Piece:
    text: str
    kind: str = ""  # one of KINDS, or plain


@dataclass(frozen=True)
class Block:
    """A paragraph or a list of items."""

    lines: list[list[Piece]]
    is_list: bool = False


def parse(text: str | None) -> list[Block]:
    """Parse paragraphs and lists, separated by an empty line or not, with `code` and **strong** pieces."""
    blocks = []
    for part in re.split(r"\n\s*\n", (text or "").strip()):
        lines = [line for line in part.splitlines() if line.strip()]
        while lines:
            is_list = bool(ITEM.match(lines[0]))
            taken = 1
            while taken < len(lines) and (is_list or not ITEM.match(lines[taken])):
                taken += 1
            blocks.append(_block(lines[:taken], is_list))
            lines = lines[taken:]
    return blocks


def _block(lines, is_list):
    if not is_list:
        return Block([_pieces(" ".join(line.strip() for line in lines))])
    items = []
    for line in lines:
        if item := ITEM.match(line):
            items.append(item[1])
        else:
            items[-1] += " " + line.strip()
    return Block([_pieces(item) for item in items], is_list=True)


def _pieces(line):
    pieces, end = [], 0
    for match in PIECES.finditer(line):
        if match.start() > end:
            pieces.append(Piece(line[end : match.start()]))
        pieces.append(Piece(match[match.lastindex], KINDS[match.lastindex - 1]))
        end = match.end()
    return [*pieces, Piece(line[end:])] if end < len(line) else pieces
