"""Who the command line acts as: options, the environment, profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinecone_admin import Admin
    from pinecone_admin.cli.session import Session


def make_client(session: Session) -> Admin:
    """Return the client of a session."""
    from pinecone_admin import Admin  # noqa: PLC0415 - loads httpx
    from pinecone_admin.cli.preview import PreviewAdmin  # noqa: PLC0415 - as above

    kind = PreviewAdmin if session.intercepts_changes else Admin
    return kind(source_tag="cli", lazy=True, read_only=bool(session.settings.get("read_only")))


def name_caller(session: Session) -> str:
    """Return the client id of the account, or ``unknown`` if there is only a token."""
    return session.env.get("PINECONE_CLIENT_ID") or "unknown"
