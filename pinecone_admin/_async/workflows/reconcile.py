"""Handle differences in ``ensure``: report them, raise, or change the existing resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

from attrs import frozen

from pinecone_admin._async.workflows.check_allowed import check_allowed
from pinecone_admin._async.workflows.client_state import find_caller
from pinecone_admin._async.workflows.ensure_binding import grant_role
from pinecone_admin._async.workflows.read_people import refuse_if_back
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._http.argument_checks import check_bool, check_string, value_error
from pinecone_admin._text.messages import Name
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.errors import PineconeValueError, RefusedError
from pinecone_admin.models import Invite, PrincipalType, RoleBindingInput, ServiceAccount, User
from pinecone_admin.workflows.changes import Change
from pinecone_admin.workflows.ending import refer_to, refer_to_role
from pinecone_admin.workflows.guard import OWN_ACCOUNT
from pinecone_admin.workflows.reports import (
    Difference,
    OnDifference,
    compare_settings,
    key_of_binding,
    keys_of_wanted_bindings,
)
from pinecone_admin.workflows.roles import is_on_known_place


@frozen
class DifferencePolicy:
    """The policy for differences.

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
            raise RefusedError(f"{description} differs: {'; '.join(map(str, differences))}", operation=self.operation)


async def reconcile_bindings(
    run: AsyncRun,
    principal: ServiceAccount | Invite | User,
    *,
    wanted: Sequence[RoleBindingInput],
    policy: DifferencePolicy,
    client_id: str | None = None,
) -> list[Difference]:
    """Compare the role bindings of a principal with the wanted ones; if the policy says so, grant, then revoke.

    Args:
        run: The run.
        principal: The principal.
        wanted: The wanted role bindings.
        policy: The policy for differences.
        client_id: Client id of the caller, if the client has only a token.
    """
    target, keys = refer_to(principal), keys_of_wanted_bindings(wanted)
    kind = cast("PrincipalType", target.kind)
    bindings = await run.admin.role_bindings.list(principal_type=kind, principal_id=principal.id).to_list()
    run.known.update(each.id for each in bindings)
    known = filter(is_on_known_place, bindings)
    found = {key_of_binding(each.role, each.resource_type, each.resource_id): each for each in known}
    differing = compare_settings(roles=(frozenset(map(str, found)), frozenset(map(str, keys))))
    policy.refuse(describe_resource(kind.replace("_", " "), target.name, principal.id), differing)
    if not policy.updates:
        return differing
    roles = {key: (refer_to_role(key, project=run.project),) for key in (*keys, *found)}
    granted = [Change(action="grant", target=target, roles=roles[key]) for key in keys if key not in found]
    revoked = {
        binding.id: Change(action="revoke", target=target, roles=roles[key])
        for key, binding in found.items()
        if policy.revoke_unlisted and key not in keys
    }
    accounts = [principal] if isinstance(principal, ServiceAccount) else []
    is_own = any(map(find_caller(run.admin, client_id, operation=policy.operation).owns, accounts))
    if revoked and not is_own:
        await check_allowed(run, [*granted, *revoked.values()], bindings, accounts, client_id=client_id)
    for change in granted:
        await grant_role(run, change)
    for binding_id, change in revoked.items():
        if is_own:
            run.skip(change, OWN_ACCOUNT)
        else:
            run.keep("roles that were granted are kept; run this again to finish")
            await run.do(change, binding_id=binding_id)
            if isinstance(principal, Invite) and run.steps[-1].state == "skipped":
                await refuse_if_back(run, run.steps[-1:], known={principal.id})
    return differing
