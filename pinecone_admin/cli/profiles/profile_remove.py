"""The command ``profile remove``."""

from __future__ import annotations

import click

from pinecone_admin.cli.parameters import Positional


@click.command(params=[Positional("name", text="Name of the profile.", metavar="NAME")])
def command(name: str) -> None:
    """Remove a saved profile."""
    from pinecone_admin.cli.profiles.edits import remove_profile  # noqa: PLC0415 - loaded when it is run
    from pinecone_admin.cli.profiles.files import change_profiles, find_profile_file  # noqa: PLC0415 - as above

    change_profiles(find_profile_file(), lambda text: remove_profile(text, name))
