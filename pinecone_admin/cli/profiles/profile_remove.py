"""The command ``profile remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.parameters import Positional

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command(params=[Positional("name", text="Name of the profile.", metavar="NAME")])
@click.pass_obj
def command(session: Session, /, name: str) -> None:
    """Remove a saved profile."""
    from pinecone_admin.cli.profiles.edits import remove_profile  # noqa: PLC0415 - loaded when it is run
    from pinecone_admin.cli.profiles.files import change_profiles, find_profile_file  # noqa: PLC0415 - as above

    session.interruptions.hold()  # once the file is replaced, nobody must be told that nothing was changed
    change_profiles(find_profile_file(), lambda text: remove_profile(text, name))
    session.ledger.note_local_change(f"profile remove {name}")
