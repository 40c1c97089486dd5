"""Parse the subset of Markdown used in descriptions into blocks that a template renders; nothing is marked safe."""

import re
from dataclasses import dataclass

PIECE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*")
KINDS = ["code", "strong", "em"]  # by the group of PIECE
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
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", (text or "").strip()):
        lines = [line for line in part.splitlines() if line.strip()]
        while lines:
            is_list = bool(ITEM.match(lines[0]))
            length = 1
            while length < len(lines) and (is_list or not ITEM.match(lines[length])):
                length += 1
            blocks.append(_list(lines[:length]) if is_list else _paragraph(lines[:length]))
            lines = lines[length:]
    return blocks


def _paragraph(lines: list[str]) -> Block:
    return Block([_pieces(" ".join(line.strip() for line in lines))])


def _list(lines: list[str]) -> Block:
    items: list[str] = []
    for line in lines:
        if item := ITEM.match(line):
            items.append(item[1])
        else:
            items[-1] += " " + line.strip()
    return Block([_pieces(item) for item in items], is_list=True)


def _pieces(line: str) -> list[Piece]:
    pieces: list[Piece] = []
    end = 0
    for match in PIECE.finditer(line):
        if match.start() > end:
            pieces.append(Piece(line[end : match.start()]))
        group = match.lastindex or 0  # one of the three groups always matches
        pieces.append(Piece(match[group], KINDS[group - 1]))
        end = match.end()
    return [*pieces, Piece(line[end:])] if end < len(line) else pieces
