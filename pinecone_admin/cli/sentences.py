"""The messages of the command line are sentences: this makes them of the clauses that the library states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pinecone_admin._text.quoting import describe_resource

# These patterns are compiled when something fails, like those of failures.py.
_PLAIN_WORD = r"[a-z]+(?:-[a-z]+)?(?=[ ,:]|'s |$)"
"""A word that begins a clause in small letters; a name of a file, a field or an option has other characters."""
_QUOTED = r"(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)|\"(?:[^\"\\]|\\.)*\""
_PARTS = rf"(?:{_QUOTED}|[^;]|;(?! ))+"
_OPERATION = r"\b([a-z]+(?:_[a-z]+)+): "
"""The beginnings of the library's errors, also where one is quoted in another."""
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NOUN = r"API key|[Kk]ey|[Rr]ole binding|[Ss]ervice account|[Pp]roject|[Uu]ser|[Ii]nvite"
_NAMED_ID = (
    rf" \((?P<behind>[\w-]{{20,}})\)|(?<![0-9a-f]{{12}}), (?P<apart>{_ID})\b|\b(?P<noun>{_NOUN}) (?P<id>{_ID})\b"
)
_WORD_WITH_ID = r"(?<!\S)(\S+) \(([\w-]{20,})\)"
"""The last word of a name with the id behind it."""
_STATUS = (
    r"\[(?P<status>\d{3}(?: \w+)?)\] (?P<message>(?:(?!\(request_id: ).)*?) \((?:request_id: )(?P<request>[^()\s]+)\)"
)
"""The status of a response, the message in it, and the id of the request, as the errors of the library have them."""
_ERRNO = r"\[(?:Errno|WinError) -?\d+\] "
"""The number of an error of the operating system; those of a look-up of names are negative."""
_AFTER_WORD = r"(?=[,;:.?!)]*(?:\s|$))"
"""The end of a word, perhaps before punctuation marks."""
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

    An id in brackets or behind a comma stands behind a name, and is left out the second time that it stands behind
    this name, unless another one does, too. Of an id without a name, the noun before it is left, unless it is also
    that of another id. What identifies a response stands behind its message.
    """
    text = leave_out_operations(text)
    ids: dict[str, set[str]] = {}
    for word, id in re.findall(_WORD_WITH_ID, text):
        ids.setdefault(word, set()).add(id)
    for noun, id in re.findall(rf"\b({_NOUN}) ({_ID})\b", text):
        ids.setdefault(noun.lower(), set()).add(id)

    def name_once(match: re.Match[str]) -> str:
        id, before = match["behind"] or match["apart"] or match["id"], text[: match.start()]
        word = before.rpartition(" ")[2]
        if id not in before or (match["behind"] and f"({id})" not in before):
            return match[0]
        if len(ids.get((match["noun"] or "").lower() or word, ())) > 1:
            return match[0]
        if not match["noun"]:
            return ""
        begins = not before.strip() or before.endswith(". ")
        noun = match["noun"] if match["noun"] == "API key" else match["noun"].lower()
        return f"{'That' if begins else 'that'} {noun}"

    return re.sub(_NAMED_ID, name_once, text)


def leave_out_operations(text: str) -> str:
    """Return a text without names of operations, in which what identifies a response stands behind its message."""
    text = re.sub(_OPERATION, _leave_out_operation, text)
    text = re.sub(_STATUS, r"\g<message> (\g<status>, request \g<request>)", text)
    return re.sub(_ERRNO, "", text)


def name_ids(text: str, names: Mapping[str, str]) -> str:
    """Return a text in which each id stands behind its name where it is mentioned first.

    An id that is a part of another word stays alone: a path or a URL with a name in it would lead nowhere.

    Args:
        text: The text.
        names: The names by the ids.
    """
    found = [id for id in names if id in text]
    if not found:
        return text
    named = set[str]()

    def name_id(match: re.Match[str]) -> str:
        id = match["id"]
        if id in named or f"({id})" in text[: match.start()]:
            return match[0]
        named.add(id)
        return describe_resource("", names[id], id)

    ids = "|".join(map(re.escape, found))
    return re.sub(rf"(?<!\S)(?P<quote>'?)(?P<id>{ids})(?P=quote){_AFTER_WORD}", name_id, text)


def _leave_out_operation(match: re.Match[str]) -> str:
    from pinecone_admin import operations  # noqa: PLC0415 - loads the models, and few messages have such a word

    return "" if hasattr(operations, match[1]) else match[0]
