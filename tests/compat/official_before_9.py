"""A program: call all that the official SDK 7 or 8 can do here over HTTP, in virtual time.

Usage: python -m tests.compat.official_before_9

Prints the operations that succeeded, the projects that are left, and what breaches the API documents, as JSON.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest
import urllib3
from pinecone import Admin, NotFoundException, Pinecone, PodSpec, ServerlessSpec

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api import dispatch
from tests.support.contract import record_breaches


def main() -> None:
    """Print what happened."""
    emulator = Emulator(pod_access=True)
    breaches: list[str] = []
    vars(dispatch)["handle"] = record_breaches(dispatch.handle, breaches)
    # The SDK sleeps between polls; here, the time passes on the emulator's clock.
    vars(time)["sleep"] = emulator.clock.advance
    with serving(emulator) as url:
        redirect_addresses(url)
        os.environ |= {"PINECONE_CLIENT_ID": emulator.client_id, "PINECONE_CLIENT_SECRET": emulator.client_secret}
        admin: Any = Admin()
        use_keys(admin)
        use_projects(admin)
        if hasattr(admin, "organization"):
            use_organizations(admin, emulator)
    succeeded = sorted({each.operation_id for each in emulator.requests if each.status in {200, 201, 202}})
    printed = {"succeeded": succeeded, "left": list(emulator.state.projects), "breaches": breaches}
    print(json.dumps(printed))  # noqa: T201 — read by the test


def redirect_addresses(url: str) -> None:
    """Replace the addresses that are built into the SDK."""
    send = urllib3.PoolManager.urlopen

    def urlopen(pool: urllib3.PoolManager, method: str, target: str, *arguments: Any, **named: Any) -> Any:
        for built_in in ("https://api.pinecone.io", "https://login.pinecone.io"):
            target = target.replace(built_in, url)
        return send(pool, method, target, *arguments, **named)

    vars(urllib3.poolmanager)["PoolManager"].urlopen = urlopen


def use_organizations(admin: Any, emulator: Emulator) -> None:
    """List, rename and delete the organization, which must be Free by then."""
    (listed,) = admin.organization.list().data
    for read in (admin.organization.fetch, admin.organization.get, admin.organization.describe):
        assert read(organization_id=listed.id) == listed
    assert admin.organization.update(organization_id=listed.id, name="Acme").name == "Acme"
    assert admin.organization.fetch(organization_id=listed.id)["name"] == "Acme"
    emulator.configure(plan="Free")
    admin.organization.delete(organization_id=listed.id)


def use_keys(admin: Any) -> None:
    """Create, read, list, change and delete keys."""
    project = admin.project.create(name="keys")
    first = admin.api_key.create(project_id=project.id, name="first")
    second = admin.api_key.create(project_id=project.id, name="second", roles=["ProjectViewer"])
    assert [list(each.key.roles) for each in (first, second)] == [["ProjectEditor"], ["ProjectViewer"]]
    assert first.key.created_at
    assert first.value.startswith("pcsk_")
    for read in (admin.api_key.fetch, admin.api_key.get, admin.api_key.describe):
        assert read(api_key_id=first.key.id).name == "first"
    if hasattr(admin.api_key, "update"):
        changed = admin.api_key.update(api_key_id=first.key.id, name="renamed")
        assert (changed.name, list(changed.roles)) == ("renamed", ["ProjectEditor"])
        changed = admin.api_key.update(api_key_id=first.key.id, roles=["ProjectEditor", "DataPlaneEditor"])
        assert (changed.name, set(changed.roles)) == ("renamed", {"ProjectEditor", "DataPlaneEditor"})
    admin.api_key.delete(api_key_id=first.key.id)
    assert [key.id for key in admin.api_key.list(project_id=project.id).data] == [second.key.id]
    admin.project.delete(project_id=project.id)


def use_projects(admin: Any) -> None:
    """Create, read, change, fill, empty and delete a project; a protected index stops the deletion."""
    project = admin.project.create(name="search")
    assert (project.name, project["force_encryption_with_cmek"], bool(project.get("created_at"))) == (
        "search",
        False,
        True,
    )
    for read in (admin.project.get, admin.project.describe, admin.project.fetch):
        assert read(project_id=project.id) == project
    assert admin.project.get(name="search").id == project.id
    changed = admin.project.update(project_id=project.id, name="new", max_pods=1, force_encryption_with_cmek=True)
    assert (changed.name, changed.max_pods, changed.force_encryption_with_cmek) == ("new", 1, True)
    assert [each.id for each in admin.project.list().data] == [project.id]
    client = Pinecone(api_key=admin.api_key.create(project_id=project.id, name="set-up").value)
    fill(client)
    everything = {f"delete_all_{kind}": True for kind in ("indexes", "collections", "backups")}
    with pytest.raises(Exception, match="deletion protection enabled cannot be deleted"):  # the SDK has no class for it
        admin.project.delete(project_id=project.id, **everything)
    client.configure_index("articles", deletion_protection="disabled")
    admin.project.delete(project_id=project.id, **everything)
    assert not admin.project.exists(project_id=project.id)
    with pytest.raises(NotFoundException):
        admin.project.get(project_id=project.id)


def fill(client: Pinecone) -> None:
    """Create, read and list contents of every kind; delete some of each, and leave others."""
    serverless, pods = ServerlessSpec(cloud="aws", region="us-east-1"), PodSpec(environment="us-east1-gcp")
    client.create_index(name="articles", dimension=4, spec=serverless, deletion_protection="enabled")
    client.create_index(name="people", dimension=4, spec=pods)
    client.create_index(name="gone", dimension=4, spec=serverless)
    client.configure_index("articles", tags={"team": "search"})
    tags: Any = client.describe_index("articles").tags
    assert tags["team"] == "search"
    client.delete_index("gone")
    assert sorted(client.list_indexes().names()) == ["articles", "people"]
    for name in ("archive", "draft"):
        client.create_collection(name=name, source="people")
    assert client.describe_collection("archive")["dimension"] == 4
    client.delete_collection("draft")
    assert client.list_collections().names() == ["archive"]
    weekly, daily = (client.create_backup(index_name="articles", backup_name=name) for name in ("weekly", "daily"))
    assert client.describe_backup(backup_id=weekly.backup_id).name == "weekly"
    client.delete_backup(backup_id=daily.backup_id)
    for listed in (client.list_backups(), client.list_backups(index_name="articles")):
        assert [each.backup_id for each in listed] == [weekly.backup_id]
    use_assistants(client.assistant)


def use_assistants(assistants: Any) -> None:
    """Create, read, change and delete an assistant; the SDK does not delete those that a project holds."""
    assistants.create_assistant("helper", instructions="Be brief.")
    assert assistants.update_assistant("helper", instructions="Be kind.").instructions == "Be kind."
    assert assistants.describe_assistant("helper").instructions == "Be kind."
    assert [each.name for each in assistants.list_assistants()] == ["helper"]
    assistants.delete_assistant("helper")


if __name__ == "__main__":
    main()
