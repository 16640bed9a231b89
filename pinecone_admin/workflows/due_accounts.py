"""Decide which service accounts are to be rotated, by their age or by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from attrs import field, frozen

from generated_client.models import ServiceAccount
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin.workflows.guard import Caller
from pinecone_admin.workflows.name_tags import parse_tag


@frozen(kw_only=True)
class DueAccounts:
    """The service accounts of an organization, by whether they are to be rotated.

    Attributes:
        due: Service accounts to rotate, the oldest first.
        namesakes: Those of ``due`` whose names other service accounts have, too.
        own: The service account of the caller.
        is_own_due: Whether it would be in ``due`` otherwise.
        missing: Requested names that no service account has.
        unknown_age: Service accounts that may be due, because ``updated_at`` cannot be right.
        may_be_older: Service accounts that are not due, although they were created long enough ago.
        others: All that are not in ``due``, without ``own``.
    """

    due: list[ServiceAccount] = field(factory=list[ServiceAccount])
    namesakes: list[ServiceAccount] = field(factory=list[ServiceAccount])
    own: ServiceAccount | None = None
    is_own_due: bool = False
    missing: list[str] = field(factory=list[str])
    unknown_age: list[ServiceAccount] = field(factory=list[ServiceAccount])
    may_be_older: list[ServiceAccount] = field(factory=list[ServiceAccount])
    others: list[ServiceAccount] = field(factory=list[ServiceAccount])


def find_due_accounts(
    accounts: Sequence[ServiceAccount],
    *,
    caller: Caller,
    now: datetime,
    older_than: timedelta | None,
    names: Collection[str] | None,
) -> DueAccounts:
    """Return which service accounts are due. One with a temporary name belongs to a workflow and is left out.

    Args:
        accounts: All service accounts of the organization.
        caller: The caller, whose account is never due.
        now: The server's time.
        older_than: Age above which a service account is due. None if the names decide.
        names: Names of the service accounts that are due whatever their age; None if their age decides.
    """
    counts = Counter(each.name for each in accounts)
    dates = {each.id: plausible_date(each.updated_at) for each in accounts}

    def is_due(account: ServiceAccount) -> bool:
        if parse_tag(account.name) is not None:
            return False
        return account.name in names if names is not None else is_old(dates[account.id])

    def is_old(date: datetime | None) -> bool:
        date = plausible_date(date)
        return older_than is not None and date is not None and now - date > older_than

    own = next((each for each in accounts if caller.owns(each)), None)
    rest = [each for each in accounts if each is not own]
    due = sorted(filter(is_due, rest), key=lambda each: dates[each.id] or now)
    young = [each for each in rest if not is_due(each) and parse_tag(each.name) is None]
    judged = young if names is None else []
    unknown = [each for each in judged if dates[each.id] is None]
    return DueAccounts(
        due=due,
        namesakes=[each for each in due if counts[each.name] > 1],
        own=own,
        is_own_due=own is not None and is_due(own),
        missing=[each for each in dict.fromkeys(names or ()) if not counts[each] or parse_tag(each) is not None],
        unknown_age=unknown,
        may_be_older=[each for each in judged if each not in unknown and is_old(each.created_at)],
        others=[each for each in rest if not is_due(each)],
    )
