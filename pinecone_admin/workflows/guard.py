"""Limits on changes together: they must leave an owner, not lock out the caller, and not remove more than was meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

from attrs import frozen

from generated_client.models import ServiceAccount
from pinecone_admin._http.argument_checks import check_identifier, value_error
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import RefusedError
from pinecone_admin.workflows.changes import PEOPLE, Change, Ref, concerns_owner
from pinecone_admin.workflows.organization_index import HeldRole, OrganizationIndex, held_role
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.roles import describe_lost_owners, find_owner_ids

OWN_ACCOUNT = "this client authenticates as the account"
"""Why nothing is taken from a service account, where the rest of the work goes on."""

ONLY_ON_PROJECTS = "keep only roles on projects, and needs a role on the organization"
"""What a person without another role on the organization would do."""

_CLIENT_ID = "client_id (--own-client-id on the command line)"
_TAKES = {"revoke", "delete", "rotate"}
_PLURALS = {"person": "people", "service_account": "service accounts", "api_key": "keys"}
_FEW_REMOVALS = 3
_SHARE_OF_REMOVALS = 3


@frozen
class Caller:
    """The service account that carries changes out.

    Attributes:
        client_id: Its client id; None if it is unknown.
        is_stated: Whether only an argument says so, as an access token does not show its account.
    """

    client_id: str | None
    is_stated: bool = False

    def owns(self, account: ServiceAccount) -> bool:
        """Return whether a service account is the caller's, as far as that is known."""
        return account.client_id == self.client_id


@frozen(kw_only=True)
class RefusedChanges:
    """Why changes must not be carried out together.

    Attributes:
        reason: Why.
        changes: The changes without which nothing would be refused for this reason.
        allowed_by: The argument that allows them: ``"allow_own"``, ``"client_id"`` or ``"allow_removals"``; None if
            nothing does.
    """

    reason: str
    changes: tuple[Change, ...]
    allowed_by: Literal["allow_own", "client_id", "allow_removals"] | None = None

    def __str__(self) -> str:
        return self.reason


def identify_caller(own: str | None, client_id: str | None) -> Caller:
    """Return the caller.

    Args:
        own: Client id of the account that the client uses; None if it has only a token.
        client_id: The argument.

    Raises:
        PineconeValueError: The argument is not the client id of the client.
    """
    check_client_id(client_id)
    if client_id not in {None, own} and own is not None:
        raise value_error("client_id", f"is another account than that of the credentials, which is {own}")
    return Caller(own or client_id, is_stated=own is None and client_id is not None)


def check_client_id(client_id: str | None) -> None:
    """Raise unless this can be the client id of an account, or is None."""
    if client_id is not None:
        check_identifier("client_id", client_id)


def explain_unknown(caller: Caller, accounts: Iterable[ServiceAccount]) -> str | None:
    """Return why it is unknown which account the caller's is, or None if it is known.

    Args:
        caller: The caller.
        accounts: All service accounts; those that lose something are enough if no argument states the caller.
    """
    if caller.client_id is None:
        return f"an access token does not show its account; pass {_CLIENT_ID}"
    if caller.is_stated and not any(map(caller.owns, accounts)):
        return f"no service account has the client id {caller.client_id}; correct {_CLIENT_ID}"
    return None


def explain_own(account: ServiceAccount, caller: Caller, accounts: Iterable[ServiceAccount]) -> str | None:
    """Return why nothing may be taken from a service account, which is or may be the caller's, or None.

    Args:
        account: The account.
        caller: The caller.
        accounts: The service accounts, as ``explain_unknown`` needs them.
    """
    if caller.owns(account):
        return OWN_ACCOUNT
    unknown = explain_unknown(caller, accounts)
    return unknown and f"it may be the account of this client: {unknown}"


def find_refusals(
    changes: Sequence[Change], index: OrganizationIndex, caller: Caller, *, allow_own: bool = False
) -> list[RefusedChanges]:
    """Return why changes must not be carried out together, or nothing.

    Roles that go with a deleted project do not count.

    Args:
        changes: The changes.
        index: The organization, or the part of it that the changes concern: the users who are OrgOwners, the
            role bindings of all principals that lose a role, and the service accounts, as ``explain_unknown`` needs
            them.
        caller: The account that carries them out.
        allow_own: Whether the caller's own account may be deleted, lose a role or get a new secret.
    """
    organization = index.inventory
    found = [
        _find_lost_owners(changes, organization),
        None if allow_own else _find_own(changes, organization, caller),
        None if allow_own else _find_unknown(changes, organization, caller),
        *_find_members_without_role(changes, index),
    ]
    return [each for each in found if each is not None]


def separate_refused_ends(
    changes: Sequence[Change], find: Callable[[Sequence[Change]], list[RefusedChanges]]
) -> tuple[dict[Change, str], list[RefusedChanges]]:
    """Return the ends that are not carried out, each with the reason, and the refusals that remain without them.

    An end that is refused must not stop the others, nor the rest.

    Args:
        changes: The changes.
        find: Returns the refusals of changes.
    """
    held: dict[Change, str] = {}
    while True:
        refusals = find([change for change in changes if change not in held])
        ends: dict[Change, str] = {}
        for refusal in refusals:
            for each in refusal.changes:
                if each.cause == "end":
                    ends.setdefault(each, str(refusal))
        if not ends:
            return held, refusals
        held |= ends


def find_excess(
    changes: Sequence[Change],
    index: OrganizationIndex,
    allow_removals: int | None,
    reviewed: Collection[Change] | None = (),
) -> list[RefusedChanges]:
    """Return why ``apply`` must not remove as much as changes do, or nothing.

    Args:
        changes: The changes.
        index: The whole organization.
        allow_removals: How many removals are permitted at most; None to permit those that are few, or a small share,
            and that no end makes which the former file does not have.
        reviewed: Changes that do not count: ends that the former file has, too. None if that is unknown, as for a saved
            plan; then all count, and ends are permitted like other removals.
    """
    organization = index.inventory
    removed = find_removed(changes, index, reviewed or ())
    if allow_removals is not None and len(removed) <= allow_removals:
        return []
    total_removed = len(removed)
    counts = Counter(_classify_principal(each) for each in removed)
    addresses = [*(user.email for user in organization.users), *(invite.email for invite in organization.invites)]
    totals = {
        "person": len({normalize_email(address) for address in addresses}),
        "service_account": len(organization.service_accounts),
        "api_key": len(organization.api_keys),
    }
    permit = f"if that is right, allow {count_noun(total_removed, 'removal')} (--confirm on the command line)"
    excess = [
        RefusedChanges(
            reason=f"{count} of {total} {_PLURALS[sort]} would be deleted or lose every role, which is more than a "
            f"third; {permit}",
            changes=tuple(
                each for target, some in removed.items() if _classify_principal(target) == sort for each in some
            ),
            allowed_by="allow_removals",
        )
        for sort, total in totals.items()
        if (count := counts[sort]) > _FEW_REMOVALS and count * _SHARE_OF_REMOVALS > total
    ]
    known = {*(reviewed or ()), *(each for refusal in excess for each in refusal.changes)}
    for target, some in removed.items() if reviewed is not None else ():
        if ends := [each for each in some if each.cause == "end" and each not in known]:
            due = "by an end (until) that has passed and is not in the former file (base)"
            reason = f"{target} would be deleted or lose every role {due}; {permit}"
            excess.append(RefusedChanges(reason=reason, changes=tuple(ends), allowed_by="allow_removals"))
    if allow_removals is not None and not excess:
        every = tuple(each for some in removed.values() for each in some)
        reason = f"{count_noun(total_removed, 'removal')} would be made, and {allow_removals} allowed; {permit}"
        excess.append(RefusedChanges(reason=reason, changes=every, allowed_by="allow_removals"))
    return excess


def find_removed(
    changes: Iterable[Change], index: OrganizationIndex, reviewed: Collection[Change] = ()
) -> dict[Ref, list[Change]]:
    """Return what is deleted, or loses every role, each with the changes that do it.

    Args:
        changes: The changes.
        index: The organization.
        reviewed: Changes that were reviewed. The result leaves out what only they remove.
    """
    removed: dict[Ref, list[Change]] = {}
    revoked: dict[Ref, list[Change]] = {}
    granted: set[Ref] = set()
    for change in changes:
        match change.action:
            case "delete":
                removed.setdefault(change.target, []).append(change)
            case "revoke":
                revoked.setdefault(change.target, []).append(change)
            case "grant":
                granted.add(change.target)
            case _:
                pass
    for target, some in revoked.items():
        lost = {held_role(role) for each in some for role in each.roles}
        if not index.held_by(target.kind, target.id) - lost and target not in granted:
            removed.setdefault(target, []).extend(some)
    return {target: some for target, some in removed.items() if not all(each in reviewed for each in some)}


def raise_refusals(refusals: Collection[RefusedChanges], *, operation: str) -> None:
    """Raise RefusedError with all reasons, if there are any."""
    if refusals:
        raise RefusedError(f"{'; '.join(map(str, refusals))}; nothing was changed", operation=operation)


def _find_lost_owners(changes: Sequence[Change], organization: Resources) -> RefusedChanges | None:
    """Return a refusal if no user would be an OrgOwner."""
    of_users = [change for change in changes if change.target.kind == "user"]
    gained = {change.target.id for change in of_users if change.action == "grant" and concerns_owner(change)}
    owners = find_owner_ids(organization.role_bindings)
    taking = [
        change
        for change in of_users
        if (change.action == "delete" and change.target.id in owners)
        or (change.action == "revoke" and concerns_owner(change))
    ]
    leaving = {each.target.id: each.target for each in taking}
    reason = describe_lost_owners({*owners, *filter(None, gained)}, leaving.values())
    return None if reason is None else RefusedChanges(reason=reason, changes=tuple(taking))


def _find_own(changes: Sequence[Change], organization: Resources, caller: Caller) -> RefusedChanges | None:
    own = {account.id for account in organization.service_accounts if caller.owns(account)}
    taking = tuple(change for change in changes if takes_from_account(change) and change.target.id in own)
    if not taking:
        return None
    name = taking[0].target
    what = {"delete": "be deleted", "revoke": "lose a role", "rotate": "get another secret"}
    done = " and ".join(dict.fromkeys(what[each.action] for each in taking))
    lock_out = ", and a lost response would lock this client out" if taking[0].action == "rotate" else ""
    reason = f"{name}, the account of this client, would {done}{lock_out}: use another account, or allow_own"
    return RefusedChanges(reason=reason, changes=taking, allowed_by="allow_own")


def _find_unknown(changes: Sequence[Change], organization: Resources, caller: Caller) -> RefusedChanges | None:
    taking = tuple(change for change in changes if takes_from_account(change))
    unknown = explain_unknown(caller, organization.service_accounts)
    allowed_by: Literal["client_id", "allow_own"] = "client_id"
    if unknown is None:
        # Who owns only a project sees no accounts. Without that role, it could not take this back.
        seen = {account.id for account in organization.service_accounts}
        taking = tuple(each for each in taking if each.target.id not in seen and _takes_project(each))
        unknown = "this client does not see service accounts: use another account, or allow_own"
        allowed_by = "allow_own"
    if not taking:
        return None
    reason = f"{taking[0].target} may be the caller's own, because {unknown}"
    return RefusedChanges(reason=reason, changes=taking, allowed_by=allowed_by)


def takes_from_account(change: Change) -> bool:
    """Return whether a change takes something from a service account."""
    return change.action in _TAKES and change.target.kind == "service_account"


def _find_members_without_role(changes: Sequence[Change], index: OrganizationIndex) -> list[RefusedChanges]:
    """Return a refusal for each member who would stay without a role on the organization."""
    of_people: dict[Ref, list[Change]] = {}
    for change in changes:
        if change.target.kind in PEOPLE and change.action in {"grant", "revoke", "delete"}:
            of_people.setdefault(change.target, []).append(change)
    found: list[RefusedChanges] = []
    for target, own in of_people.items():
        given, lost = (
            {held_role(role) for each in own if each.action == action for role in each.roles}
            for action in ("grant", "revoke")
        )
        roles = (index.held_by(target.kind, target.id) | given) - lost
        if leaves_no_place(lost, roles) and not any(each.action == "delete" for each in own):
            problem = ONLY_ON_PROJECTS if roles else "lose every role; to remove it, write absent: true"
            taking = (each for each in own if each.action == "revoke" and held_role(each.roles[0])[1] is None)
            found.append(RefusedChanges(reason=f"{target} would {problem}", changes=tuple(taking)))
    return found


def leaves_no_place(lost: Iterable[HeldRole], kept: Iterable[HeldRole]) -> bool:
    """Return whether a person who loses some roles loses the last one on the organization, and keeps others or none."""
    return any(place is None for _, place in lost) and all(place is not None for _, place in kept)


def _takes_project(change: Change) -> bool:
    return change.action == "revoke" and any(each.role == "ProjectOwner" for each in change.roles)


def _classify_principal(target: Ref) -> str:
    return "person" if target.kind in PEOPLE else target.kind
