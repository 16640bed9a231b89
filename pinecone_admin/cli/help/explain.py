"""The command ``explain``: what a code means and what to do, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.help.explanations import find_explanation, list_explanations
from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


_CODE = Positional(
    "code", text="Such as PA205, 5 or many-owners; without one, all are listed.", required=False, metavar="[CODE]"
)


@click.command(params=[_CODE])
@click.pass_obj
def command(session: Session, /, code: str | None) -> None:
    """Explain a code, or list all of them."""
    if code is None:
        session.write_items({"code": each.code, "meaning": each.meaning} for each in list_explanations())
        return
    found = find_explanation(code)
    if found is None:
        raise CLIError(f"there is no code {code!r}: explain without a code lists all", exit=exit_codes.NOT_FOUND)
    if session.output == "table" and session.settings.get("query") is None:
        lines = (f"{found.code}: {found.meaning}", found.reason, f"What to do: {found.remedy}")
        session.stdout.write("".join(f"{line}\n" for line in lines if line))
    else:
        session.write(found._asdict())
