"""Ends of roles, people, service accounts and keys in a file: what they mean on a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from attrs import evolve

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.workflows.desired_state import DesiredItem, DesiredState

NO_DATE = "no response of the server had a valid Date, and ends are not carried out by the clock of this machine"
"""Why the ends of a file are left out."""
_LIFTED, _LOST = "has none now", "is not in the file now"


def carry_out_ends(state: DesiredState, today: date) -> DesiredState:
    """Return a state as it is on a day: without roles that have ended, and with ended items absent.

    An absent item keeps its ``until``, and a role that has ended stays in the ``ends`` of its item, so that a plan
    shows which changes are ends.

    Args:
        state: The state of a file.
        today: The day in UTC. The last day of a role or an item is one of its days.
    """

    def carry_out(items: list[DesiredItem] | None) -> list[DesiredItem] | None:
        return None if items is None else [_carry_out(each, today, carry_out(each.keys)) for each in items]

    return evolve(
        state,
        projects=carry_out(state.projects),
        service_accounts=carry_out(state.service_accounts),
        people=carry_out(state.people),
    )


def _carry_out(item: DesiredItem, today: date, keys: list[DesiredItem] | None) -> DesiredItem:
    if item.until is not None and item.until < today:
        return evolve(item, absent=True, settings={}, roles=None, keep_other_roles=False, ends={})
    roles = item.roles
    if roles is not None:
        roles = [role for role in roles if role not in item.ends or item.ends[role] >= today]
    return evolve(item, roles=roles, keys=keys)


def find_next_end(state: DesiredState, today: date) -> datetime | None:
    """Return when the first end comes that has not come yet: the day after its last day, or None without one."""
    left = [day for day in _list_ends(state) if today <= day < date.max]
    return datetime.combine(min(left) + timedelta(days=1), time(), UTC) if left else None


def has_ends(state: DesiredState) -> bool:
    """Return whether anything in a file has an end."""
    return any(True for _ in _list_ends(state))


def describe_lost_ends(state: DesiredState, base: DesiredState) -> list[str]:
    """Return a note for each end of the former file that was lifted, or got lost."""
    now = {key: item for keys, item in _list_items(state) for key in keys}
    notes: list[str] = []
    for keys, former in _list_items(base):
        item = next((now[key] for key in keys if key in now), None)
        if item is not None and item.absent:
            continue
        until = None if item is None else item.until
        if former.until is not None and until is None:
            notes.append(f"{former} had an end, {former.until}, and {_LOST if item is None else _LIFTED}")
        for role, day in former.ends.items():
            if (until is None or until > day) and (item is None or _leaves_role(item, role)):
                state_now = _LIFTED if item is not None and role in (item.roles or ()) else _LOST
                notes.append(f"role {quote_name(role)} of {former} had an end, {day}, and {state_now}")
    return notes


def _leaves_role(item: DesiredItem, role: str) -> bool:
    """Return whether a file lets a role stay without an end: listed, or beside the roles that it manages."""
    is_left = item.roles is None or item.keep_other_roles or role in item.roles
    return is_left and role not in item.ends


def _list_items(state: DesiredState) -> Iterator[tuple[list[tuple[object, ...]], DesiredItem]]:
    """Return the items of a file with what identifies them: the id, and the name within its project."""

    def identify(items: Iterable[DesiredItem], place: str) -> Iterator[tuple[list[tuple[object, ...]], DesiredItem]]:
        for item in items:
            names: list[tuple[object, ...]] = [(item.kind, place, item.key)]
            yield [(item.kind, item.id), *names] if item.id is not None else names, item
            yield from identify(item.keys or (), item.name)

    yield from identify([*(state.projects or ()), *(state.service_accounts or ()), *(state.people or ())], "")


def _list_ends(state: DesiredState) -> Iterator[date]:
    """Return the last day of each item and role that has one."""
    for _, item in _list_items(state):
        if item.until is not None:
            yield item.until
        yield from item.ends.values()
