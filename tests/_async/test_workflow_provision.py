"""Provisioning: a project, its key and its roles, rolled back together if a step fails."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeTypeError,
    PineconeValueError,
    ServiceError,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Principal
from pinecone_admin.models import APIKeyWithSecret
from pinecone_admin.workflows import ProjectRole, ProjectRoleDict
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, fail_to_store
from tests.support.steps import list_actions

pytestmark = pytest.mark.anyio

NOBODY = ProjectRole(principal_type="user", principal_id="nobody", role="ProjectViewer")


async def create_robot(admin: AsyncAdmin) -> ProjectRole:
    """Create a service account, and return the project role that it is to have."""
    made = await admin.service_accounts.create(name="robot")
    return ProjectRole(principal_type="service_account", principal_id=made.service_account.id, role="ProjectViewer")


async def test_a_tenant_gets_a_project_a_key_and_roles(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A first run creates project, key and role bindings, and a second run finds them."""
    robot = await create_robot(admin)
    stored: list[APIKeyWithSecret] = []
    arguments: dict[str, Any] = {"name": "tenant", "key_roles": ["DataPlaneEditor"], "store": stored.append}
    preview = await admin.projects.provision(**arguments, bindings=[robot], dry_run=True)
    first = await admin.projects.provision(**arguments, bindings=[robot])
    done = list_actions(first.steps)
    assert done == list_actions(preview.steps)
    assert done[-2:] == [("create", "api_key"), ("update", "api_key")]
    (project,) = emulator.state.projects.values()
    (key,) = emulator.state.api_keys.values()
    assert (first.project.value.id, key.name, [made.value for made in stored]) == (project.id, "tenant", [key.value])
    assert emulator.state.roles_of(key) == ["DataPlaneEditor"]
    assert [each.value.principal_id for each in first.bindings] == [robot.principal_id]
    second = await admin.projects.provision(**arguments, bindings=[robot])
    assert [each.created for each in (second.project, second.key, *second.bindings)] == [False, False, False]
    assert len(stored) == 1


async def test_results_print_as_one_line_without_secrets(admin: AsyncAdmin, emulator: Emulator) -> None:
    """They say what was done or would be, and what was there; the id of the key is there in either case."""
    robot = await create_robot(admin)
    arguments: dict[str, Any] = {"name": "tenant", "key_roles": ["DataPlaneEditor"], "bindings": [robot]}
    planned = await admin.projects.provision(**arguments, store=print, dry_run=True)
    assert str(planned) == (
        f"would create project tenant; would grant ProjectViewer on new project tenant to service account "
        f"{robot.principal_id}; would create key tenant in new project tenant with DataPlaneEditor; would rename key "
        "'~makes:c0b48860 tenant' in new project tenant to tenant"
    )
    with raises(PineconeValueError, match="there is no value: it was a dry run"):
        _ = planned.key_id
    made = await admin.projects.provision(**arguments, store=lambda _: None)
    found = await admin.projects.provision(**arguments, store=print)
    (project,), (key,) = emulator.state.projects.values(), emulator.state.api_keys.values()
    assert made.key_id == found.key_id == key.id
    assert str(made) == "; ".join(map(str, made.steps))
    assert str(found) == (
        f"found project tenant ({project.id}); found ProjectViewer on project {project.id} for service account "
        f"{robot.principal_id}; found key tenant ({key.id}); nothing was changed"
    )
    binding = found.bindings[0].value
    holder: Any = {each: getattr(binding, each) for each in ("principal_type", "principal_id", "resource_type")}
    holder |= {"resource_id": project.id, "from_role": "ProjectEditor", "to_role": "ProjectViewer"}
    assert str(await admin.role_bindings.change_role(**holder)) == str(found.bindings[0])
    rotation = await admin.api_keys.rotate(api_key_id=key.id, store=lambda _: None)
    assert str(rotation) == "; ".join(map(str, rotation.steps))
    differing = await admin.projects.ensure(name="tenant", max_pods=3)
    assert str(differing) == (
        f"found project tenant ({project.id}); differs: max_pods: found 0, wanted 3; nothing was changed"
    )
    roles = [on_organization("OrgMember")]
    invited = [await admin.invites.ensure(email="ada@example.com", role_bindings=roles) for _ in range(2)]
    assert str(invited[0]) == f"invited ada@example.com ({invited[0].value.id}) with OrgMember"
    assert str(invited[1]) == f"found invite for ada@example.com ({invited[0].value.id}); nothing was changed"
    account = await admin.service_accounts.ensure(name="robot")
    assert str(account) == f"found service account robot ({robot.principal_id}); nothing was changed"
    results = map(str, (planned, made, found, rotation))
    assert not [text for text in results if key.value in text or "pcsk_" in text or "\n" in text]


async def test_the_name_of_the_key_is_truncated(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The key has the first 80 characters of the name of the project."""
    await admin.projects.provision(name="t" * 512, key_roles=["ProjectViewer"], store=lambda _: None)
    assert [key.name for key in emulator.state.api_keys.values()] == ["t" * 80]


async def test_roles_may_be_mappings_and_tuples(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Project roles are accepted as mappings and as models, in a list or a tuple."""
    robot = await create_robot(admin)
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


async def test_a_failed_step_rolls_back_in_reverse_order(emulator: Emulator) -> None:
    """A failed step deletes what the run created, in reverse order, and adds notes to the error."""
    robot = await create_robot(emulator.async_admin())
    transport = FaultyTransport(emulator)
    with raises(NotFoundError) as caught:
        await transport.async_admin().projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[robot, NOBODY]
        )
    deleted = [request.split("/")[2] for request in transport.requests if request.startswith("DELETE")]
    assert deleted == ["role-bindings", "projects"]
    binding, project = caught.value.__notes__
    assert re.fullmatch(r"ProjectViewer on project .+ for service account .+ \(role binding .+\) was deleted", binding)
    assert re.fullmatch(r"project tenant \(.+\) was deleted", project)
    assert not emulator.state.projects


async def test_a_rollback_keeps_what_existed_before(admin: AsyncAdmin, emulator: Emulator) -> None:
    """A rollback deletes only what this run created."""
    project = await admin.projects.create(name="tenant")
    with raises(NotFoundError):
        await admin.projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[NOBODY]
        )
    assert list(emulator.state.projects) == [project.id]
    assert not emulator.state.api_keys


async def test_a_stored_key_outlives_a_later_failure(emulator: Emulator) -> None:
    """Once the value is stored, a failure deletes nothing, a note says so, and the next run completes the tenant."""
    stored: list[str] = []
    arguments: dict[str, Any] = {"name": "tenant", "key_roles": ["ProjectViewer"]}
    arguments["store"] = lambda made: stored.append(made.value)
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 99), InjectedFault.UNAVAILABLE), only_method="PATCH")
    with raises(ServiceError) as caught:
        await transport.async_admin().projects.provision(**arguments)
    (key,) = emulator.state.api_keys.values()
    assert key.value == stored[-1]
    assert [
        note for note in caught.value.__notes__ if f"({key.id}) in project tenant ({key.project_id}) is kept" in note
    ]
    await emulator.async_admin().projects.provision(**arguments)
    (key,) = emulator.state.api_keys.values()
    assert (key.name, key.value, len(emulator.state.projects)) == ("tenant", stored[-1], 1)


async def test_a_key_that_goes_with_its_project_is_not_left(admin: AsyncAdmin, emulator: Emulator) -> None:
    """If the deletion of the key fails and that of its project does not, nothing is said to remain."""
    emulator.faults.add("delete_api_key", status=500, times=None)
    with pytest.raises(OSError, match="sealed") as caught:
        await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=fail_to_store)
    _, note = caught.value.__notes__
    assert re.fullmatch(r"project tenant \(.+\) was deleted", note)
    emulator.faults.add("create_api_key", drop="after")
    with raises(LeftoverError) as lost:
        await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=fail_to_store)
    assert (lost.value.left, lost.value.outcome) == ([], "undone")
    assert not {**emulator.state.projects, **emulator.state.api_keys}


async def test_all_that_remains_is_left(admin: AsyncAdmin, emulator: Emulator) -> None:
    """If the deletion of the project fails, too, both are in ``left``, also if the first one failed before."""
    emulator.faults.add("delete_api_key", status=500, times=None)
    emulator.faults.add("delete_project", status=500, times=None)
    for is_lost in (False, True):
        if is_lost:
            emulator.faults.add("create_api_key", drop="after")
        with raises(LeftoverError) as caught:
            await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=fail_to_store)
        (project,) = emulator.state.projects.values()
        (key,) = project.api_keys
        assert [any(id in each for each in caught.value.left) for id in (key, project.id)] == [True, True]
        assert (len(caught.value.left), caught.value.outcome) == (2, "unknown")
        emulator.state.projects.clear()


async def test_an_exception_in_store_rolls_back(admin: AsyncAdmin, emulator: Emulator) -> None:
    """An exception in the store callback is raised unchanged, and everything is rolled back."""
    with pytest.raises(OSError, match="sealed"):
        await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=fail_to_store)
    assert not emulator.state.projects


async def test_an_exhausted_quota_is_raised_unchanged(emulator: Emulator) -> None:
    """An exhausted project quota raises the error of the server."""
    emulator.state.settings.project_quota = 0
    with raises(ForbiddenError):
        await emulator.async_admin().projects.provision(name="t", key_roles=["ProjectViewer"], store=lambda _: None)


async def test_a_failed_rollback_names_what_remains(emulator: Emulator) -> None:
    """The error of a failed rollback names all that remains, with the first failure as its cause."""
    robot = await create_robot(emulator.async_admin())
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 99), InjectedFault.UNAVAILABLE), only_method="DELETE")
    with raises(LeftoverError) as caught:
        await transport.async_admin().projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[robot, NOBODY]
        )
    (project,) = emulator.state.projects
    (binding,) = emulator.state.role_bindings.held_by(Principal("service_account", robot.principal_id))
    holder = f"service account {robot.principal_id}"
    role = f"ProjectViewer on project tenant ({project}) for {holder} (role binding {binding.id})"
    assert caught.value.left == [role, f"project tenant ({project})"]
    assert str(caught.value).startswith(
        f"provision: {role}, project tenant ({project}), made by this call, may not have been deleted: "
    )
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
        ({"bindings": [{"principal_type": "user", "principal_id": "u", "role": "OrgOwner"}]}, PineconeValueError),
    ],
)
async def test_invalid_arguments_raise_before_anything_is_created(
    arguments: dict[str, Any], error: type[Exception], emulator: Emulator
) -> None:
    """Any invalid argument raises before the first request, even one of a later step."""
    transport = FaultyTransport(emulator)
    valid: dict[str, Any] = {"name": "tenant", "key_roles": ["ProjectViewer"], "store": lambda _: None}
    with pytest.raises(error):
        await transport.async_admin().projects.provision(**(valid | arguments))
    assert transport.requests == []
