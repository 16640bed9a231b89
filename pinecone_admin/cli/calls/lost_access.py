"""What people lose beyond what a command names, and what the server refuses to take from them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pinecone_admin.cli.calls.naming import Thing
from pinecone_admin.cli.calls.pipeline import Call
from pinecone_admin.errors import NotFoundError, RefusedError
from pinecone_admin.models import RoleBinding
from pinecone_admin.workflows.changes import PEOPLE, Ref
from pinecone_admin.workflows.guard import ONLY_ON_PROJECTS, leaves_no_place
from pinecone_admin.workflows.organization_index import read_held_roles
from pinecone_admin.workflows.roles import describe_lost_owners, find_owner_ids


def require_another_owner(call: Call, user_id: str) -> None:
    """Raise RefusedError if a user who is to be removed is the last one who is an OrgOwner."""
    _require_another_owner(_list_owners(call), _refer_to(call, "user", user_id))


def find_lost_membership(call: Call) -> list[str]:
    """Return that a person loses the last role with the role binding that a command is about, if that is so.

    Nothing is said to an account that cannot see every role.

    Raises:
        RefusedError: The server would keep the role, since somebody has to own the organization, or since who has
            roles on projects needs one on the organization.
    """
    assert call.own is not None  # noqa: S101 - the command is about a role binding that exists
    binding: RoleBinding | None = None
    with suppress(NotFoundError):  # the change itself says so
        binding = call.names.read(call.own)
    if binding is None or binding.principal_type not in PEOPLE or not (owners := _list_owners(call)):
        return []
    who = _refer_to(call, binding.principal_type, binding.principal_id)
    if find_owner_ids([binding]):
        _require_another_owner(owners, who)
    kind, id = binding.principal_type, binding.principal_id
    held = call.admin.role_bindings.list(principal_type=kind, principal_id=id)
    kept = read_held_roles(each for each in held if each != binding)
    if not leaves_no_place(read_held_roles([binding]), kept):
        return []
    if kind == "invite":
        raise RefusedError(f"{who} needs a role on the organization; to withdraw it, delete the invite")
    if kept:
        raise RefusedError(f"{who} would {ONLY_ON_PROJECTS}")
    # Whether the server then ends the membership is not published; the emulator does.
    return [f"This is the only role of {who}. Without it, the user may no longer be in the organization."]


def _list_owners(call: Call) -> Sequence[RoleBinding]:
    return list(call.admin.role_bindings.list(principal_type="user", role="OrgOwner"))


def _require_another_owner(owners: Sequence[RoleBinding], user: Ref) -> None:
    if (refusal := describe_lost_owners(find_owner_ids(owners), [user])) is not None:
        raise RefusedError(refusal)


def _refer_to(call: Call, noun: str, id: str) -> Ref:
    return Ref(noun, call.names.describe(Thing(noun, id)).name, id)
