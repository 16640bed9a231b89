"""Models and literals of the API, and what builds and reads them."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from generated_client import models as _generated
from generated_client.models import *
from generated_client.models import ResourceType, RoleBindingInput, RoleName
from generated_client.types import Unlisted
from pinecone_admin._codec import to_dict

__all__ = ["RoleBindingDict", "Unlisted", "on_organization", "on_project", "to_dict"]
__all__ += _generated.__all__


class RoleBindingDict(TypedDict):
    """A role binding to create, as a mapping: the same keys as ``RoleBindingInput``."""

    resource_type: ResourceType
    role: RoleName
    resource_id: NotRequired[str]


def on_organization(role: RoleName) -> RoleBindingInput:
    """Bind a role on the organization.

    Args:
        role: An organization role, such as ``"OrgMember"``.
    """
    return RoleBindingInput(resource_type="organization", role=role)


def on_project(project_id: str, role: RoleName) -> RoleBindingInput:
    """Bind a role on a project.

    Args:
        project_id: Id of the project.
        role: A project role, such as ``"ProjectViewer"``.
    """
    return RoleBindingInput(resource_type="project", resource_id=project_id, role=role)
