"""Help codes: every kind of error has one, and each is explained."""

from __future__ import annotations

import re

from pinecone_admin import errors
from pinecone_admin._text.help_codes import HELP
from pinecone_admin.errors import PineconeError


def collect_classes(kind: type[PineconeError]) -> set[type[PineconeError]]:
    """Return a class of errors and all of its subclasses in the package."""
    return {kind}.union(
        *(collect_classes(child) for child in kind.__subclasses__() if child.__module__ == errors.__name__)
    )


def test_every_class_has_its_own_code_and_every_code_a_class() -> None:
    """The help texts have exactly the codes of the classes, and no two classes share one."""
    codes = [vars(kind)["help_code"] for kind in collect_classes(PineconeError)]
    assert len(set(codes)) == len(codes)
    assert set(codes) == HELP.keys()
    assert all(re.fullmatch(r"PA\d{3}", code) for code in codes)


def test_help_is_complete_sentences() -> None:
    """Each entry says in sentences what an error means, why it occurs, and what to do."""
    for each in HELP.values():
        assert all(text[0].isupper() and text.endswith(".") for text in filter(None, each))
        assert all((each.meaning, each.reason, each.remedy))
        assert each.command_remedy != each.remedy


def test_help_explains_an_error_without_its_message() -> None:
    """The reason names causes, and no remedy begins with reading; what a message adds are names and values."""
    for code, each in HELP.items():
        assert "message" not in each.reason, code
        assert not re.search(r"\b[Rr]ead (the message|`error_code`)|the reason in the message", " ".join(each)), code


def test_a_code_is_not_part_of_the_text() -> None:
    """str() of an error does not have its code."""
    error = errors.RefusedError("m", operation="o")
    assert (error.help_code, str(error)) == ("PA602", "o: m")
