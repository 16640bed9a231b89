"""Serialization: records as the JSON objects of the API document, version 2026-07."""

from datetime import datetime
from typing import TypeAlias

from pinecone_admin.emulator.model.records import (
    APIKeyRecord,
    InviteRecord,
    ProjectRecord,
    RoleBindingRecord,
    ServiceAccountRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.state import State

Document: TypeAlias = dict[str, object]


def format_time(moment: datetime) -> str:
    """Return a time in the API's format, ISO 8601 with Z."""
    return moment.isoformat().replace("+00:00", "Z")


def organization_document(state: State) -> Document:
    """Return the organization as a document."""
    record = state.organization
    return {
        "id": record.id,
        "name": record.name,
        "plan": record.plan,
        "payment_status": record.payment_status,
        "created_at": format_time(record.created_at),
        "support_tier": state.plan.support_tier,
    }


def project_document(state: State, record: ProjectRecord) -> Document:
    """Return a project as a document."""
    return {
        "id": record.id,
        "name": record.name,
        "max_pods": record.max_pods,
        "force_encryption_with_cmek": record.force_encryption_with_cmek,
        "organization_id": state.organization.id,
        "created_at": format_time(record.created_at),
    }


def api_key_document(state: State, record: APIKeyRecord) -> Document:
    """Return an API key as a document, without its value."""
    document: Document = {
        "id": record.id,
        "name": record.name,
        "project_id": record.project_id,
        "roles": state.roles_of(record),
    }
    return document | {"created_at": format_time(record.created_at)} if state.settings.key_created_at else document


def user_document(record: UserRecord) -> Document:
    """Return a user as a document; a name that is not set is left out."""
    document: Document = {"id": record.id, "email": record.email}
    return document if record.name is None else document | {"name": record.name}


def invite_document(record: InviteRecord, now: datetime) -> Document:
    """Return an invite as a document, with its current status."""
    return {
        "id": record.id,
        "email": record.email,
        "status": record.status(now),
        "expires_at": None if record.processed_at else format_time(record.expires_at),
        "processed_at": record.processed_at and format_time(record.processed_at),
        "created_at": format_time(record.created_at),
    }


def service_account_document(record: ServiceAccountRecord) -> Document:
    """Return a service account as a document, without its client secret."""
    return {
        "id": record.id,
        "name": record.name,
        "client_id": record.client_id,
        "created_at": format_time(record.created_at),
        "updated_at": format_time(record.updated_at),
    }


def service_account_with_secret_document(record: ServiceAccountRecord) -> Document:
    """Return a service account as a document, with its client secret."""
    return {"service_account": service_account_document(record), "client_secret": record.client_secret}


def role_binding_document(record: RoleBindingRecord) -> Document:
    """Return a role binding as a document."""
    return {
        "id": record.id,
        "principal_type": record.principal.type,
        "principal_id": record.principal.id,
        "resource_type": record.grant.resource_type,
        "resource_id": record.grant.resource_id,
        "role": record.grant.role,
        "created_at": format_time(record.created_at),
    }
