"""The command that finds constructions that readers stumble over."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from prose import CONSTRUCTIONS, MOST_WORDS, find_faults_of_text, main

FAULTS = {
    "What it raises is logged.": "a clause is the subject",
    "Print the account of which the command knows.": "an inverted relative clause",
    "The project exists, or does.": "an ellipsis",
    "Look first: it may exist; then repeat: it is safe.": "more than one colon or semicolon",
    "The key is gone.": "a word that readers stumble over",
    "`timeout` says how long.": "a word that readers stumble over",
    "word " * (MOST_WORDS + 1): f"{MOST_WORDS + 1} words",
}
RIGHT = (
    "Print the account that the command uses.",
    "The client logs exceptions that it raises.",
    "Which role do you need?",
    "Use one of these options: `--store` or `--reveal`.",
    "Wait, or do something else with the key.",
    f"The report lists {'a thing, ' * 30}and its state.",
    "`created` is True if the project is new.",
)


def find(text: str, suffix: str) -> list[tuple[int, str]]:
    """Return line and fault, all lines being changed."""
    lines = set(range(1, len(text.splitlines()) + 1))
    return [(line, fault) for line, fault, _ in find_faults_of_text(text, suffix, lines)]


def test_each_construction_is_found_once_and_plain_sentences_are_not() -> None:
    """Each sample has its own fault only, in a page, a docstring, a comment and a message."""
    assert {each.partition(":")[0] for each in CONSTRUCTIONS} <= set(FAULTS.values())
    for sentence, expected in FAULTS.items():
        for text, suffix in (
            (f"# Title\n\n- {sentence}\n", ".md"),
            (f"| a |\n| --- |\n| {sentence} |\n", ".md"),
            (f'def f():\n    """Return it.\n\n    {sentence}\n    """\n', ".py"),
            (f"x = 1\ny = 2\n# {sentence}\n", ".py"),
            (f"x = 1\n\nraise ValueError({sentence!r})\n", ".py"),
        ):
            found = find(text, suffix)
            assert [(line, fault.startswith(expected)) for line, fault in found] in ([(3, True)], [(4, True)]), text
    for sentence in RIGHT:
        assert find(f"{sentence}\n", ".md") == [], sentence


def test_code_headings_and_front_matter_are_not_read() -> None:
    """Neither a block of code nor the title of a section is prose."""
    text = "---\nkeywords: what is gone\n---\n\n# What is gone\n\n```sh\nWhat is gone.\n```\n\n    What is gone.\n"
    assert find(text, ".md") == []
    assert (
        find('def f():\n    """Return it.\n\n    Example:\n        >>> f()\n        What is gone.\n    """\n', ".py")
        == []
    )


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("<!-- prose: a quotation -->\nThe key is gone.\n", ".md"),
        ("# prose: a quotation\nraise ValueError('The key is gone.')\n", ".py"),
    ],
)
def test_a_comment_with_a_reason_makes_an_exception(text: str, suffix: str) -> None:
    """Without a reason, the comment is no exception."""
    assert find(text, suffix) == []
    assert find(text.replace(" a quotation", ""), suffix) != []


def test_only_changed_lines_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sentences that a change leaves alone are not its matter, and new files are read whole."""

    def run_git(*arguments: str) -> None:
        author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True)

    page = tmp_path / "page.md"
    page.write_text("The key is gone.\n\nThe key exists.\n")
    run_git("init")
    run_git("add", ".")
    run_git("commit", "-m", "one")
    assert main([], tmp_path) == 0
    page.write_text("The key is gone.\n\nThe role is gone.\n")
    (tmp_path / "new.py").write_text('"""The account is gone."""\n')
    assert main([], tmp_path) == 1
    printed = capsys.readouterr().out
    assert "page.md:3: " in printed
    assert "new.py:1: " in printed
    assert "page.md:1: " not in printed
    assert main(["new.py"], tmp_path) == 1
    assert "page.md" not in capsys.readouterr().out
    run_git("add", ".")
    run_git("commit", "-m", "two")
    assert main([], tmp_path) == 0
    assert main(["--base", "HEAD~1"], tmp_path) == 1
