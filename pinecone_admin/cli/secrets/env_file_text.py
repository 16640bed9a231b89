"""Read variables in the text of an env file, and set some while everything else in it stays."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.secrets.new_secret import StoreError

VARIABLE_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")

# A quoted value may span several lines, none of which is an assignment of its own.
_ASSIGNMENT = re.compile(
    rb"""^(?P<before>[ \t]*(?:export[ \t]+)?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"""
    rb"""(?:"(?:[^"\\]|\\.)*"|'[^']*')?[^\r\n]*""",
    re.MULTILINE | re.DOTALL,
)
_PLAIN = re.compile(r"[A-Za-z0-9_.:/+=@%,-]+")
# Within single quotes, each program that reads env files takes these characters as they are.
_QUOTABLE = re.compile(r"[ -&(-~]+")
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
        value = _read_value(match[2].strip())
        if value is None:
            raise CLIError(f"{source}, line {number}: the value of {match[1]} is not quoted as it should be")
        found[match[1]] = value
    return found


def _read_value(text: str) -> str | None:
    """Return what a line gives its variable, without quotes and comment; None if it depends on what reads the file."""
    if text.startswith("'"):
        quoted = _SINGLE_QUOTED.fullmatch(text)
        return None if quoted is None else quoted[1]
    if text.startswith('"'):
        quoted = _DOUBLE_QUOTED.fullmatch(text)
        return None if quoted is None or re.search(r"(?<!\\)[$`]", quoted[1]) else _ESCAPED.sub(r"\1", quoted[1])
    value = re.split(r"(?:^|\s+)#", text, maxsplit=1)[0]
    return None if _NEEDS_QUOTES.search(value) else value


def is_set(content: bytes, name: str) -> bool:
    """Return whether an env file gives a variable a value."""
    return any(_list_values(content, name))


def read_variable(content: bytes, name: str) -> str:
    """Return the value that an env file gives a variable, of several lines by the last one; empty if it gives none."""
    return (_list_values(content, name) or [""])[-1]


def _list_values(content: bytes, name: str) -> list[str]:
    """Return what each line that sets a variable gives it; as it stands if that depends on what reads the file."""
    found = [each for each in _ASSIGNMENT.finditer(content) if each["name"] == name.encode()]
    texts = [each[0].decode(errors="replace").partition("=")[2].strip() for each in found]
    return [text if (value := _read_value(text)) is None else value for text in texts]


def set_variables(content: bytes, values: Mapping[str, str]) -> bytes:
    """Return the content of an env file in which variables have new values.

    A variable that the file sets keeps its place and its ``export``; of several lines that set it, the last one
    changes, which is the one that counts. A new variable comes last.

    Raises:
        StoreError: A value has characters that an env file cannot hold.
    """
    for name, value in values.items():
        content = _set_variable(content, name.encode(), _quote(value).encode())
    return content


def _set_variable(content: bytes, name: bytes, value: bytes) -> bytes:
    found = [each for each in _ASSIGNMENT.finditer(content) if each["name"] == name]
    if found:
        start, end = found[-1].span()
        return content[:start] + found[-1]["before"] + name + b"=" + value + content[end:]
    line_break = b"\r\n" if b"\r\n" in content else b"\n"
    separator = b"" if not content or content.endswith(b"\n") else line_break
    return content + separator + name + b"=" + value + line_break


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if _QUOTABLE.fullmatch(value):
        return f"'{value}'"
    raise StoreError("the secret has characters that an env file cannot hold: store it with file: or exec:")
