"""Read the variables of this program from an env file."""

from __future__ import annotations

import re

from pinecone_admin.cli.failures import CLIError

# Other lines may be anything: the file belongs to other programs, too.
_LINE = re.compile(r"\s*(?:export\s+)?(PINECONE_\w+)\s*=(.*)", re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'([^']*)'(?:\s+#.*)?")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+#.*)?')
_ESCAPED = re.compile(r'\\(["\\$`])')
_NEEDS_QUOTES = re.compile(r"""[\s'"`$\\;|&<>()]""")


def parse_env_file(text: str, *, source: str) -> dict[str, str]:
    """Return the variables that begin with ``PINECONE_``; the last of several lines of one name counts.

    Args:
        text: Lines as ``NAME=value``, with or without ``export`` and quotes. Nothing is expanded.
        source: How errors name the file.

    Raises:
        CLIError: A line of such a variable is damaged; the message does not quote it.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        value = _parse_value(match[2].strip())
        if value is None:
            raise CLIError(f"{source}, line {number}: the value of {match[1]} is not quoted as it should be")
        found[match[1]] = value
    return found


def _parse_value(text: str) -> str | None:
    if text.startswith("'"):
        quoted = _SINGLE_QUOTED.fullmatch(text)
        return None if quoted is None else quoted[1]
    if text.startswith('"'):
        quoted = _DOUBLE_QUOTED.fullmatch(text)
        return None if quoted is None or re.search(r"(?<!\\)[$`]", quoted[1]) else _ESCAPED.sub(r"\1", quoted[1])
    value = re.split(r"(?:^|\s+)#", text, maxsplit=1)[0]
    return None if _NEEDS_QUOTES.search(value) else value
