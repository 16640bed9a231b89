"""The command ``doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.exit_codes import REFUSED

if TYPE_CHECKING:
    from pinecone_admin.cli.doctor_checks import CheckResult
    from pinecone_admin.cli.session import Session


@click.command()
@click.pass_obj
def command(session: Session, /) -> None:
    """Check everything that a command needs, and write what was found."""
    from pinecone_admin.cli.doctor_run import examine  # noqa: PLC0415 - loads the client

    session.write_items(_as_documents(session, examine(session)))


def _as_documents(session: Session, results: Iterator[CheckResult]) -> Iterator[dict[str, str]]:
    for result in results:
        if result.status == "failed":
            session.exit_code = REFUSED
        yield result.to_document()
