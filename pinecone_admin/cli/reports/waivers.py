"""Waivers: findings of an access review that somebody has accepted, each with a reason and an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, cast, get_args

import yaml
from attrs import frozen

from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.workflows.findings import Finding, FindingKind

FINDING_KINDS: tuple[str, ...] = get_args(FindingKind)
_FIELDS = ("kind", "contains", "reason", "until")
_REQUIRED = ("kind", "reason", "until")


@frozen(kw_only=True)
class Waiver:
    """An accepted kind of finding.

    Attributes:
        kind: Kind of the findings.
        contains: Text that a finding must contain, such as an id; empty for every finding of the kind.
        reason: Why it is accepted.
        until: Last day on which it is.
    """

    kind: str
    contains: str
    reason: str
    until: date

    def __str__(self) -> str:
        return f"{self.kind}{f' containing {self.contains!r}' if self.contains else ''} until {self.until}"

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding is of this kind and contains the text."""
        return finding.kind == self.kind and self.contains in finding.text


@frozen(kw_only=True)
class Review:
    """Findings, and what the waivers say about them.

    Attributes:
        open: Findings that nobody has accepted.
        accepted: Findings that a waiver covers, with the waiver.
        expired: Waivers that have ended.
        unused: Waivers that cover no finding.
    """

    open: list[Finding]
    accepted: list[tuple[Finding, Waiver]]
    expired: list[Waiver]
    unused: list[Waiver]

    def warnings(self) -> list[str]:
        """Return what whoever keeps the waivers should know."""
        return [
            *(f"the waiver of {each} has ended" for each in self.expired),
            *(f"the waiver of {each} covers no finding: remove it" for each in self.unused),
        ]


def parse_waivers(text: str) -> list[Waiver]:
    """Return the waivers in a YAML or JSON document.

    Raises:
        PineconeValueError: It is not a list of waivers; the message names the entry and the field.
    """
    try:
        document: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PineconeValueError(f"the waivers are not YAML: {_describe_yaml_error(error)}") from error
    if not isinstance(document, list):
        raise PineconeValueError(f"the waivers must be a list of entries with {', '.join(_REQUIRED)}")
    return [_read_waiver(number, each) for number, each in enumerate(cast("list[object]", document), 1)]


def _describe_yaml_error(error: Exception) -> str:
    mark: Any = getattr(error, "problem_mark", None)
    where = "" if mark is None else f", in line {mark.line + 1}"
    return f"{getattr(error, 'problem', None) or type(error).__name__}{where}"


def _read_waiver(number: int, entry: object) -> Waiver:
    where = f"waiver {number}"
    if not isinstance(entry, Mapping):
        raise PineconeValueError(f"{where} must have {', '.join(_REQUIRED)}")
    given = cast("Mapping[object, object]", entry)
    if unknown := [each for each in given if each not in _FIELDS]:
        raise PineconeValueError(f"{where} has the field {_quote(unknown[0])}; there are {', '.join(_FIELDS)}")
    if missing := [each for each in _REQUIRED if given.get(each) is None or given.get(each) == ""]:
        raise PineconeValueError(f"{where} has no {missing[0]}")
    kind, contains, reason = (given.get(name, "") for name in ("kind", "contains", "reason"))
    if not (isinstance(kind, str) and isinstance(contains, str) and isinstance(reason, str) and reason.strip()):
        raise PineconeValueError(f"{where}: kind, contains and reason must be text")
    return Waiver(
        kind=check_kind(f"{where}: kind", kind),
        contains=contains,
        reason=reason.strip(),
        until=_read_date(where, given["until"]),
    )


def check_kind(where: str, kind: str) -> str:
    """Return a kind of finding; raise with the nearest one if there is none of this name."""
    if kind in FINDING_KINDS:
        return kind
    near = get_close_matches(kind, FINDING_KINDS, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FINDING_KINDS)}"
    raise PineconeValueError(f"{where} {_quote(kind)} is no kind of finding: {hint}")


def _quote(value: object) -> str:
    """Return a value of the file for a message: of text a part, of anything else, which may be endless, its type."""
    return repr(make_printable(value, most=80)) if isinstance(value, str) else f"of type {type(value).__name__}"


def _read_date(where: str, value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise PineconeValueError(f"{where}: until must be a day such as 2027-01-31, not {_quote(value)}") from None


def review_findings(findings: Sequence[Finding], waivers: Sequence[Waiver], *, today: date) -> Review:
    """Return which findings are open and which are accepted on a day."""
    valid = [each for each in waivers if each.until >= today]
    covering = [(each, next((waiver for waiver in valid if waiver.covers(each)), None)) for each in findings]
    return Review(
        open=[finding for finding, waiver in covering if waiver is None],
        accepted=[(finding, waiver) for finding, waiver in covering if waiver is not None],
        expired=[each for each in waivers if each.until < today],
        unused=[each for each in valid if not any(map(each.covers, findings))],
    )
