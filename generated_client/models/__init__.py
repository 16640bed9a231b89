# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Every model and literal of the API document."""

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
from .pagination_response import PaginationResponse
from .payment_status import PaymentStatus
from .principal_type import PrincipalType
from .project import Project
from .project_list import ProjectList
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
    "PaginationResponse",
    "PaymentStatus",
    "PrincipalType",
    "Project",
    "ProjectList",
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
