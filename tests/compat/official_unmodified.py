"""A program: create, list and delete with the official SDK of any version, as users' code does.

Usage: python -m tests.compat.official_unmodified [PROXY]

It has to run where the production addresses lead to the emulator; from version 9 on, also through a proxy.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.request import urlopen

from pinecone import Admin, Pinecone, ServerlessSpec


def main() -> None:
    """Create a project, a key and an index, list each, and delete them."""
    options: dict[str, Any] = {"proxy_url": sys.argv[1]} if sys.argv[1:] else {}
    admin: Any = Admin(**options)
    # The names have their plural since version 9.
    projects, keys = (getattr(admin, name, None) or getattr(admin, f"{name}s") for name in ("project", "api_key"))
    project = projects.create(name="search")
    assert [each.id for each in read(projects.list())] == [project.id]
    created = keys.create(project_id=project.id, name="ci")
    assert [each.id for each in read(keys.list(project_id=project.id))] == [created.key.id]
    use_indexes(Pinecone(api_key=created.value, **options))
    keys.delete(api_key_id=created.key.id)
    projects.delete(project_id=project.id)
    assert not read(projects.list())


def use_indexes(client: Any) -> None:
    """Create, list and delete an index."""
    spec = ServerlessSpec(cloud="aws", region="us-east-1")
    if hasattr(client, "indexes"):
        client.indexes.create(name="articles", dimension=4, spec=spec)
        assert [each.name for each in client.indexes.list()] == ["articles"]
        client.indexes.delete("articles", timeout=-1)
    else:
        client.create_index(name="articles", dimension=4, spec=spec)
        assert client.list_indexes().names() == ["articles"]
        client.delete_index("articles", timeout=-1)
    # Until then, it is being deleted, and the project cannot be.
    urlopen(f"{os.environ['PINECONE_EMULATOR_CONTROL_URL']}/clock/advance", b'{"seconds": 60}')


def read(listed: Any) -> list[Any]:
    """Return the records of a list, which before version 9 is a model."""
    return list(getattr(listed, "data", listed))


if __name__ == "__main__":
    main()
