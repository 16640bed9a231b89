"""A program: fill a project and empty it with the official SDK 8 over HTTP, in virtual time."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import urllib3
from pinecone import Admin, Pinecone, ServerlessSpec

from pinecone_admin.emulator import Emulator, serving


def main() -> None:
    """Print the names of the projects afterwards, and the statuses of refused requests."""
    emulator = Emulator()
    # The SDK sleeps between polls; here, the time passes on the emulator's clock.
    vars(time)["sleep"] = emulator.clock.advance
    with serving(emulator) as url:
        redirect_addresses(url)
        os.environ |= {"PINECONE_CLIENT_ID": emulator.client_id, "PINECONE_CLIENT_SECRET": emulator.client_secret}
        admin: Any = Admin()
        project = admin.project.create(name="search")
        key = admin.api_key.create(project_id=project.id, name="set-up")
        client = Pinecone(api_key=key.value)
        for name in ("articles", "people"):
            client.create_index(name=name, dimension=4, spec=ServerlessSpec(cloud="aws", region="us-east-1"))
        client.create_collection(name="archive", source="people")
        client.create_backup(index_name="people", backup_name="weekly")
        held = {kind: len(names) for kind, names in emulator.state.projects[project.id].contents.items()}
        everything = {f"delete_all_{kind}": True for kind in ("indexes", "collections", "backups")}
        admin.project.delete(project_id=project.id, **everything)
    print(json.dumps({"held": held, "left": list(emulator.state.projects)}))  # noqa: T201 — read by the test


def redirect_addresses(url: str) -> None:
    """Replace the addresses that are built into the SDK."""
    send = urllib3.PoolManager.urlopen

    def urlopen(pool: urllib3.PoolManager, method: str, target: str, *arguments: Any, **named: Any) -> Any:
        for built_in in ("https://api.pinecone.io", "https://login.pinecone.io"):
            target = target.replace(built_in, url)
        return send(pool, method, target, *arguments, **named)

    vars(urllib3.poolmanager)["PoolManager"].urlopen = urlopen


if __name__ == "__main__":
    main()
