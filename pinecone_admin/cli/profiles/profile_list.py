"""The command ``profile list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


@click.command()
@click.pass_obj
def command(session: Session, /) -> None:
    """Write the saved profiles."""
    from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - loaded when it is run

    profiles = load_profiles(find_profile_file())
    session.write_items(
        each.to_document(is_default=name == profiles.default) for name, each in profiles.by_name.items()
    )
