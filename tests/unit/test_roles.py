"""The client's view of roles agrees with the emulator's permission matrix on administration."""

from __future__ import annotations

import pytest

from pinecone_admin import models
from pinecone_admin.emulator.api.permissions import PERMISSIONS
from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES, ROLES
from pinecone_admin.workflows.roles import LEVELS, ORGANIZATION_WRITERS, SECRET_KEEPERS

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


def test_every_role_has_a_level() -> None:
    """The levels name exactly the roles of the API."""
    assert set(LEVELS) == set(ROLES)


@pytest.mark.parametrize("row", ["manage-projects", "bind-on-project", "manage-api-keys"])
def test_roles_that_administer_projects_own_them(row: str) -> None:
    """The roles that own projects are those that change them, their members and their keys."""
    assert {role for role, level in LEVELS.items() if level == "owns"} == find_roles(row)


def test_roles_that_administer_the_organization_write() -> None:
    """The organization roles that own or write are those that change the organization, its members or its accounts."""
    permitted = set[str]().union(*map(find_roles, ADMINISTRATION))
    assert permitted == ORGANIZATION_WRITERS
    assert {role for role in ORGANIZATION_ROLES if LEVELS[role] != "reads"} == permitted
    assert permitted.isdisjoint(PROJECT_ROLES)


def test_secret_keepers_manage_service_accounts() -> None:
    """The roles whose holders may have seen client secrets are those that create and rotate them."""
    assert find_roles("manage-service-accounts") == SECRET_KEEPERS
