"""The command lines that pages and messages say in their prose can be typed."""

from __future__ import annotations

import ast
import inspect
import io
import re
import shlex
from collections.abc import Iterator

import click

from pinecone_admin import Admin
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin._text.help_codes import HELP
from pinecone_admin.cli.session import Session
from tests.cli.command_line import COMMANDS
from tests.support.recipes import PAGES, ROOT, read_page

PATHS = {each.path: each for each in COMMANDS}
_NAMES = "|".join(sorted((each.full_name for each in COMMANDS), key=len, reverse=True))
_OPTIONS = {each for command in COMMANDS for each in command.params if isinstance(each, click.Option)}
_TAKE_VALUES = "|".join({name for each in _OPTIONS if not each.is_flag for name in (*each.opts, *each.secondary_opts)})
_QUOTED = r"'[^']*'|\"[^\"]*\""
_VALUE = rf"{_QUOTED}|[^\s`,;)]+"
_WORD = rf"(?:{_TAKE_VALUES}) (?:{_VALUE})|-- [^\n`]+|--?[a-z-]+|{_QUOTED}|[A-Z/][^\s`,;)]*|\w+[.@:/][^\s`,;)]+"
_LINE = re.compile(rf"(?:{_TAKE_VALUES}) (?:{_VALUE})|(?<![\w./-])((?:pinecone-admin )?(?:{_NAMES})(?: (?:{_WORD}))+)")
"""The value of an option, which may name a command; or a command with the words behind it that can be no prose."""
_NO_LINE = re.compile(r"each (PineconeError|API)|(?!pinecone-admin ).*FILLED")
"""Prose, and what questions and notes say of the command that was typed."""


def test_a_command_line_in_prose_can_be_typed() -> None:
    """A command in backticks on a page has every argument and option that the command needs."""
    prose = {page: re.sub(r"^```.*?^```$", "", read_page(page), flags=re.MULTILINE | re.DOTALL) for page in PAGES}
    notes = "docs/stability.md"
    prose[notes] = re.sub(r"^\|[^|]*", "", prose[notes], flags=re.MULTILINE)  # what could be typed before
    lines = [(page, " ".join(code.split())) for page in PAGES for code in re.findall(r"`([^`]+)`", prose[page])]
    checked = [(page, line, find_problem(line)) for page, line in lines if is_command_line(line)]
    assert len(checked) > 20
    assert [each for each in checked if each[2]] == []


def test_a_command_line_in_a_message_can_be_typed() -> None:
    """So has what a message, a report or a help says; a part that is filled in stands for a value."""
    found = [(path, line) for path, text in list_texts() for line in find_lines(text)]
    typed = [(path, line.rstrip(".:")) for path, line in found if not _NO_LINE.match(line)]
    checked = [(path, line, find_problem(line)) for path, line in typed]
    assert len(checked) > 50
    assert [each for each in checked if each[2]] == []


def find_lines(text: str) -> list[str]:
    """Return the command lines in a text."""
    return [line for line in _LINE.findall(text) if line]


def test_the_value_of_an_option_is_no_command() -> None:
    """A name such as ``emulator`` can also be a value."""
    example = "pinecone-admin user delete ada@example.com --yes"
    assert find_lines(f"service-account hand over nightly --name emulator --yes; {example}") == [example]


def test_a_message_names_no_method_and_no_argument_with_a_value() -> None:
    """Texts for both Python and a shell use neutral words: no namespace.method, no argument=value."""
    members = [inspect.getmembers(getattr(Admin, each), inspect.isfunction) for each in NAMESPACES]
    methods = {name: method for each in members for name, method in each if not name.startswith("_")}
    arguments = {name for each in methods.values() for name in inspect.signature(each).parameters}
    alone = [each for each in methods if "_" in each]  # others, such as delete, are verbs
    python = re.compile(
        rf"\b({'|'.join(NAMESPACES)})\.({'|'.join(methods)})\b|\b({'|'.join(alone)})\b"
        rf"|\b({'|'.join(arguments)})=(True|False|None|FILLED)"
    )
    said_in_python = {each.remedy for each in HELP.values() if each.command_remedy}
    texts = [each for each in list_texts(documentation=False) if " " in each[1] and each[1] not in said_in_python]
    assert len(texts) > 500
    is_repr = re.compile(r"\w+\(.*\)")
    assert [each for each in texts if python.search(each[1]) and not is_repr.fullmatch(each[1])] == []


def list_texts(*, documentation: bool = True) -> Iterator[tuple[str, str]]:
    """Yield each text in the code of the package, also its docstrings, with FILLED for what is computed."""
    for path in sorted(ROOT.glob("pinecone_admin/**/*.py")):
        folders = path.relative_to(ROOT).parts[:-1]
        if path.name == "old_spellings.py":  # which nobody can type any longer
            continue
        if {"_sync", "emulator"}.isdisjoint(folders) or "cli" in folders:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            joined = [each for each in ast.walk(tree) if isinstance(each, ast.JoinedStr)]
            parts = {id(part) for each in joined for part in each.values}
            for each in joined:
                filled = [str(part.value) if isinstance(part, ast.Constant) else "FILLED" for part in each.values]
                yield path.name, "".join(filled)
            if not documentation:
                parts |= {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                    yield path.name, node.value


def is_command_line(code: str) -> bool:
    """Return whether code is a command with an argument or option, and not only the name of one."""
    words = code.removeprefix("pinecone-admin ").split()
    return any(tuple(words[:count]) in PATHS and len(words) > count for count in (1, 2))


def find_problem(line: str) -> str | None:
    """Return why a command line cannot be typed, or None; one that ends with an option only names the option."""
    words = shlex.split(line.removeprefix("pinecone-admin "))
    count = 2 if tuple(words[:2]) in PATHS else 1
    command = PATHS.get(tuple(words[:count]))
    if command is None:
        return "there is no such command"
    session = Session(stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO(), env={})
    try:
        command.make_context(command.full_name, words[count:], obj=session)
    except click.exceptions.Exit:  # --help
        return None
    except click.ClickException as error:
        names_option = isinstance(error, click.BadOptionUsage) and error.option_name == words[-1]
        return None if names_option else error.format_message()
    return None
