"""The messages of the command line are sentences: this makes them of the clauses that the library states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# These patterns are compiled when something fails, like those of failures.py.
_PLAIN_WORD = r"[a-z]+(?:-[a-z]+)?(?=[ ,:]|'s |$)"
"""A word that begins a clause in small letters; a name of a file, a field or an option has other characters."""
_QUOTED = r"(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)|\"(?:[^\"\\]|\\.)*\""
_PARTS = rf"(?:{_QUOTED}|[^;]|;(?! ))+"
_OPERATION = r"\b([a-z]+(?:_[a-z]+)+): "
"""The beginnings of the library's errors, also where one is quoted in another."""
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NOUN = r"API key|[Kk]ey|[Rr]ole binding|[Ss]ervice account|[Pp]roject|[Uu]ser|[Ii]nvite"
_NAMED_ID = rf" \((?P<behind>[\w-]{{20,}})\)|, (?P<apart>{_ID})\b|\b(?P<noun>{_NOUN}) (?P<id>{_ID})\b"
_STATUS = (
    r"\[(?P<status>\d{3}(?: \w+)?)\] (?P<message>(?:(?!\(request_id: ).)*?) \((?:request_id: )(?P<request>[^()\s]+)\)"
)
"""The status of a response, the message in it, and the id of the request, as the errors of the library have them."""
_ERRNO = r"\[Errno \d+\] "
_ENDS = (".", "?", "!", "…")


def as_sentences(text: str) -> str:
    """Return clauses that semicolons separate, as sentences.

    Quoted names stay as they are.
    """
    clauses = (each.strip() for each in re.findall(_PARTS, text, re.DOTALL))
    return join_sentences(
        clause[:1].upper() + clause[1:] if re.match(_PLAIN_WORD, clause) else clause for clause in clauses
    )


def join_sentences(sentences: Iterable[str]) -> str:
    """Return sentences as one line; one that does not end in a full stop gets it."""
    return " ".join(sentence if sentence.endswith(_ENDS) else f"{sentence}." for sentence in sentences if sentence)


def list_words(words: Iterable[str], conjunction: str = "and") -> str:
    """Return words with commas, and a conjunction before the last one."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def tidy(text: str) -> str:
    """Return a message without names of operations, and with each id once.

    An id in brackets or behind a comma stands behind a name, and is left out the second time. Of another one, the noun
    before it is left. What identifies a response stands behind its message.
    """

    def name_once(match: re.Match[str]) -> str:
        id = match["behind"] or match["apart"] or match["id"]
        if id not in text[: match.start()]:
            return match[0]
        if not match["noun"]:
            return ""
        begins = not text[: match.start()].strip() or text[: match.start()].endswith(". ")
        noun = match["noun"] if match["noun"] == "API key" else match["noun"].lower()
        return f"{'That' if begins else 'that'} {noun}"

    return re.sub(_NAMED_ID, name_once, leave_out_operations(text))


def leave_out_operations(text: str) -> str:
    """Return a text without names of operations, in which what identifies a response stands behind its message."""
    text = re.sub(_OPERATION, _leave_out_operation, text)
    text = re.sub(_STATUS, r"\g<message> (\g<status>, request \g<request>)", text)
    return re.sub(_ERRNO, "", text)


def name_ids(text: str, names: Mapping[str, str]) -> str:
    """Return a text in which each id stands behind its name, unless it stands in brackets, as it does behind one.

    Args:
        text: The text.
        names: The names by the ids.
    """
    for id, name in names.items():
        if id in text and f"({id})" not in text:
            from pinecone_admin.workflows.quoting import describe_resource  # noqa: PLC0415 - few texts have an id

            text = text.replace(id, describe_resource("", name, id))
    return text


def _leave_out_operation(match: re.Match[str]) -> str:
    from pinecone_admin import operations  # noqa: PLC0415 - loads the models, and few messages have such a word

    return "" if hasattr(operations, match[1]) else match[0]
