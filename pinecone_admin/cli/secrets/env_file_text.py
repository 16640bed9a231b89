"""Env files: the one reader of their text, and the writer that sets some variables and leaves everything else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from pinecone_admin.cli.failures import CLIError, StoreError, WrongPlaceError
from pinecone_admin.cli.sentences import list_words

VARIABLE_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")

_MARK = "\ufeff"
# A quoted value may span several lines. A lone carriage return is text, as for a shell.
_ASSIGNMENT = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[^\s=#'"]+)(?P<gap>[ \t]*)="""
    r"""(?P<text>[ \t]*(?:"(?:[^"\\]|\\.)*"|'[^']*')?[^\n]*?)(?=\r?\n|\Z)""",
    re.DOTALL,
)
_SINGLE_QUOTED = re.compile(r"'([^']*)'(?:\s+#.*)?")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+#.*)?', re.DOTALL)
_COMMENT = re.compile(r"""(?:[ \t]*(?:"(?:[^"\\]|\\.)*"|'[^']*'))?+.*?(?P<comment>(?<![ \t])[ \t]+#.*)""", re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\$`])')
_UNCLEAR = re.compile(r"""(?:[^\\]|^)(?:\\\\)*(?:[$`]|\\[^"\\$`])""", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"""[\s'"`$\\;|&<>()]""")
_PERHAPS_SET = re.compile(r"(?:^|[\s;&|({])([A-Za-z_][A-Za-z0-9_]*)\+?=")
# For a name alone, Docker takes the value of its own environment, and python-dotenv forgets the one of another line.
# godotenv and dotenv of Ruby read a colon as an equals sign.
_PERHAPS_SET_ALONE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*(?::|\r?\n|\Z)")


_PLAIN = re.compile(r"[A-Za-z0-9_.:/+=@%,-]+")
# Within single quotes, each program that reads env files takes these characters as they are.
_QUOTABLE = re.compile(r"[ -&(-[\]-~]+")


@frozen
class Assignment:
    """A line, or several, that set a variable.

    Attributes:
        name: The name.
        text: The text after the equals sign, without spaces at either end.
        value: The value without quotes and comment; None if programs read different values.
        start: Where the name begins.
        end: Where the text ends.
        line: The number of the first line.
        has_gap: Whether a space is before the equals sign, or between it and the value: a shell reads no value there.
        comment: The comment behind the value, with the spaces before it; empty if there is none.
    """

    name: str
    text: str
    value: str | None
    start: int
    end: int
    line: int
    has_gap: bool
    comment: str

    @property
    def has_open_quote(self) -> bool:
        """Whether the value begins with a quote that is not closed."""
        return self.text[:1] in {"'", '"'} and not re.match(r"""'[^']*'|"(?:[^"\\]|\\.)*\"""", self.text, re.DOTALL)


@frozen
class EnvFile:
    """The text of an env file.

    Attributes:
        text: The text; bytes that are not UTF-8 are surrogates.
        assignments: The variables that every program sets, in the order of the file.
        perhaps_set: Names that only some programs set, such as the second of two in a line, each with its last line.
        has_other_lines: Whether there are lines that are neither blank, nor a comment, nor an assignment.
    """

    text: str
    assignments: Sequence[Assignment]
    perhaps_set: Mapping[str, int]
    has_other_lines: bool

    def read(self, name: str) -> str:
        """Return the value of a variable, of several by the last one; empty if it has none.

        A value that depends on what reads the file is returned as it stands.
        """
        found = [
            assignment.text if assignment.value is None else assignment.value
            for assignment in self.assignments
            if assignment.name == name
        ]
        return found[-1] if found else ""

    def may_set(self, name: str) -> bool:
        """Return whether the file gives a variable a value, at least for some programs."""
        values = (each.value for each in self.assignments if each.name == name)
        return name in self.perhaps_set or any(value is None or value for value in values)

    @property
    def variables(self) -> dict[str, str]:
        """The values of all variables."""
        return {each.name: self.read(each.name) for each in self.assignments}


def read_env_file(content: bytes) -> EnvFile:
    """Return what is in an env file; every text is one."""
    text = content.decode(errors="surrogateescape")
    assignments, others = list[Assignment](), list[tuple[str, int]]()
    position = len(_MARK) if text.startswith(_MARK) else 0
    line = 1
    while position < len(text):
        found = _ASSIGNMENT.match(text, position)
        if found is None:
            others.append((_read_line(text, position), line))
            end = position
        else:
            value, end = _read_value(found["text"]), found.end()
            text_of_value, comment = found["text"].strip(" \t"), _COMMENT.match(found["text"])
            has_gap = bool(found["gap"]) or (text_of_value[:1] not in {"", "#", found["text"][:1]})
            assignments.append(
                Assignment(
                    found["name"],
                    text_of_value,
                    value,
                    found.start("name"),
                    end,
                    line,
                    has_gap,
                    "" if comment is None else comment["comment"],
                )
            )
        end += len(_read_line(text, end))
        line += text.count("\n", position, end)
        position = end
    others = [(other, line) for other, line in others if other.strip() and not other.lstrip().startswith("#")]
    doubtful = [(each.text, each.line) for each in assignments if each.value is None]
    perhaps_set = {name: line for each, line in (*others, *doubtful) for name in _PERHAPS_SET.findall(each)}
    for other, line in others:
        if (alone := _PERHAPS_SET_ALONE.match(other)) is not None:
            perhaps_set[alone[1]] = line
    return EnvFile(text, assignments, perhaps_set, bool(others))


def parse_env_file(text: str, *, source: str) -> dict[str, str]:
    """Return the variables that begin with ``PINECONE_``; the last of several assignments of one name counts.

    Args:
        text: The text. Nothing in it is expanded.
        source: How errors name the file.

    Raises:
        CLIError: The value of such a variable is damaged; the message does not quote it.
    """
    # Other lines may be anything: the file belongs to other programs, too.
    found = [each for each in read_env_file(text.encode()).assignments if each.name.startswith("PINECONE_")]
    for each in found:
        if each.value is None:
            raise CLIError(f"{source}, line {each.line}: the value of {each.name} is not quoted as it should be")
    return {each.name: each.value or "" for each in found}


def _read_line(text: str, position: int) -> str:
    """Return what is left of a line, with its end."""
    end = text.find("\n", position) + 1
    return text[position : end or len(text)]


def _read_value(text: str) -> str | None:
    """Return a value without quotes and comment; None if programs read different values."""
    unquoted = re.split(r"(?<![ \t])[ \t]+#", text, maxsplit=1)[0].strip(" \t")
    text = text.strip(" \t")
    if text.startswith("'"):
        quoted = _SINGLE_QUOTED.fullmatch(text)
        return None if quoted is None or "\\\\" in quoted[1] else quoted[1]
    if text.startswith('"'):
        quoted = _DOUBLE_QUOTED.fullmatch(text)
        return None if quoted is None or _UNCLEAR.search(quoted[1]) else _ESCAPED.sub(r"\1", quoted[1])
    return None if _NEEDS_QUOTES.search(unquoted) else unquoted


def set_variables(content: bytes, values: Mapping[str, str]) -> bytes:
    """Return the content of an env file with new values of variables.

    A variable that the file sets keeps its place, its ``export`` and its comment. A new variable comes last.

    Raises:
        StoreError: A value has characters that an env file cannot hold, or the change could mean something else to some
            of the programs that read the file.
    """
    file = read_env_file(content)
    if "\0" in file.text or (file.has_other_lines and not file.assignments):
        raise WrongPlaceError("the file has no line such as NAME=value, so it is no env file")
    _check_lines(file, values)
    for name, value in values.items():
        text = _set_variable(file, name, _quote(value))
        file = read_env_file(text.encode(errors="surrogateescape"))
    if file.variables != read_env_file(content).variables | dict(values):
        text = "A line of the file ends with a character that not all programs take for its end"
        raise StoreError(f"{text}, such as a carriage return or U+2028. Remove that character.")
    return file.text.encode(errors="surrogateescape")


def _check_lines(file: EnvFile, names: Collection[str]) -> None:
    """Raise WrongPlaceError if programs read the lines of variables, or those after an open quote, differently."""
    for each in file.assignments:
        problem = ""
        if each.has_open_quote:
            problem = "has a quote that is not closed: close it first"
        elif each.name in names and each.value is None and each.text.rstrip().endswith("\\"):
            problem = "goes on in the next line: join them first"
        elif each.name in names and each.has_gap:
            problem = "has spaces beside the equals sign, which a shell does not read: remove them first"
        if problem:
            raise WrongPlaceError(f"line {each.line} {problem}")
    for name in names:
        numbers = [str(each.line) for each in file.assignments if each.name == name]
        if len(numbers) > 1:
            raise WrongPlaceError(f"lines {list_words(numbers)} set {name}: remove all but one of them first")
        if name in file.perhaps_set:
            problem = f"is about {name} for some programs, and not for others: keep only a line {name}=VALUE for it"
            raise WrongPlaceError(f"line {file.perhaps_set[name]} {problem}")


def _set_variable(file: EnvFile, name: str, value: str) -> str:
    found = [each for each in file.assignments if each.name == name]
    before = file.text[: found[-1].start].rpartition("\n")[0] if found else file.text.removesuffix("\n")
    line = before.removesuffix("\r").rpartition("\n")[2]
    if not line.lstrip().startswith("#") and (len(line) - len(line.rstrip("\\"))) % 2:
        number = before.count("\n") + 1  # a shell joins it with the new one
        raise WrongPlaceError(f"line {number} goes on in the next line: join them first")
    if found:
        return f"{file.text[: found[-1].start]}{name}={value}{found[-1].comment}{file.text[found[-1].end :]}"
    line_break = "\r\n" if "\r\n" in file.text else "\n"
    separator = "" if file.text in {"", _MARK} or file.text.endswith("\n") else line_break
    return f"{file.text}{separator}{name}={value}{line_break}"


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if _QUOTABLE.fullmatch(value):
        return f"'{value}'"
    raise StoreError("The secret has characters that an env file cannot hold. Store it with file: or exec:.")
