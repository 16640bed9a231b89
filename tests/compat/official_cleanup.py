"""A program: fill projects with every mix of contents and empty them, all with the official SDK that can be imported.

Usage: python -m tests.compat.official_cleanup emulate|http

Prints how each clean-up ended, as JSON. It is a program because a process can import only one version of the SDK.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pinecone
from pinecone import Admin, Pinecone, ServerlessSpec

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.testing import emulate
from tests.support.contract import record_breaches

KINDS = ("index", "protected", "collection", "backup", "assistant")
MIXES = [tuple(kind for kind, chosen in zip(KINDS, mix, strict=True) if chosen) for mix in product((0, 1), repeat=5)]
SERVERLESS = ServerlessSpec(cloud="aws", region="us-east-1")


def main() -> None:
    """Print the result of each mix, and of a project with more backups than a page."""
    emulator = Emulator(project_quota=100)
    breaches: list[str] = []
    vars(dispatch)["handle"] = record_breaches(dispatch.handle, breaches)
    # The SDK sleeps between polls; here, the time passes on the emulator's clock.
    vars(time)["sleep"] = emulator.clock.advance
    with connect(emulator, sys.argv[1]) as admin:
        results = {" ".join(mix): clean_up(admin, mix) for mix in MIXES}
        results["many backups"] = clean_up(admin, ("backup",) * 25)
    print(json.dumps({"results": results, "breaches": breaches}))  # noqa: T201 — read by the test


@contextmanager
def connect(emulator: Emulator, way: str) -> Iterator[Admin]:
    """Yield an official client that reaches the emulator."""
    if way == "emulate":
        with emulate(emulator), Admin() as admin:
            yield admin
        return
    with serving(emulator) as url:
        os.environ["PINECONE_CONTROLLER_HOST"] = url
        with create_admin(emulator, url) as admin:
            yield admin


def create_admin(emulator: Emulator, url: str) -> Admin:
    """Return an official client of an emulator that is served at a URL."""
    client_id, client_secret = emulator.client_id, emulator.client_secret
    if not pinecone.__version__.startswith("9."):
        return Admin(client_id=client_id, client_secret=client_secret, host=url, oauth_url=url + TOKEN_PATH)
    # Version 9 has its addresses built in.
    built_in = sys.modules[Admin.__module__]
    vars(built_in).update(DEFAULT_BASE_URL=url, _OAUTH_URL=url + TOKEN_PATH)
    return Admin(client_id=client_id, client_secret=client_secret)


def clean_up(admin: Admin, mix: tuple[str, ...]) -> str:
    """Fill a project, delete it with its contents, and return "deleted" or the error."""
    project_id = admin.projects.create(name="-".join(mix) or "empty").id
    key = admin.api_keys.create(project_id=project_id, name="set-up", roles=["ProjectEditor"])
    with Pinecone(api_key=key.value) as client:
        fill(client, mix)
    try:
        admin.projects.delete_with_cleanup(project_id=project_id, max_attempts=2, retry_delay=0)
    except pinecone.PineconeError as error:
        return f"{type(error).__name__}: {error}"
    return "still there" if admin.projects.exists(project_id=project_id) else "deleted"


def fill(client: Pinecone, mix: tuple[str, ...]) -> None:
    """Create contents, and their source index only for as long as they need it."""
    if {"collection", "backup"} & set(mix):
        client.indexes.create(name="source", spec=SERVERLESS, dimension=4)
    for number, kind in enumerate(mix):
        if kind in {"index", "protected"}:
            protection = "enabled" if kind == "protected" else "disabled"
            client.indexes.create(name=kind, spec=SERVERLESS, dimension=4, deletion_protection=protection)
        elif kind == "collection":
            client.collections.create(name=kind, source="source")
        elif kind == "backup":
            client.backups.create(index_name="source", name=f"{kind}-{number}")
        else:
            client.assistants.create(name=kind)
    if {"collection", "backup"} & set(mix):
        client.indexes.delete("source")


if __name__ == "__main__":
    main()
