# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Every model and literal of the API document; each is loaded when it is first used."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api_key import APIKey
    from .api_key_role import APIKeyRole
    from .api_key_with_secret import APIKeyWithSecret
    from .create_api_key_request import CreateAPIKeyRequest
    from .create_invite_request import CreateInviteRequest
    from .create_project_request import CreateProjectRequest
    from .create_role_binding_request import CreateRoleBindingRequest
    from .create_service_account_request import CreateServiceAccountRequest
    from .error_code import ErrorCode
    from .error_response import ErrorResponse
    from .error_response_error import ErrorResponseError
    from .invite import Invite
    from .invite_list import InviteList
    from .invite_status import InviteStatus
    from .list_api_keys_response import ListApiKeysResponse
    from .organization import Organization
    from .organization_list import OrganizationList
    from .organization_plan import OrganizationPlan
    from .organization_role_name import OrganizationRoleName
    from .pagination_response import PaginationResponse
    from .payment_status import PaymentStatus
    from .principal_type import PrincipalType
    from .project import Project
    from .project_list import ProjectList
    from .project_role_name import ProjectRoleName
    from .resource_type import ResourceType
    from .role_binding import RoleBinding
    from .role_binding_input import RoleBindingInput
    from .role_binding_list import RoleBindingList
    from .role_name import RoleName
    from .service_account import ServiceAccount
    from .service_account_list import ServiceAccountList
    from .service_account_with_secret import ServiceAccountWithSecret
    from .support_tier import SupportTier
    from .update_api_key_request import UpdateAPIKeyRequest
    from .update_organization_request import UpdateOrganizationRequest
    from .update_project_request import UpdateProjectRequest
    from .update_service_account_request import UpdateServiceAccountRequest
    from .user import User
    from .user_list import UserList

_MODULES = {
    "APIKey": ".api_key",
    "APIKeyRole": ".api_key_role",
    "APIKeyWithSecret": ".api_key_with_secret",
    "CreateAPIKeyRequest": ".create_api_key_request",
    "CreateInviteRequest": ".create_invite_request",
    "CreateProjectRequest": ".create_project_request",
    "CreateRoleBindingRequest": ".create_role_binding_request",
    "CreateServiceAccountRequest": ".create_service_account_request",
    "ErrorCode": ".error_code",
    "ErrorResponse": ".error_response",
    "ErrorResponseError": ".error_response_error",
    "Invite": ".invite",
    "InviteList": ".invite_list",
    "InviteStatus": ".invite_status",
    "ListApiKeysResponse": ".list_api_keys_response",
    "Organization": ".organization",
    "OrganizationList": ".organization_list",
    "OrganizationPlan": ".organization_plan",
    "OrganizationRoleName": ".organization_role_name",
    "PaginationResponse": ".pagination_response",
    "PaymentStatus": ".payment_status",
    "PrincipalType": ".principal_type",
    "Project": ".project",
    "ProjectList": ".project_list",
    "ProjectRoleName": ".project_role_name",
    "ResourceType": ".resource_type",
    "RoleBinding": ".role_binding",
    "RoleBindingInput": ".role_binding_input",
    "RoleBindingList": ".role_binding_list",
    "RoleName": ".role_name",
    "ServiceAccount": ".service_account",
    "ServiceAccountList": ".service_account_list",
    "ServiceAccountWithSecret": ".service_account_with_secret",
    "SupportTier": ".support_tier",
    "UpdateAPIKeyRequest": ".update_api_key_request",
    "UpdateOrganizationRequest": ".update_organization_request",
    "UpdateProjectRequest": ".update_project_request",
    "UpdateServiceAccountRequest": ".update_service_account_request",
    "User": ".user",
    "UserList": ".user_list",
}

__all__ = [
    "APIKey",
    "APIKeyRole",
    "APIKeyWithSecret",
    "CreateAPIKeyRequest",
    "CreateInviteRequest",
    "CreateProjectRequest",
    "CreateRoleBindingRequest",
    "CreateServiceAccountRequest",
    "ErrorCode",
    "ErrorResponse",
    "ErrorResponseError",
    "Invite",
    "InviteList",
    "InviteStatus",
    "ListApiKeysResponse",
    "Organization",
    "OrganizationList",
    "OrganizationPlan",
    "OrganizationRoleName",
    "PaginationResponse",
    "PaymentStatus",
    "PrincipalType",
    "Project",
    "ProjectList",
    "ProjectRoleName",
    "ResourceType",
    "RoleBinding",
    "RoleBindingInput",
    "RoleBindingList",
    "RoleName",
    "ServiceAccount",
    "ServiceAccountList",
    "ServiceAccountWithSecret",
    "SupportTier",
    "UpdateAPIKeyRequest",
    "UpdateOrganizationRequest",
    "UpdateProjectRequest",
    "UpdateServiceAccountRequest",
    "User",
    "UserList",
]

SECRET_NAMES: Sequence[str] = [
    "client_secret",
    "value",
]
"""Names in JSON of the fields that hold secrets, in any model."""

if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULES[name], __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES})
