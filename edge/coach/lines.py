"""In which line of a TOML document something stands: parsers tell that of syntax errors alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.coach.faults import Step

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*|\n|[\[\]{}=,.]"
    r"""|[^\s\[\]{}=,."'\#]+""",
    re.DOTALL,
)
_Place = tuple[tuple["Step", ...], int]


def line_of(text: str, path: tuple[Step, ...]) -> int:
    """The line (from 1) of what `path` leads to in `text`, a valid TOML document.

    Where the document does not say it, the line of the innermost thing around it that it does say; 1 without one.
    """
    best, depth = 1, 0
    for found, line in _Document(text).places():
        if len(found) > depth and found == path[: len(found)]:
            best, depth = line, len(found)
    return best


class _Document:
    """The tokens of a document, read once from its beginning to its end. A text is one token, a comment none."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            word = match[0]
            if not word.startswith("#"):
                self._tokens.append((word, line))
            line += word.count("\n")
        self._at = 0

    def places(self) -> Iterator[_Place]:
        """Every table, key and element of a list, with the line in which it begins."""
        table: tuple[Step, ...] = ()
        count: dict[tuple[Step, ...], int] = {}
        while self._skip("\n"):
            word, line = self._tokens[self._at]
            if word != "[":
                yield from self._entry(table)
                continue
            self._at += 1
            listed = self._tokens[self._at][0] == "["
            self._at += listed
            table = self._key("]")
            self._at += listed
            yield table, line
            if listed:
                count[table] = count.get(table, -1) + 1
                table = (*table, count[table])
                yield table, line

    def _skip(self, *tokens: str) -> bool:
        """To the next token that is none of these; False at the end."""
        while self._at < len(self._tokens) and self._tokens[self._at][0] in tokens:
            self._at += 1
        return self._at < len(self._tokens)

    def _key(self, end: str) -> tuple[str, ...]:
        """The parts of a dotted key; `end` is passed, too."""
        parts = []
        while (word := self._tokens[self._at][0]) != end:
            self._at += 1
            if word != ".":
                parts.append(word[1:-1] if word[0] in "\"'" else word)
        self._at += 1
        return tuple(parts)

    def _entry(self, table: tuple[Step, ...]) -> Iterator[_Place]:
        line = self._tokens[self._at][1]
        path = (*table, *self._key("="))
        yield path, line
        yield from self._value(path)

    def _value(self, path: tuple[Step, ...]) -> Iterator[_Place]:
        word = self._tokens[self._at][0]
        if word == "{":
            self._at += 1
            while self._skip("\n", ",") and self._tokens[self._at][0] != "}":
                yield from self._entry(path)
            self._at += 1
        elif word == "[":
            self._at += 1
            number = 0
            while self._skip("\n", ",") and self._tokens[self._at][0] != "]":
                yield (*path, number), self._tokens[self._at][1]
                yield from self._value((*path, number))
                number += 1
            self._at += 1
        else:
            while self._at < len(self._tokens) and self._tokens[self._at][0] not in (",", "]", "}", "\n"):
                self._at += 1
