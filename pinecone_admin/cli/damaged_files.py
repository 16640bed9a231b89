"""Errors about what a file contains: each names the file and the line, and has all problems as data."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli.failures import CLIError, describe_problem
from pinecone_admin.cli.sentences import as_sentences, join_sentences
from pinecone_admin.errors import PineconeValueError

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

STANDARD_INPUT = "standard input"
"""How errors name it."""
_MOST_LINES = 20
"""Problems that get a line for people: another file, given by mistake, could have one in each line."""


def parse_json(text: str, name: str, *, first_line: int = 1, advice: str = "") -> Any:
    """Return the JSON value in a text.

    Args:
        text: The text.
        name: How errors name it, such as a file.
        first_line: The line where it begins.
        advice: A sentence that follows the problem.

    Raises:
        CLIError: It is not JSON; the message names the text and the line.
    """
    try:
        return json.loads(text)
    except RecursionError:
        problem = "the document has too many levels"
    except json.JSONDecodeError as error:
        problem = f"line {first_line + error.lineno - 1}: not JSON: {error.msg}"
    except ValueError as error:  # a number with more digits than Python reads
        problem = f"not JSON: {error}"
    raise refuse_content(name, problem, advice=advice)


def refuse_content(name: str, problem: str, *, advice: str = "") -> CLIError:
    """Return the error for a file with one problem.

    Args:
        name: The file.
        problem: The problem, as a clause that begins with its line if that is known: ``line 2: …``.
        advice: A sentence that follows it.
    """
    return CLIError(join_sentences([_state(name, problem), advice]), problems=[describe_problem(name, problem)])


@contextmanager
def listing_problems(session: Session, name: str) -> Generator[None]:
    """Turn an error about the content of a file into one with all problems as data; several have a line for each.

    Args:
        session: The session.
        name: The file, with which the message of the error begins. Its notes are the problems if there are several.
    """
    try:
        yield
    except PineconeValueError as error:
        problems: Sequence[str] = getattr(error, "__notes__", ())
        if not problems:
            raise refuse_content(name, error.message.removeprefix(name).lstrip(":, ")) from error
        for each in problems[:_MOST_LINES] if not session.expects_json_errors else ():
            session.notify(_state(name, each))
        message = f"{name} has {count_noun(len(problems), 'problem')}."
        if len(problems) > _MOST_LINES:
            message += f" The first {_MOST_LINES} are above, and all are in the error of -o json."
        raise CLIError(message, problems=[describe_problem(name, each) for each in problems]) from error


def _state(name: str, problem: str) -> str:
    """Return a problem as sentences that begin with the name of the file, which stays as it is."""
    from pinecone_admin.workflows.desired_state import place_in  # noqa: PLC0415 - loads the models

    begin = name.capitalize() if name == STANDARD_INPUT else name
    return f"{begin}{as_sentences(place_in('-', problem))[1:]}"
