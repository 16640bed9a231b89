"""Reports on keys as lines for people: one line for each key, with what happened to it and where its value is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from attrs import evolve

from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.failures import name_options
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.sentences import as_sentences, name_ids, tidy
from pinecone_admin.models import APIKey
from pinecone_admin.workflows import (
    ApplyReport,
    DueAccountRotations,
    DueRotations,
    Ensured,
    Provisioned,
    RetiredKeys,
    RoleChange,
    Rotation,
)
from pinecone_admin.workflows.changes import Ref, Step
from pinecone_admin.workflows.name_tags import original_name
from pinecone_admin.workflows.retired_keys import expiry_of_temporary_key


def list_lines(report: object, ledger: Ledger, *, is_dry_run: bool) -> list[str]:
    """Return a report as lines, with the names that are known, and options in place of arguments of Python.

    Most reports say themselves how they read.

    Args:
        report: The report.
        ledger: The changes of the command, with the places of new secrets.
        is_dry_run: Whether the command changes nothing.
    """
    lines = _list_lines(report, ledger, is_dry_run=is_dry_run)
    lines = [tidy(name_ids(name_options(line), ledger.names)) for line in lines]
    if isinstance(report, Rotation) and report.delete_after is not None and not is_dry_run:
        lines.append(describe_old_key(report))
    return lines


def describe_old_key(rotation: Rotation) -> str:
    """Return what becomes of the old key of a rotation, as sentences with its id."""
    if rotation.delete_after is None:
        return f"The old key was deleted. Its id was {rotation.replaced}."
    until = describe_minute(rotation.delete_after)
    return (
        f"The old key works at least until {until}, and is deleted by the next rotate-due or delete-retired after "
        f"that. Its id is {rotation.replaced}."
    )


def _list_lines(report: object, ledger: Ledger, *, is_dry_run: bool) -> list[str]:
    if isinstance(report, DueRotations | RetiredKeys | Rotation):
        keys = report
        if isinstance(keys, Rotation):
            keys = DueRotations(dry_run=is_dry_run, rotated=[keys], steps=keys.steps)
        lines = _Keys(keys, ledger, is_alone=keys is not report and not is_dry_run).list_lines()
        return [*lines, *(str(each) for each in keys.steps if each.note is not None and str(each) not in lines)]
    lines = str(report).split("\n")
    if isinstance(report, Ensured | Provisioned | RoleChange) and report.steps:
        changed = cast("Ensured[object] | Provisioned | RoleChange", report)
        differences: Sequence[object] = getattr(changed, "differences", ())
        shown = [each for each in changed.steps if not _takes_tag_away(each)]
        # Of a run that only finishes what an earlier one left, the new name is all that there is to show.
        return [*map(str, shown or changed.steps), *(f"differed: {each}" for each in differences)]
    if isinstance(report, Ensured | Provisioned | RoleChange):
        return [as_sentences(str(cast("object", report)))]
    if isinstance(report, ApplyReport | DueAccountRotations):
        for number, step in enumerate(report.steps):  # each is a line, before all others
            if step.change.makes_secret and step.state == "done" and (place := _find_place(ledger, _id_of(step))):
                lines[number] += f"; the new secret {place}"
    return [*map(as_sentences, lines)] if isinstance(report, DueAccountRotations) else lines


def _takes_tag_away(step: Step) -> bool:
    """Return whether a step only replaced a temporary name, or would; the line of the creation has the last name."""
    new, old = step.change.settings.name, step.change.target.name or ""
    changes_tag = new is not None and old != original_name(old) == original_name(new)
    return changes_tag and step.note is None and step.state in {"planned", "done"}


def _id_of(step: Step) -> str | None:
    """Return the id of what has the new secret of a step."""
    return getattr(getattr(step.resource, "key", step.resource), "id", None) or step.change.target.id


def _find_place(ledger: Ledger, id: str | None) -> str:
    """Return in words where the new secret of something is; empty if there is none, or it is not stored."""
    place = next((secret.place for secret in ledger.secrets if secret.owner_id == id and secret.state == "stored"), "")
    form, _, rest = place.partition(":")
    return f"{'was passed to' if form == 'exec' else 'is in'} {rest}" if place else ""


def _describe_owner(target: Ref) -> tuple[str | None, str]:
    """Return the project and the name of a key, without the tag of a rotation."""
    return None if target.project is None else target.project.id, original_name(target.name or "")


class _Keys:
    """The lines of a report on retired keys, and on rotations.

    Args:
        report: The report.
        ledger: The changes of the command.
        is_alone: Whether it is on one rotation, which has sentences on an old key that stays.
    """

    def __init__(self, report: DueRotations | RetiredKeys, ledger: Ledger, *, is_alone: bool = False) -> None:
        self._report, self._ledger, self._is_alone = report, ledger, is_alone
        self._would = "would be" if report.dry_run else "is"
        places = [place for step in report.steps for place in step.change.projects]
        self._projects = {each.id: each.name for each in places if each.name is not None}
        if isinstance(report, DueRotations):
            self._projects |= {each.project_id: each.project_name for each in report.failed}

    def list_lines(self) -> list[str]:
        """Return a line for each key, and for each step that is about another one."""
        report = self._report
        lines: list[str] = []
        known = set[str | None](each.id for each in report.deleted) | {each.key.id for each in report.kept}
        none = "No key that this account can see is temporary or replaced by a rotation."
        if isinstance(report, DueRotations):
            none = "No key that this account can see is due."
            verb = "would be finished" if report.dry_run else "is finished"
            earlier = f"the rotation of an earlier run {verb}; its value was stored or shown before."
            lines += [
                *self._list_rotations(report.rotated),
                *(f"{self._name(key)}: {earlier}" for key in report.finished),
            ]
            known |= {each.id for each in report.finished}
            known |= {_id_of(step) for each in report.rotated for step in each.steps}
        names = Counter(map(self._name, [*report.deleted, *(each.key for each in report.kept)]))

        def name(key: APIKey) -> str:
            known_as = self._name(key)
            return known_as if names[known_as] == 1 else f"{known_as} ({key.id})"

        for key in report.deleted:
            kind = "the temporary key" if expiry_of_temporary_key(key) is not None else "the old key"
            lines.append(f"{name(key)}: {kind} {self._would} deleted.")
        for kept in report.kept:
            kind = "temporary" if expiry_of_temporary_key(kept.key) is not None else "old"
            # A resource that waits for its time has no other reason to stay.
            until = f": {kept.reason}" if kept.is_due else f" at least until {describe_minute(kept.delete_after)}"
            lines.append(f"{name(kept.key)}: the {kind} key stays{until}.")
        failures = report.failed if isinstance(report, DueRotations) else []
        failing = {
            (failure.project_id, original_name(failure.key.name)) for failure in failures if failure.key is not None
        }
        lines += self._list_others(
            [
                # The line of the failure has the error of its step.
                evolve(each, error=None) if each.error in {failure.reason for failure in failures} else each
                for each in report.steps
                if _id_of(each) not in known and _describe_owner(each.change.target) not in failing
            ]
        )
        if isinstance(report, DueRotations):
            for failed in failures:
                whole = f"{self._name_project(failed.project_id)}: no key was rotated"
                what = f"{self._name(failed.key)}: not replaced" if failed.key else whole
                # Behind a colon, a reason keeps its first word, which may be a program, a file or a value.
                lines.append(f"{what}{as_sentences(f': {tidy(failed.reason)}')}")
            lines += [f"{self._name(each)}: not replaced, since its age is unknown." for each in report.unknown_age]
        return [*(lines or [none]), *(["Nothing was changed."] if report.dry_run else [])]

    def _list_others(self, steps: Sequence[Step]) -> Iterable[str]:
        """Return the lines of steps that belong to nothing else in the report, such as of what was interrupted."""
        undone = {_id_of(each) for each in steps if each.state == "undone"}
        remaining = [_describe_owner(each.change.target) for each in steps if _id_of(each) not in undone]
        lines: dict[str, None] = {}
        for each in steps:
            project, name = owner = _describe_owner(each.change.target)
            if project is None or owner in remaining:
                lines[str(each)] = None
            else:
                key = f"{self._name_project(project)}/{quote_name(name)}"
                lines[f"{key}: not replaced; the new key was deleted."] = None
        return lines

    def _name(self, key: APIKey) -> str:
        return f"{self._name_project(key.project_id)}/{quote_name(original_name(key.name))}"

    def _name_project(self, id: str) -> str:
        return quote_name(self._projects.get(id, id))

    def _list_rotations(self, rotations: Iterable[Rotation]) -> Iterator[str]:
        for rotation in rotations:
            old = f", the old key {self._would} deleted"
            if rotation.delete_after is not None:
                stays = "would stay" if self._report.dry_run else "stays"
                until = describe_minute(rotation.delete_after)
                old = "" if self._is_alone else f", the old key {stays} at least until {until}"
            place = _find_place(self._ledger, rotation.key.id)
            value = f"the new value {place or 'was stored or shown by an earlier run'}"
            is_planned = self._report.dry_run and any(each.change.makes_secret for each in rotation.steps)
            done = "would be replaced" if is_planned else f"replaced; {value}"
            yield f"{self._name(rotation.key)}: {done}{old}."
