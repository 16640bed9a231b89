"""Ends of roles, people, service accounts and keys in a file: what they mean on a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from attrs import evolve

from pinecone_admin.workflows.desired_state import DesiredItem, DesiredState

NO_DATE = "no response of the server had a valid Date, and ends are not carried out by the clock of this machine"
"""Why the ends of a file are left out."""


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
        roles = [each for each in roles if each not in item.ends or item.ends[each] >= today]
    return evolve(item, roles=roles, keys=keys)


def find_next_end(state: DesiredState, today: date) -> datetime | None:
    """Return when the first end comes that has not come yet: the day after its last day, or None without one."""
    left = [day for day in _list_ends(state) if today <= day < date.max]
    return datetime.combine(min(left) + timedelta(days=1), time(), UTC) if left else None


def has_ends(state: DesiredState) -> bool:
    """Return whether anything in a file has an end."""
    return any(True for _ in _list_ends(state))


def note_lost_ends(state: DesiredState, base: DesiredState) -> list[str]:
    """Return a note for each end of the former file that was lifted, or got lost."""
    now = {key: item for keys, item in _list_items(state) for key in keys}
    notes: list[str] = []
    for keys, former in _list_items(base):
        item = next((now[key] for key in keys if key in now), None)
        if item is not None and (item.absent or item.until is not None):
            continue
        state_now = "is not in the file now" if item is None else "has none now"
        if former.until is not None:
            notes.append(f"{former} had an end, {former.until}, and {state_now}")
        lifted = [each for each in former.ends if item is None or each in {*(item.roles or ())} - {*item.ends}]
        notes += [f"role {each!r} of {former} had an end, {former.ends[each]}, and {state_now}" for each in lifted]
    return notes


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
