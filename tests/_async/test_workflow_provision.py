"""Provision: a project, its key and roles, all or nothing of what one run makes."""

from __future__ import annotations

from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeTypeError,
    PineconeValueError,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKeyWithSecret
from pinecone_admin.workflows import ProjectRole, ProjectRoleDict
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault

pytestmark = pytest.mark.anyio

NOBODY = ProjectRole(principal_type="user", principal_id="nobody", role="ProjectViewer")


async def a_robot(admin: AsyncAdmin) -> ProjectRole:
    """Make a service account, and the role that it shall have."""
    made = await admin.service_accounts.create(name="robot")
    return ProjectRole(principal_type="service_account", principal_id=made.service_account.id, role="ProjectViewer")


async def test_a_tenant_gets_a_project_a_key_and_roles(admin: AsyncAdmin, emulator: Emulator) -> None:
    """And a second run finds it all there."""
    robot = await a_robot(admin)
    vault: list[APIKeyWithSecret] = []
    arguments: dict[str, Any] = {"name": "tenant", "key_roles": ["DataPlaneEditor"], "store": vault.append}
    first = await admin.projects.provision(**arguments, bindings=[robot])
    (project,) = emulator.state.projects.values()
    (key,) = emulator.state.api_keys.values()
    assert (first.project.value.id, key.name, [made.value for made in vault]) == (project.id, "tenant", [key.value])
    assert emulator.state.roles_of(key) == ["DataPlaneEditor"]
    assert [each.value.principal_id for each in first.bindings] == [robot.principal_id]
    second = await admin.projects.provision(**arguments, bindings=[robot])
    assert [each.created for each in (second.project, second.key, *second.bindings)] == [False, False, False]
    assert len(vault) == 1


async def test_the_key_has_as_much_of_the_name_as_a_key_can_have(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Projects can have longer names than keys."""
    await admin.projects.provision(name="t" * 512, key_roles=["ProjectViewer"], store=lambda _: None)
    assert [key.name for key in emulator.state.api_keys.values()] == ["t" * 80]


async def test_roles_may_be_mappings_and_tuples(admin: AsyncAdmin, emulator: Emulator) -> None:
    """As the roles of an invite may be."""
    robot = await a_robot(admin)
    mapping: ProjectRoleDict = {
        "principal_type": robot.principal_type,
        "principal_id": robot.principal_id,
        "role": "DataPlaneViewer",
    }
    tenant = await admin.projects.provision(
        name="tenant", key_roles=("DataPlaneEditor",), store=lambda _: None, bindings=(robot, mapping)
    )
    assert [each.value.role for each in tenant.bindings] == ["ProjectViewer", "DataPlaneViewer"]
    assert len(emulator.state.api_keys) == 1


async def test_what_was_made_is_undone_in_reverse_where_a_step_fails(emulator: Emulator) -> None:
    """Nothing of the tenant is left, and the failure is raised with notes of what was undone."""
    robot = await a_robot(emulator.async_admin())
    transport = FaultyTransport(emulator)
    with raises(NotFoundError) as caught:
        await AsyncAdmin(**transport.client_options).projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[robot, NOBODY]
        )
    deleted = [request.split("/")[2] for request in transport.requests if request.startswith("DELETE")]
    assert deleted == ["role-bindings", "api-keys", "projects"]
    assert [note.rsplit(maxsplit=4)[0] for note in caught.value.__notes__] == ["role binding", "API key", "project"]
    assert not emulator.state.projects


async def test_what_was_there_before_stays_where_a_step_fails(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Only this call's work is undone."""
    project = await admin.projects.create(name="tenant")
    with raises(NotFoundError):
        await admin.projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[NOBODY]
        )
    assert list(emulator.state.projects) == [project.id]
    assert not emulator.state.api_keys


async def test_a_store_that_fails_leaves_nothing(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Its error is raised as it is."""

    def store(_: object) -> None:
        raise OSError("the vault is sealed")

    with pytest.raises(OSError, match="sealed"):
        await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=store)
    assert not emulator.state.projects


async def test_a_quota_that_is_used_up_is_told_as_it_is(emulator: Emulator) -> None:
    """There is nothing to undo."""
    emulator.state.settings.project_quota = 0
    with raises(ForbiddenError):
        await emulator.async_admin().projects.provision(name="t", key_roles=["ProjectViewer"], store=lambda _: None)


async def test_what_could_not_be_undone_is_named(emulator: Emulator) -> None:
    """All of it, with the failure that came first."""
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 99), InjectedFault.UNAVAILABLE))
    transport.only_method = "DELETE"
    with raises(LeftoverError) as caught:
        await AsyncAdmin(**transport.client_options).projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[NOBODY]
        )
    (project,) = emulator.state.projects
    (key,) = emulator.state.api_keys
    assert caught.value.left == [f"API key {key}", f"project {project}"]
    assert isinstance(caught.value.__cause__, NotFoundError)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": ""}, PineconeValueError),
        ({"key_roles": ["OrgOwner"]}, PineconeValueError),
        ({"key_roles": None}, PineconeTypeError),
        ({"bindings": [{"role": "ProjectViewer"}]}, PineconeTypeError),
        ({"bindings": [on_project("p", "ProjectViewer")]}, PineconeTypeError),
        ({"bindings": [{"principal_type": "user", "principal_id": "", "role": "ProjectViewer"}]}, PineconeValueError),
        ({"bindings": [ProjectRole(principal_type="user", principal_id="u", role="OrgOwner")]}, PineconeValueError),
    ],
)
async def test_what_cannot_succeed_is_refused_before_anything_is_made(
    arguments: dict[str, Any], error: type[Exception], emulator: Emulator
) -> None:
    """Also what only a later step would trip over."""
    transport = FaultyTransport(emulator)
    valid: dict[str, Any] = {"name": "tenant", "key_roles": ["ProjectViewer"], "store": lambda _: None}
    with pytest.raises(error):
        await AsyncAdmin(**transport.client_options).projects.provision(**(valid | arguments))
    assert transport.requests == []
