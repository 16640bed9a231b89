"""Two calls for one name: each docstring, each help and the page warn of them in the same words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._sync.client import NAMESPACES
from tests.cli.command_line import COMMANDS
from tests.support.recipes import read_page

NAME = "Do not run two calls for the same name at the same time."
ORGANIZATION = "Do not run two calls for the same organization at the same time."
OTHER_COMMANDS = {"service_accounts.rotate": "service-account rotate"}
WARNING = re.compile(
    r"[^.:;]*\b(?:[Oo]nly one at a time|one process at a time|[Tt]wo calls\b[^.]*\bat the same time)\b[^.]*\."
)


def find_warnings(text: str | None) -> list[str]:
    """Return the sentences of a text that are about calls at the same time."""
    return [sentence.strip() for sentence in WARNING.findall(" ".join((text or "").split()))]


def list_docstrings(client: type) -> Iterator[tuple[str, str | None]]:
    """Yield the name and the docstring of each method of a client and of its namespaces."""
    for prefix, owner in [("", client), *((f"{name}.", getattr(client, name)) for name in NAMESPACES)]:
        for name, method in vars(owner).items():
            if inspect.isfunction(method):
                yield f"{prefix}{name}", inspect.getdoc(method)


def list_warnings(client: type) -> dict[str, list[str]]:
    """Return the sentences of each method that two calls at the same time can harm, from its docstring."""
    found = {name: find_warnings(docstring) for name, docstring in list_docstrings(client)}
    return {name: sentences for name, sentences in found.items() if sentences}


def test_docstrings_warn_of_two_calls_in_the_same_words() -> None:
    """A docstring on this has one of two sentences, and those of both clients are the same."""
    warnings = list_warnings(Admin)
    assert list_warnings(AsyncAdmin) == warnings
    assert len(warnings) > 5
    assert {name: each for name, each in warnings.items() if each not in ([NAME], [ORGANIZATION])} == {}


def test_helps_warn_of_two_calls_in_the_same_words() -> None:
    """The commands of these methods have the sentence, and no other command has one on this."""
    found = {command.full_name: find_warnings(str(command.help)) for command in COMMANDS}
    assert {name: sentences for name, sentences in found.items() if sentences} == {
        OTHER_COMMANDS.get(name) or re.sub(r"s\.", " ", name).replace("_", "-"): sentences
        for name, sentences in list_warnings(Admin).items()
    }


def test_the_page_on_workflows_shows_what_two_calls_can_do() -> None:
    """The section has the sentence, and a table with each of these methods."""
    section = read_page("docs/workflows.md").partition("## Run one call at a time\n")[2].partition("\n## ")[0]
    assert NAME in " ".join(section.split())
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    differing = listed ^ list_warnings(Admin).keys()
    assert differing == set(), (
        f"docs/workflows.md, Run one call at a time: the table and docstrings differ in {differing}"
    )
