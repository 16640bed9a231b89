"""Waivers: findings of an access review that somebody has accepted, each with a reason and an end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import get_args

from attrs import frozen

from pinecone_admin._http.argument_checks import check_sequence, check_string, check_text, type_error, value_error
from pinecone_admin._text.messages import Name
from pinecone_admin._text.printable import make_printable, quote_input
from pinecone_admin.workflows.findings import Finding, FindingKind

FINDING_KINDS: tuple[str, ...] = get_args(FindingKind)
_SUBJECTS = ("principal_id", "project_id", "key_id")
_MAX_SHOWN = 200


@frozen(kw_only=True)
class Waiver:
    """Findings that are accepted for a time: all of one kind, or only those about one principal, project or key.

    An unknown kind, an empty text or a value of another type raises an error.

    Attributes:
        kind: Kind of the findings, such as ``"many-owners"``.
        reason: Why the findings are accepted.
        until: Last day when the findings are accepted.
        principal_id: Id of the principal that the findings are about; None for any.
        project_id: Id of the project that the findings are about; None for any.
        key_id: Id of the API key that the findings are about; None for any.

    Example:
        >>> board = Waiver(kind="many-owners", reason="the board", until=date(2027, 1, 31))
        >>> review = admin.inventory().access(max_owners=1).accept([board])
        >>> [finding.kind for finding in review.open]
    """

    kind: FindingKind
    """Kind of the findings, such as ``"many-owners"``."""
    reason: str
    """Why the findings are accepted."""
    until: date
    """Last day when the findings are accepted."""
    principal_id: str | None = None
    """Id of the principal that the findings are about; None for any."""
    project_id: str | None = None
    """Id of the project that the findings are about; None for any."""
    key_id: str | None = None
    """Id of the API key that the findings are about; None for any."""

    def __attrs_post_init__(self) -> None:
        check_kind("kind", self.kind)
        check_text("reason", self.reason, least=1)
        check_date("until", self.until)
        for name in _SUBJECTS:
            if (id := getattr(self, name)) is not None:
                check_text(name, id, least=1)

    def __str__(self) -> str:
        about = [f"{name.removesuffix('_id')} {id}" for name in _SUBJECTS if (id := getattr(self, name)) is not None]
        what = make_printable(f"{self.kind}{' of ' if about else ''}{' and '.join(about)}", most=_MAX_SHOWN)
        return f"{what} until {self.until}"


@frozen(kw_only=True)
class Review:
    """The findings of an access review, and which of them waivers accept.

    Attributes:
        open: Findings that no valid waiver covers.
        accepted: Findings that a waiver covers, each with the waiver.
        expired: Waivers whose last day has passed.
        unused: Valid waivers that cover no finding.
    """

    open: list[Finding]
    """Findings that no valid waiver covers."""
    accepted: list[tuple[Finding, Waiver]]
    """Findings that a waiver covers, each with the waiver."""
    expired: list[Waiver]
    """Waivers whose last day has passed."""
    unused: list[Waiver]
    """Valid waivers that cover no finding."""

    @property
    def warnings(self) -> list[str]:
        """Messages for the person who maintains the waivers."""
        is_complete = not any(
            each.kind == "could-not-be-read" for each in [*self.open, *(one for one, _ in self.accepted)]
        )
        unused = "covers no finding: remove it" if is_complete else "covers no finding that could be seen"
        return [
            *(f"the waiver of {each} has ended" for each in self.expired),
            *(f"the waiver of {each} {unused}" for each in self.unused),
        ]


def review_findings(findings: Sequence[Finding], waivers: Sequence[Waiver], *, today: date) -> Review:
    """Return which findings are open and which are accepted on a day."""
    check_date("today", today)
    for position, each in enumerate(check_sequence("waivers", waivers)):
        if not isinstance(each, Waiver):
            raise type_error(Name("waivers", f"[{position}]"), "a Waiver", each)
    valid = [waiver for waiver in waivers if waiver.until >= today]
    covering = [(finding, next((waiver for waiver in valid if _covers(waiver, finding)), None)) for finding in findings]
    return Review(
        open=[finding for finding, waiver in covering if waiver is None],
        accepted=[(finding, waiver) for finding, waiver in covering if waiver is not None],
        expired=[waiver for waiver in waivers if waiver.until < today],
        unused=[waiver for waiver in valid if not any(_covers(waiver, finding) for finding in findings)],
    )


def _covers(waiver: Waiver, finding: Finding) -> bool:
    about = all(getattr(waiver, name) in {None, getattr(finding, name)} for name in _SUBJECTS)
    return about and waiver.kind == finding.kind


def check_kind(argument: str | Name, kind: object) -> str:
    """Return a kind of finding; raise with the nearest one if there is none of this name."""
    text = check_string(argument, kind)
    if text in FINDING_KINDS:
        return text
    near = get_close_matches(text, FINDING_KINDS, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FINDING_KINDS)}"
    raise value_error(argument, f"{quote_input(text)} is no kind of finding: {hint}")


def check_date(argument: str | Name, value: object) -> None:
    """Raise unless the value is a day without a time."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise type_error(argument, "a date", value)
