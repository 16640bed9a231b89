"""A program: call all that the official SDK 9 can do here, and empty projects with every mix of contents.

Usage: python -m tests.compat.official_from_9 emulate|http

It runs with SDK 10, too, whose further operations are in test_official_sdk.py. Prints the operations that succeeded,
how each clean-up ended, and what breaches the API documents, as JSON. It is a program because a process can import only
one version of the SDK.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product

import pinecone
import pytest
from pinecone import Admin, NotFoundError, Pinecone, PodSpec, ServerlessSpec

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.testing import emulate
from tests.support.contract import record_breaches

KINDS = ("index", "protected", "collection", "backup", "assistant")
MIXES = [tuple(kind for kind, chosen in zip(KINDS, mix, strict=True) if chosen) for mix in product((0, 1), repeat=5)]
SERVERLESS, PODS = ServerlessSpec(cloud="aws", region="us-east-1"), PodSpec(environment="us-east1-gcp")
IS_9 = pinecone.__version__.startswith("9.")


def main() -> None:
    """Print what happened; among the clean-ups is one of more backups than a page."""
    emulator = Emulator(project_quota=100)
    breaches: list[str] = []
    vars(dispatch)["handle"] = record_breaches(dispatch.handle, breaches)
    # The SDK sleeps between polls; here, the time passes on the emulator's clock.
    vars(time)["sleep"] = emulator.clock.advance
    # The SDK opens 156 clients here, and reading the certificates takes 40 ms each time.
    vars(ssl)["create_default_context"] = cache(ssl.create_default_context)
    with connect(emulator, sys.argv[1]) as admin:
        results = {" ".join(mix): clean_up(admin, emulator, mix) for mix in MIXES}
        results["many backups"] = clean_up(admin, emulator, ("backup",) * 25)
        emulator.reset()
        emulator.requests.clear()
        use_everything(admin, emulator)
    succeeded = sorted({each.operation_id for each in emulator.requests if each.status in {200, 201, 202}})
    printed = {"succeeded": succeeded, "results": results, "breaches": breaches}
    print(json.dumps(printed))  # noqa: T201 — read by the test


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
    if not IS_9:
        return Admin(client_id=client_id, client_secret=client_secret, host=url, oauth_url=url + TOKEN_PATH)
    # Version 9 has its addresses built in.
    built_in = sys.modules[Admin.__module__]
    vars(built_in).update(DEFAULT_BASE_URL=url, _OAUTH_URL=url + TOKEN_PATH)
    return Admin(client_id=client_id, client_secret=client_secret)


def clean_up(admin: Admin, emulator: Emulator, mix: tuple[str, ...]) -> str:
    """Fill a project, delete it with its contents, and return "deleted" or the error."""
    project_id = admin.projects.create(name="-".join(mix) or "empty").id
    key = admin.api_keys.create(project_id=project_id, name="set-up", roles=["ProjectEditor"])
    with Pinecone(api_key=key.value) as client:
        fill(client, mix)
    if "collection" in mix:
        # Version 10 cannot create the pod-based index that a collection needs.
        emulator.hold(project_id, "collections", "collection")
    try:
        admin.projects.delete_with_cleanup(project_id=project_id, max_attempts=2, retry_delay=0)
    except pinecone.PineconeError as error:
        return f"{type(error).__name__}: {error}"
    return "still there" if admin.projects.exists(project_id=project_id) else "deleted"


def fill(client: Pinecone, mix: tuple[str, ...]) -> None:
    """Create contents, and their source index only for as long as they need it."""
    if "backup" in mix:
        client.indexes.create(name="source", spec=SERVERLESS, dimension=4)
    for number, kind in enumerate(mix):
        if kind in {"index", "protected"}:
            protection = "enabled" if kind == "protected" else "disabled"
            client.indexes.create(name=kind, spec=SERVERLESS, dimension=4, deletion_protection=protection)
        elif kind == "backup":
            client.backups.create(index_name="source", name=f"{kind}-{number}")
        elif kind == "assistant":
            client.assistants.create(name=kind)
    if "backup" in mix:
        client.indexes.delete("source")


def use_everything(admin: Admin, emulator: Emulator) -> None:
    """Call each method of the SDK that the emulator has an operation for."""
    (organization,) = admin.organizations.list()
    assert admin.organizations.update(organization_id=organization.id, name="Acme").name == "Acme"
    assert admin.organizations.describe(organization_id=organization.id).name == "Acme"
    project = admin.projects.create(name="search")
    assert admin.projects.describe(project_id=project.id) == admin.projects.describe_by_name(name="search") == project
    assert admin.projects.update(project_id=project.id, name="new").name == "new"
    assert [each.id for each in admin.projects.list()] == [project.id]
    assert admin.projects.exists(name="new")
    created = admin.api_keys.create(project_id=project.id, name="set-up")
    assert admin.api_keys.update(api_key_id=created.key.id, name="new").roles == ["ProjectEditor"]
    assert admin.api_keys.describe(api_key_id=created.key.id).name == "new"
    assert [each.id for each in admin.api_keys.list(project_id=project.id)] == [created.key.id]
    with Pinecone(api_key=created.value) as client:
        use_indexes(client)
        use_collections(client, emulator, project.id)
        use_backups(client)
        use_assistants(client)
    admin.api_keys.delete(api_key_id=created.key.id)
    admin.projects.delete_with_cleanup(project_id=project.id, retry_delay=0)
    emulator.configure(plan="Free")
    admin.organizations.delete(organization_id=organization.id)


def use_indexes(client: Pinecone) -> None:
    """Create, read, change and delete indexes; the index "articles" stays."""
    for name in ("articles", "gone"):
        assert client.indexes.create(name=name, spec=SERVERLESS, dimension=4, tags={"team": "a"}).status.ready
    client.indexes.configure("articles", tags={"team": "b"}, deletion_protection="enabled")
    client.indexes.configure("articles", deletion_protection="disabled")
    described = client.indexes.describe("articles")
    assert (described.tags, described.deletion_protection, described.dimension) == ({"team": "b"}, "disabled", 4)
    client.indexes.delete("gone")
    assert [each.name for each in client.indexes.list()] == ["articles"]
    assert not client.indexes.exists("gone")


def use_collections(client: Pinecone, emulator: Emulator, project_id: str) -> None:
    """Create, read and delete collections; version 10 cannot create the pod-based index that they need."""
    if IS_9:
        client.indexes.create(name="pods", spec=PODS, dimension=4)
        client.collections.create(name="archive", source="pods")
    else:
        with pytest.raises(pinecone.ApiError, match="'pod' is not supported on this API version"):
            client.indexes.create(name="pods", spec=PODS, dimension=4)
        emulator.hold(project_id, "collections", "archive")
    with pytest.raises(pinecone.ApiError, match=r"\[400 "):
        client.collections.create(name="x", source="articles")
    assert client.collections.describe("archive").status == "Ready"
    assert client.collections.list().names() == ["archive"]
    client.collections.delete("archive")


def use_backups(client: Pinecone) -> None:
    """Create, read and delete backups, which outlive their index."""
    weekly = client.backups.create(index_name="articles", name="weekly")
    assert client.backups.describe(backup_id=weekly.backup_id).name == "weekly"
    for listed in (client.backups.list(), client.backups.list(index_name="articles")):
        assert [each.backup_id for each in listed] == [weekly.backup_id]
    client.indexes.delete("articles")
    with pytest.raises(NotFoundError):
        client.backups.list(index_name="articles")
    if not IS_9:
        (orphan,) = client.backups.list(index_name="articles", include_deleted=True)
        assert orphan.source_index_deleted_at
    client.backups.delete(backup_id=weekly.backup_id)


def use_assistants(client: Pinecone) -> None:
    """Create, read, change and delete an assistant."""
    client.assistants.create(name="helper", instructions="Be brief.")
    assert client.assistants.update(name="helper", instructions="Be kind.").instructions == "Be kind."
    assert client.assistants.describe(name="helper").instructions == "Be kind."
    assert [each.name for each in client.assistants.list()] == ["helper"]
    client.assistants.delete(name="helper")


if __name__ == "__main__":
    main()
