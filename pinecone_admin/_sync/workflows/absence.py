# Derived from pinecone_admin/_async/workflows/absence.py by scripts/unasync.py: change that, not this file.
"""Whether what the account of a client does not see does not exist either."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pinecone_admin._sync.workflows.client_state import own_client_id
from pinecone_admin.errors import PineconeError
from pinecone_admin.workflows.changes import Ref
from pinecone_admin.workflows.sent_changes import is_api_404

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


def shows_deletion(admin: Admin, error: PineconeError, target: Ref) -> bool:
    """Return whether an error shows that something was deleted: to an account that has lost its role, all is gone.

    It is the API's 404, to an OrgOwner, or to an account that sees the other keys of the project. Contents of a project
    have no ids; who deletes them has a key of the project.
    """
    if not is_api_404(error):
        return False
    if target.id is None or owns_organization(admin):
        return True
    with suppress(PineconeError):
        if target.project is not None:
            return all(each.id != target.id for each in admin.api_keys.list(project_id=target.project.id or ""))
    return False


def owns_organization(admin: Admin) -> bool:
    """Return whether the account visibly owns the organization, so that what it does not see is not there.

    It is False where that is unknown: a token from elsewhere does not say whose it is, and a list may fail.
    """
    client_id = own_client_id(admin)
    if client_id is None:
        return False
    try:
        own = {each.id for each in admin.service_accounts.list() if each.client_id == client_id}
        bindings = admin.role_bindings.list(principal_type="service_account", role="OrgOwner")
        return bool(own & {each.principal_id for each in bindings})
    except PineconeError:
        return False
