"""Waivers: findings that somebody has accepted, until their day has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin import PineconeTypeError, PineconeValueError
from pinecone_admin.workflows import Access, Finding, Waiver

OWNERS = Finding(kind="many-owners", text="the organization has 5 owners")
EDITOR = Finding(kind="key-has-project-editor", text="nightly", principal_id="k1", project_id="p1", key_id="k1")
OTHER = evolve(EDITOR, principal_id="k2", key_id="k2")
TODAY = date(2026, 11, 26)
ACCESS = Access(
    taken_at=datetime(2026, 11, 26, 23, 59, tzinfo=UTC),
    organization="o",
    projects={},
    holders=[],
    findings=[OWNERS, EDITOR, OTHER],
    unread=[],
)
BOARD = Waiver(kind="many-owners", reason="the board", until=TODAY)


def test_waivers_accept_findings_until_their_day_has_passed() -> None:
    """A waiver covers what it is about, on its last day, too; one that has ended or covers nothing is named."""
    ended = Waiver(kind="key-has-project-editor", key_id="k2", reason="x", until=TODAY - timedelta(days=1))
    nightly = Waiver(kind="key-has-project-editor", key_id="k1", reason="import", until=TODAY)
    useless = Waiver(kind="key-has-project-editor", key_id="k1", project_id="p9", reason="import", until=TODAY)
    review = ACCESS.accept([BOARD, ended, nightly, useless])
    assert review.open == [OTHER]
    assert review.accepted == [(OWNERS, BOARD), (EDITOR, nightly)]
    assert (review.expired, review.unused) == ([ended], [useless])
    assert review.warnings == [
        "the waiver of key-has-project-editor of key k2 until 2026-11-25 has ended",
        "the waiver of key-has-project-editor of project p9 and key k1 until 2026-11-26 covers no finding: remove it",
    ]
    assert ACCESS.accept([BOARD], today=TODAY + timedelta(days=1)).open == ACCESS.findings
    hidden = Finding(kind="could-not-be-read", text="role_bindings: the account sees only some of them")
    blind = evolve(ACCESS, findings=[hidden]).accept([nightly])
    assert blind.warnings == [f"the waiver of {nightly} covers no finding that could be seen"]


@pytest.mark.parametrize(
    ("about", "accepted"),
    [
        ({}, [EDITOR, OTHER]),
        ({"principal_id": "k1"}, [EDITOR]),
        ({"project_id": "p1"}, [EDITOR, OTHER]),
        ({"project_id": "p1", "key_id": "k2"}, [OTHER]),
        ({"project_id": "nightly"}, []),
    ],
    ids=str,
)
def test_a_waiver_is_about_what_its_fields_name(about: dict[str, Any], accepted: list[Finding]) -> None:
    """Each id narrows a waiver; one without ids covers every finding of its kind, and no other; no text counts."""
    waiver = evolve(BOARD, kind="key-has-project-editor", **about)
    assert [finding for finding, _ in ACCESS.accept([waiver]).accepted] == accepted


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (
            {"kind": "many-owner"},
            PineconeValueError,
            "kind 'many-owner' is no kind of finding: did you mean many-owners?",
        ),
        ({"kind": "x" * 500}, PineconeValueError, "no kind of finding: there are could-not-be-read, "),
        ({"kind": 5}, PineconeTypeError, "kind must be a str, not int"),
        ({"reason": ""}, PineconeValueError, "reason must have"),
        ({"reason": None}, PineconeTypeError, "reason must be a str, not NoneType"),
        ({"until": "2027-01-31"}, PineconeTypeError, "until must be a date, not str"),
        ({"until": datetime(2027, 1, 31, tzinfo=UTC)}, PineconeTypeError, "until must be a date, not datetime"),
        ({"key_id": 5}, PineconeTypeError, "key_id must be a str, not int"),
        ({"project_id": ""}, PineconeValueError, "project_id must have"),
    ],
    ids=str,
)
def test_a_waiver_that_cannot_be_meant_raises(change: dict[str, Any], error: type[Exception], match: str) -> None:
    """A misspelt kind, an empty text and a value of another type raise an error that names the argument."""
    with pytest.raises(error) as caught:
        evolve(BOARD, **change)
    assert match in str(caught.value)


def test_an_argument_of_another_type_raises() -> None:
    """Waivers are a list of waivers, and today is a day."""
    cases: list[tuple[Any, Any, str]] = [
        ("many-owners", None, "waivers must be a list"),
        ([BOARD, {"kind": "many-owners"}], None, r"waivers\[1\] must be a Waiver, not dict"),
        ([BOARD], "today", "today must be a date, not str"),
    ]
    for waivers, today, match in cases:
        with pytest.raises(PineconeTypeError, match=match):
            ACCESS.accept(waivers, today=today)
