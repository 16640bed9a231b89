"""Find constructions that readers stumble over, and long sentences, in the lines that changed.

Usage: prose.py [--base REVISION] [PATH ...]

The exit status is 1 if a line is printed. A comment that begins with "prose:" and gives the reason, on a line of the
sentence or on the line above it, makes an exception: ``<!-- prose: a quotation -->`` or ``# prose: a quotation``.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

MOST_WORDS = 28
LIST_COMMAS = 4
"""From this number of commas on, a long sentence counts as a list."""

_PREPOSITION = (
    "about|after|against|as|at|before|below|beside|by|for|from|in|of|on|over|through|to|under|until|with|within"
)
_AUXILIARY = "am|are|can|could|did|do|does|had|has|have|is|must|was|were|will|would"
_WORDS = (
    "anew|besides|but for|hence|lest|meanwhile|of its own|of yours|save for|there is left|thereby|whereof|"
    r"as a rule|is gone|is over|(?<!where )(?<!thing )(?<!body )(?<!one )(?<!or )else(?=[,.;])"
)
CONSTRUCTIONS: Mapping[str, re.Pattern[str]] = {
    "a clause is the subject: begin with a person or a thing": re.compile(
        r"^(What|Whatever|Who|Whoever|Whom|Which|That which)\b(?!.*\?$)"
    ),
    "an inverted relative clause: write two sentences": re.compile(
        rf"\b(?:{_PREPOSITION}) (?:whom|which|whose)\b(?!.*\?$)", re.IGNORECASE
    ),
    "an ellipsis: repeat the verb and the noun": re.compile(
        rf"\b(?:so (?:{_AUXILIARY}) (?!not\b)|(?:or|and|but) (?:{_AUXILIARY})(?=[,.;:])|"
        r"but not (?:how|what|when|where|which|who)\b)"
    ),
    "more than one colon or semicolon: write two sentences": re.compile(r"[:;](?=\s).*[:;](?=\s|$)"),
    "a word that readers stumble over: see the glossary": re.compile(
        rf"\b(?:{_WORDS})\b|(?<=CODE )(?:asks|knows|says|sees|wants)\b", re.IGNORECASE
    ),
}

_EXCEPTION = re.compile(r"(?:<!--|#)\s*prose: (?!-->)\S")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_END = re.compile(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*]*[A-Z`\[])")
_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
_SECTION = re.compile(r"^\s*(?:Args|Attributes|Example|Examples|Note|Raises|Returns|Yields):$")
_ENTRY = re.compile(r"^\s*[\w*`.]+(?: \([^)]*\))?: ")
_SHORTEST = 4
"""Words: a shorter text of a program is a name or a part of a sentence."""


@frozen
class Sentence:
    """A sentence.

    Attributes:
        text: Its text in one line, with each piece of code as the word CODE.
        first: Its first line, from 1.
        last: Its last line.
    """

    text: str
    first: int
    last: int


def find_faults(sentence: Sentence) -> list[str]:
    """Return what is wrong with a sentence."""
    faults = [fault for fault, pattern in CONSTRUCTIONS.items() if pattern.search(sentence.text)]
    words = len(sentence.text.split())
    if words > MOST_WORDS and sentence.text.count(",") < LIST_COMMAS:
        faults.append(f"{words} words: split it, if it is no list")
    return faults


def split_sentences(lines: Sequence[str], first: int) -> Iterator[Sentence]:
    """Yield the sentences of a paragraph whose first line has the given number."""
    text = "\n".join(lines)
    start = 0
    for end in [*(each.end() for each in _END.finditer(text)), len(text)]:
        part = text[start:end]
        if plain := _simplify(part):
            before = text[:start].count("\n")
            yield Sentence(plain, first + before, first + before + part.rstrip().count("\n"))
        start = end


def _simplify(text: str) -> str:
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"`+[^`]*`+", "CODE", text)
    text = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?", r"\1", text)
    text = re.sub(r"https?://\S+", "CODE", text)
    return " ".join(re.sub(r"[*_#>]+", "", text).split())


def read_markdown(text: str) -> Iterator[Sentence]:
    """Yield the sentences of a page: of paragraphs, list items and cells of tables, not of headings and code."""
    paragraph: list[str] = []
    first = 0
    is_code = is_front_matter = False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.rstrip() == "---" and (number == 1 or is_front_matter):
            is_front_matter = not is_front_matter
            continue
        if _FENCE.match(line):
            is_code = not is_code
        is_prose = not (is_code or is_front_matter or _FENCE.match(line) or line.startswith(("    ", "#", "|", "<")))
        if paragraph and (not is_prose or not line.strip() or _ITEM.match(line)):
            yield from split_sentences(paragraph, first)
            paragraph = []
        if line.startswith("|") and not is_code:
            for cell in line.strip("| \n").split(" | "):
                yield from split_sentences([cell], number)
        elif is_prose and line.strip():
            if not paragraph:
                first = number
            paragraph.append(_ITEM.sub("", line))


def read_python(text: str) -> Iterator[Sentence]:
    """Yield the sentences of docstrings, comments and messages."""
    tree = ast.parse(text)
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for each in body if isinstance(body, list) else ():
            value = getattr(each, "value", None)
            if isinstance(each, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                docstrings.add(id(value))
                yield from _read_docstring(text.splitlines()[value.lineno - 1 : value.end_lineno], value.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            docstrings |= {id(each) for each in node.values}
            parts = [each.value if isinstance(each, ast.Constant) else "CODE" for each in node.values]
            yield from _read_message("".join(map(str, parts)), node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from _read_message(node.value, node)
    yield from _read_comments(text)


def _read_docstring(lines: Sequence[str], first: int) -> Iterator[Sentence]:
    paragraph: list[str] = []
    start = first
    is_example = False
    for number, line in enumerate([*lines, ""], first):
        plain = line.strip().removeprefix('"""').removesuffix('"""')
        is_example = (is_example and bool(plain)) or plain.startswith(">>>")
        begins = _SECTION.match(line) or _ENTRY.match(line) or _ITEM.match(line)
        if paragraph and (is_example or not plain or begins):
            yield from split_sentences(paragraph, start)
            paragraph = []
        if plain and not is_example and not _SECTION.match(line):
            if not paragraph:
                start = number
            paragraph.append(_ENTRY.sub("", plain + " ").strip() if begins else plain)


def _read_message(text: str, node: ast.expr) -> Iterator[Sentence]:
    if len(text.split()) >= _SHORTEST and "\n" not in text.strip():
        last = node.end_lineno or node.lineno
        yield from (Sentence(each.text, node.lineno, last) for each in split_sentences([text], node.lineno))


def _read_comments(text: str) -> Iterator[Sentence]:
    paragraph: list[str] = []
    first = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            is_next = paragraph and token.start[0] == first + len(paragraph)
            if not is_next:
                yield from split_sentences(paragraph, first)
                paragraph, first = [], token.start[0]
            paragraph.append(re.sub(r"^#[!:]?\s*|(?:noqa|pyright|type|prose):.*", "", token.string))
    yield from split_sentences(paragraph, first)


READERS = {".md": read_markdown, ".py": read_python}


def list_changed_lines(root: Path, base: str, paths: Sequence[str]) -> dict[str, set[int]]:
    """Return the lines of each file that were added or changed since a commit, by the path from the root."""

    def run_git(*arguments: str) -> str:
        run = ["git", "-C", str(root), *arguments, "--", *paths]
        return subprocess.run(run, check=True, capture_output=True, text=True).stdout

    difference = run_git("diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-renames", base)
    changed: dict[str, set[int]] = {}
    for part in re.split(r"^diff --git ", difference, flags=re.MULTILINE)[1:]:
        name = re.search(r"^\+\+\+ b/(.*)$", part, flags=re.MULTILINE)
        if name is not None:
            hunks = [(int(each[1]), int(each[2] or 1)) for each in _HUNK.finditer(part)]
            changed[name[1].rstrip("\t")] = {line for start, count in hunks for line in range(start, start + count)}
    for new in run_git("ls-files", "--others", "--exclude-standard", "-z").split("\0"):
        if Path(new).suffix in READERS:
            changed[new] = set(range(1, len((root / new).read_text("utf-8").splitlines()) + 1))
    return changed


def find_faults_of_text(text: str, suffix: str, changed: set[int]) -> Iterator[tuple[int, str, str]]:
    """Yield line, fault and sentence of each fault in changed lines of a file with this suffix."""
    lines = text.splitlines()
    for sentence in READERS[suffix](text):
        spanned = range(sentence.first, sentence.last + 1)
        if changed.isdisjoint(spanned):
            continue
        if any(_EXCEPTION.search(line) for line in lines[max(0, sentence.first - 2) : sentence.last]):
            continue
        yield from ((sentence.first, fault, sentence.text) for fault in find_faults(sentence))


def main(arguments: Sequence[str], root: Path) -> int:
    """Print the faults, and return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/prose", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", default="HEAD", help="commit to compare with; default: the last one")
    parser.add_argument("paths", nargs="*", help="files or folders; default: all")
    given = parser.parse_args(arguments)
    count = 0
    for name, changed in sorted(list_changed_lines(root, given.base, given.paths).items()):
        file = root / name
        is_derived = "_sync" in file.parts or "generated_client" in file.parts
        if file.suffix in READERS and not is_derived:
            for line, fault, sentence in sorted(find_faults_of_text(file.read_text("utf-8"), file.suffix, changed)):
                count += 1
                print(f"{name}:{line}: {fault}\n    {sentence}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
