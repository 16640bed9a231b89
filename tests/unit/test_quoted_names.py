"""Names stand in messages in one form: as they are if they are one plain word, otherwise in quotes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pinecone_admin
from pinecone_admin._text.quoting import describe_resource, quote_name

ROOT = Path(pinecone_admin.__file__).parent
_NAMES = ("name", "email", "name_pattern")
_COPIED = ("--store '", "-src '")
"""The beginnings of what is quoted for a shell, or for a browser."""
_ROOMS = ("cli/", "workflows/", "_async/", "_http/lookup.py")


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("search", "search"),
        ("ada@example.com", "ada@example.com"),
        ("my project", "'my project'"),
        ("it's", '"it\'s"'),
        ("", "''"),
        ("-", "'-'"),
        ("a, b", "'a, b'"),
        ("line\nbreak", r"'line\nbreak'"),
        ("ädä@example.com", r"'\xe4d\xe4@example.com'"),
    ],
)
def test_a_name_is_in_quotes_unless_it_is_one_plain_word(name: str, quoted: str) -> None:
    """A sentence shows where a name begins and ends, and an address does not look like another one."""
    assert quote_name(name) == quoted
    assert describe_resource("project", name, "p-1") == f"project {quoted} (p-1)"


def _list_texts() -> list[tuple[str, ast.JoinedStr]]:
    """Return the f-strings of the command line, the workflows and the look-up of names, each with its place."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in sorted(ROOT.rglob("*.py"))
        if str(path.relative_to(ROOT)).startswith(_ROOMS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
    ]


def _is_quoted_otherwise(place: str, text: ast.JoinedStr) -> bool:
    """Return whether a text has a name with the conversion to a representation, or with quotes around it."""
    for before, part, after in zip([None, *text.values], text.values, [*text.values[1:], None], strict=False):
        if not isinstance(part, ast.FormattedValue):
            continue
        is_name = place.startswith("cli/") or ast.unparse(part.value).rpartition(".")[2] in _NAMES
        if part.conversion == ord("r") and is_name:
            return True
        around = [each.value for each in (before, after) if isinstance(each, ast.Constant)]
        starts, ends = (str(each) for each in around) if len(around) == 2 else ("", "")
        if starts.endswith(" '") and ends.startswith("'") and not starts.endswith(_COPIED):
            return True
    return False


def test_no_message_quotes_a_name_in_another_way() -> None:
    """Neither a conversion nor quotes around a placeholder: where a name needs quotes, ``quote_name`` adds them."""
    texts = _list_texts()
    assert len(texts) > 900
    assert [place for place, text in texts if _is_quoted_otherwise(place, text)] == []


def test_the_other_ways_are_found() -> None:
    """The check sees both."""
    for source in ("f'{project.name!r} exists'", "f\"no project '{text}'\""):
        (text,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr))
        assert _is_quoted_otherwise("workflows/x.py:1", text)
