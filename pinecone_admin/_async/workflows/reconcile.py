"""Handle differences in ``ensure``: report them, raise, or change the existing resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, get_args

from attrs import evolve, frozen

from pinecone_admin._async.workflows.change_log import AsyncChangeLog
from pinecone_admin._async.workflows.client_state import own_client_id
from pinecone_admin._async.workflows.create_with_secret import delete_if_exists
from pinecone_admin._async.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._async.workflows.rollback import AsyncRollback
from pinecone_admin._http.argument_checks import check_bool, check_string, value_error
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeValueError, RefusedError
from pinecone_admin.models import Invite, PrincipalType, RoleBinding, RoleBindingInput, ServiceAccount, User
from pinecone_admin.workflows.changes import Ref
from pinecone_admin.workflows.quoting import describe_thing
from pinecone_admin.workflows.reports import (
    BindingKey,
    Difference,
    OnDifference,
    compare_settings,
    key_of_binding,
    keys_of_wanted_bindings,
)
from pinecone_admin.workflows.roles import find_last_owners, find_owner_ids
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


_KINDS: Mapping[type, PrincipalType] = {Invite: "invite", ServiceAccount: "service_account", User: "user"}


@frozen
class DifferencePolicy:
    """What to do about differences.

    Attributes:
        operation: The workflow, for errors.
        on_difference: Whether to report them, to raise, or to update.
        revoke_unlisted: Whether an update also revokes role bindings that are not wanted.
    """

    operation: str
    on_difference: OnDifference
    revoke_unlisted: bool = False

    @property
    def updates(self) -> bool:
        """Whether differences are removed."""
        return self.on_difference == "update"

    def check(self) -> None:
        """Raise unless both settings are valid and do not contradict each other."""
        choices = get_args(OnDifference)
        if check_string("on_difference", self.on_difference) not in choices:
            raise value_error("on_difference", f"must be one of {', '.join(map(repr, choices))}")
        if check_bool("revoke_unlisted", self.revoke_unlisted) and not self.updates:
            raise PineconeValueError(Name("revoke_unlisted"), " requires ", Name("on_difference"), " 'update'")

    def refuse(self, description: str, differences: Sequence[Difference]) -> None:
        """Raise if there are differences and the policy is to raise.

        Raises:
            RefusedError: There are differences.
        """
        if differences and self.on_difference == "raise":
            message = f"{description} differs: {'; '.join(map(str, differences))}"
            raise RefusedError(message, operation=self.operation)


async def _compare_bindings(
    admin: AsyncAdmin,
    principal: ServiceAccount | Invite | User,
    *,
    wanted: Sequence[RoleBindingInput],
    policy: DifferencePolicy,
) -> tuple[dict[BindingKey, RoleBinding], list[Difference]]:
    """Return the role bindings of a principal and how they differ from the wanted ones; raise if the policy says so."""
    kind = _KINDS[type(principal)]
    bindings = await admin.role_bindings.list(principal_type=kind, principal_id=principal.id).to_list()
    found = {key_of_binding(each.role, each.resource_type, each.resource_id): each for each in bindings}
    keys = keys_of_wanted_bindings(wanted)
    differing = compare_settings(role_bindings=(frozenset(map(str, found)), frozenset(map(str, keys))))
    policy.refuse(describe_thing(kind.replace("_", " "), _name_of(principal), principal.id), differing)
    return found, differing


async def reconcile_bindings(
    admin: AsyncAdmin,
    principal: ServiceAccount | Invite | User,
    *,
    wanted: Sequence[RoleBindingInput],
    policy: DifferencePolicy,
    changes: AsyncChangeLog,
    rollback: AsyncRollback,
) -> list[Difference]:
    """Compare the role bindings of a principal with the wanted ones; if the policy says so, grant, then revoke."""
    found, differing = await _compare_bindings(admin, principal, wanted=wanted, policy=policy)
    if not policy.updates:
        return differing
    kind, name, keys = _KINDS[type(principal)], _name_of(principal), keys_of_wanted_bindings(wanted)
    unlisted = {key: each for key, each in found.items() if key not in keys} if policy.revoke_unlisted else {}
    is_own = bool(unlisted) and _is_own_account(admin, principal, policy)
    if isinstance(principal, User) and any(each.role == "OrgOwner" for each in unlisted.values()):
        await _check_owner_remains(admin, principal, policy)
    for key in keys:
        if key not in found:
            granted = await ensure_role_binding(
                admin,
                principal_type=kind,
                principal_id=principal.id,
                resource_type=key.resource_type,
                resource_id=key.project_id,
                role=key.role,
                dry_run=changes.dry_run,
                rollback=rollback,
            )
            changes.record(*(evolve(step, name=name) for step in granted.steps))
    for key, binding in unlisted.items():
        step = Step(
            action="revoke",
            kind=kind,
            name=name,
            id=principal.id,
            project_id=key.project_id,
            before={"role": key.role},
        )
        if is_own:
            reason = "this client authenticates as the account"
            changes.record(evolve(step, action="keep", reason=reason))
        else:
            rollback.keep("roles that were granted are kept; run this again to complete it")
            revoke = partial(delete_if_exists, admin.role_bindings.delete, role_binding_id=binding.id)
            await changes.apply(step, revoke, preview=None)
    return differing


def _name_of(principal: ServiceAccount | Invite | User) -> str:
    return principal.name if isinstance(principal, ServiceAccount) else principal.email


async def _check_owner_remains(admin: AsyncAdmin, user: User, policy: DifferencePolicy) -> None:
    """Raise RefusedError before the first change if this user is the last one who is an owner."""
    owners = await admin.role_bindings.list(principal_type="user", role="OrgOwner").to_list()
    if (refusal := find_last_owners(find_owner_ids(owners), [Ref("user", user.email, user.id)])) is not None:
        raise RefusedError(f"{refusal}; nothing was changed", operation=policy.operation)


def _is_own_account(admin: AsyncAdmin, principal: ServiceAccount | Invite | User, policy: DifferencePolicy) -> bool:
    """Return whether a principal is the account of the client.

    Raises:
        RefusedError: It may be: the client has only a token, which does not tell whose it is.
    """
    if not isinstance(principal, ServiceAccount):
        return False
    client_id = own_client_id(admin)
    if client_id is None:
        raise RefusedError(
            "revoking unlisted roles could revoke those of the caller: this client has a token, not credentials, so it "
            f"cannot tell whether it is service account {principal.id}; nothing was changed",
            operation=policy.operation,
        )
    return client_id == principal.client_id
