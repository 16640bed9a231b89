"""The client's view of roles agrees with the emulator's permission matrix on administration."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from pinecone_admin import PineconeValueError, models
from pinecone_admin.emulator.api.permissions import PERMISSIONS
from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES, ROLES
from pinecone_admin.workflows.roles import LEVELS
from tests.support.errors import raises

ADMINISTRATION = [
    "update-organization",
    "delete-organization",
    "manage-members",
    "manage-service-accounts",
    "bind-on-organization",
]


def find_roles(row: str) -> set[str]:
    """Return the roles that permit a row of the matrix, even if not on everything."""
    return {role for role, cell in PERMISSIONS[row].cells.items() if cell.reach != "none"}


def test_the_tuples_of_roles_have_every_role_of_the_api() -> None:
    """The public tuples have the roles of the generated literals, for keys, the organization and projects."""
    assert set(models.ORGANIZATION_ROLES) == set(ORGANIZATION_ROLES)
    assert set(models.PROJECT_ROLES) == set(PROJECT_ROLES)
    assert set(models.API_KEY_ROLES) == set(models.literal_values("APIKeyRole")) < set(PROJECT_ROLES)
    assert models.literal_values("NoSuchLiteral") == ()


@pytest.mark.parametrize("role", [*models.ORGANIZATION_ROLES, *models.PROJECT_ROLES])
def test_role_bindings_have_roles_of_their_scope(role: Any) -> None:
    """A role of the other scope is refused where the binding is made; one that the API does not list is allowed."""
    for make, fitting, holder in (
        (models.on_organization, models.ORGANIZATION_ROLES, "an organization"),
        (partial(models.on_project, "p"), models.PROJECT_ROLES, "a project"),
    ):
        if role in fitting:
            assert make(role).role == role
        else:
            with raises(
                PineconeValueError, match=f"^role '{role}' is not a role for {holder}: use one of {fitting[0]}"
            ):
                make(role)
        assert make(models.Unlisted("OrgAuditor")).role == "OrgAuditor"


def test_every_role_has_a_level() -> None:
    """The levels name exactly the roles of the API."""
    assert set(LEVELS) == set(ROLES)


@pytest.mark.parametrize("row", ["manage-projects", "bind-on-project", "manage-api-keys"])
def test_roles_that_administer_projects_own_them(row: str) -> None:
    """The roles that own projects are those that change them, their members and their keys."""
    assert {role for role, level in LEVELS.items() if level == "owns"} == find_roles(row)


@pytest.mark.parametrize("row", ADMINISTRATION)
def test_only_an_owner_administers_the_organization(row: str) -> None:
    """Findings and offboarding look for OrgOwner: no other role changes the organization, people or accounts."""
    assert find_roles(row) == {"OrgOwner"}


def test_organization_roles_that_create_projects_write() -> None:
    """The organization roles that own or write are those that create projects, or more."""
    permitted = set[str]().union(*map(find_roles, ["create-project", *ADMINISTRATION]))
    assert {role for role in ORGANIZATION_ROLES if LEVELS[role] != "reads"} == permitted == {"OrgOwner", "OrgManager"}
