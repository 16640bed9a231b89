"""The command ``explain``: what a code means and what to do, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.help.explanations import find_explanation, list_explanations
from pinecone_admin.cli.parameters import Positional, find_nearest

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


def _complete_code(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    begun = incomplete.casefold()
    return [
        CompletionItem(each.code, help=each.meaning)
        for each in list_explanations()
        if each.code.casefold().startswith(begun)
    ]


_CODE = Positional(
    "code",
    text="Such as PA205, 5 or many-owners; without one, all are listed.",
    required=False,
    metavar="[CODE]",
    shell_complete=_complete_code,
)


@click.command(params=[_CODE])
@click.pass_obj
def command(session: Session, /, code: str | None) -> None:
    """Explain a code, or list all of them."""
    if code is None:
        session.write_items({"code": each.code, "meaning": each.meaning} for each in list_explanations())
        return
    found = find_explanation(code.removeprefix("[").removesuffix("]"))  # as errors end in it
    if found is None:
        raise CLIError(f"there is no code {code!r}: {_advise(code)}", exit=exit_codes.NOT_FOUND)
    if session.output == "table" and session.settings.get("query") is None:
        lines = (f"{found.code}: {found.meaning}", found.reason, f"What to do: {found.remedy}")
        session.stdout.write("".join(f"{line}\n" for line in lines if line))
    else:
        session.write(found._asdict())


def _advise(code: str) -> str:
    # The number of an error is not misspelt but another one.
    words = [each.code for each in list_explanations() if not each.code.startswith("PA")]
    nearest = find_nearest(code, words)
    return f"did you mean {nearest}?" if nearest else "explain without a code lists all"
