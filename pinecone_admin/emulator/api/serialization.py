"""Records as the API shows them: the shapes of the API document, version 2026-07."""

from datetime import datetime
from typing import TypeAlias

from pinecone_admin.emulator.model.records import (
    APIKeyRecord,
    InviteRecord,
    OrganizationRecord,
    ProjectRecord,
    RoleBindingRecord,
    ServiceAccountRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.state import State

Document: TypeAlias = dict[str, object]


def format_time(moment: datetime) -> str:
    """Show a time."""
    return moment.isoformat().replace("+00:00", "Z")


def organization_document(record: OrganizationRecord) -> Document:
    """Show an organization."""
    return {
        "id": record.id,
        "name": record.name,
        "plan": record.plan,
        "payment_status": record.payment_status,
        "created_at": format_time(record.created_at),
        "support_tier": record.support_tier,
    }


def project_document(record: ProjectRecord) -> Document:
    """Show a project."""
    return {
        "id": record.id,
        "name": record.name,
        "max_pods": record.max_pods,
        "force_encryption_with_cmek": record.force_encryption_with_cmek,
        "organization_id": record.organization_id,
        "created_at": format_time(record.created_at),
    }


def api_key_document(state: State, record: APIKeyRecord) -> Document:
    """Show a key, without its value."""
    return {
        "id": record.id,
        "name": record.name,
        "project_id": record.project_id,
        "roles": state.roles_of(record),
    }


def user_document(record: UserRecord) -> Document:
    """Show a user, whose name is left out where it is not set."""
    document: Document = {"id": record.id, "email": record.email}
    return document if record.name is None else document | {"name": record.name}


def invite_document(record: InviteRecord, now: datetime) -> Document:
    """Show an invite in the status that it has now."""
    return {
        "id": record.id,
        "email": record.email,
        "status": record.status(now),
        "expires_at": None if record.processed_at else format_time(record.expires_at),
        "processed_at": record.processed_at and format_time(record.processed_at),
        "created_at": format_time(record.created_at),
    }


def service_account_document(record: ServiceAccountRecord) -> Document:
    """Show a service account, without its secret."""
    return {
        "id": record.id,
        "name": record.name,
        "client_id": record.client_id,
        "created_at": format_time(record.created_at),
        "updated_at": format_time(record.updated_at),
    }


def service_account_with_secret_document(record: ServiceAccountRecord) -> Document:
    """Show a service account with its secret."""
    return {"service_account": service_account_document(record), "client_secret": record.client_secret}


def role_binding_document(record: RoleBindingRecord) -> Document:
    """Show a role binding."""
    return {
        "id": record.id,
        "principal_type": record.principal.type,
        "principal_id": record.principal.id,
        "resource_type": record.grant.resource_type,
        "resource_id": record.grant.resource_id,
        "role": record.grant.role,
        "created_at": format_time(record.created_at),
    }
