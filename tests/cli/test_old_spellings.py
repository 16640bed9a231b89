"""Commands and options of the version before are refused with what they are called now, and no text has them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from pinecone_admin.cli.old_spellings import OLD_COMMANDS, OLD_OPTIONS
from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.test_lines_in_texts import find_problem, list_texts
from tests.support.recipes import ROOT

OPTIONS = {each.full_name: {name for param in each.params for name in param.opts} for each in COMMANDS}
_OLD = {
    *(each for each in OLD_COMMANDS if each != "role delete"),  # also prose
    *(f"role-binding {verb}" for verb in ("change-role", "create", "delete", "describe", "ensure", "list")),
    *(words.split()[-1] for words in OLD_OPTIONS if all(words.split()[-1] not in names for names in OPTIONS.values())),
}
_ABOUT_OLD = {"CHANGELOG.md", "docs/stability.md"}


@pytest.mark.parametrize(("old", "new"), OLD_COMMANDS.items())
def test_an_old_command_is_refused_with_the_new_one(old: str, new: str) -> None:
    """It exits with 2, sends nothing, and what it names exists."""
    with example_organization() as emulator:
        done = run(*old.split(), "x", "--yes")
        assert (done.exit, done.stdout, len(emulator.requests)) == (2, "", 0)
    assert f"error: {old} is now {new}. See pinecone-admin " in done.stderr
    assert old not in OPTIONS
    assert any(new == name or new.startswith(f"{name} ") for name in OPTIONS)


@pytest.mark.parametrize(("old", "new"), OLD_OPTIONS.items())
def test_an_old_option_is_refused_with_the_new_one(old: str, new: str) -> None:
    """It exits with 2, sends nothing, and what it names exists."""
    *words, option = old.split()
    with example_organization() as emulator:
        done = run(*words, option, "x")
        assert (done.exit, done.stdout, len(emulator.requests)) == (2, "", 0)
    assert f"error: {option} is now {new}. See pinecone-admin {' '.join(words)} --help." in done.stderr
    assert option not in OPTIONS[" ".join(words)]
    commands = re.findall(r"command (\w+)", new)
    assert new in OPTIONS[" ".join(words)] or OPTIONS.keys() >= {*commands} != set() or new.startswith("left out")


def test_the_former_noun_of_roles_runs() -> None:
    """``role-binding`` and its plural are the noun ``role``, and ``logout`` removes a profile; help knows them, too."""
    assert run("help", "role-binding", "ls").stdout == run("role", "list", "--help").stdout
    assert run("help", "logout").stdout == run("profile", "remove", "--help").stdout
    with example_organization():
        listed = run("role", "list", "--on", "organization")
        assert listed.exit == 0
        for words in (("role-binding", "list"), ("role-bindings", "ls")):
            assert run(*words, "--on", "organization") == listed
        assert run("logout", "production", "--yes").exit == 0
        assert run("profile", "list").json == []


def test_no_text_has_an_old_spelling() -> None:
    """Neither a message, a help or a docstring, nor a page, but for those on what has changed."""
    old = re.compile("|".join(rf"(?<![\w-]){re.escape(each)}(?![\w-])" for each in sorted(_OLD)))
    texts = [*list_texts(), *read_pages()]
    assert len(texts) > 2000
    assert [(name, found[0]) for name, text in texts if (found := old.search(" ".join(text.split())))] == []


def test_a_command_line_in_a_block_of_a_page_can_be_typed() -> None:
    """Every command of a block of shell or YAML has only options that exist, and all that it needs."""
    lines = [(page, line) for page, text in read_pages() for line in list_command_lines(text)]
    assert len(lines) > 60
    assert [(page, line, problem) for page, line in lines if (problem := find_problem(line))] == []


def read_pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page that is not on what has changed."""
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/container/*")]:
        name = str(path.relative_to(ROOT))
        if name not in _ABOUT_OLD:
            yield name, path.read_text(encoding="utf-8")


def list_command_lines(text: str) -> Iterator[str]:
    """Yield each command line in the blocks of a page; of ``each``, also the command for a row."""
    for block in re.findall(r"```(?:sh|yaml)\n(.*?)```", text, re.DOTALL):
        # What another program prints is a word.
        rest = re.sub(r'"\$\((?!pinecone-admin )[^()]*\)"', "printed", block.replace("\\\n", " "))
        while (start := re.search(r"pinecone-admin (?!@)", rest)) is not None:
            rest = rest[start.start() :]
            words = read_words(rest)
            words += ["true"] if words[-1] == "--" else []  # what it runs is on the next line
            yield shlex.join(words)
            if words[1] == "each":
                # A column of addresses has them, and the command accepts nothing else.
                yield shlex.join(words[words.index("--") + 1 :]).replace("{email}", "ada@example.com")
            rest = rest.removeprefix("pinecone-admin ")


def read_words(text: str) -> list[str]:
    """Return the words with which a text begins, up to the end of the command."""
    lines = text.splitlines()
    for count in range(1, len(lines) + 1):
        lexer = shlex.shlex("\n".join(lines[:count]), posix=True, punctuation_chars='();<>|&"')
        lexer.whitespace_split, lexer.commenters = True, ""
        words: list[str] = []
        try:
            for word in lexer:
                if re.fullmatch(r"[();<>|&#\"]+", word):
                    break
                words.append(word)
        except ValueError:  # a quote that is closed on another line
            continue
        return words
    return []
