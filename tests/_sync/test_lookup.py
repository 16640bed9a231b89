# Derived from tests/_async/test_lookup.py by scripts/unasync.py: change that, not this file.
"""Users, invites and service accounts by email address or name: describe_by_email and describe_by_name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import Admin, AmbiguousNameError, NotFoundError, on_organization
from pinecone_admin.emulator import Emulator
from tests.support.errors import raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

LOOKUPS: dict[str, Callable[[Admin, str], Any]] = {
    "/admin/users": lambda a, email: a.users.describe_by_email(email=email),
    "/admin/invites": lambda a, email: a.invites.describe_by_email(email=email),
    "/admin/service-accounts": lambda a, name: a.service_accounts.describe_by_name(name=name),
}
CREATED_AT = "2026-07-01T00:00:00Z"


def make_record(id: str, subject: str) -> dict[str, object]:
    """Return a record that is valid as a user, an invite and a service account."""
    dates = {"created_at": CREATED_AT, "updated_at": CREATED_AT}
    return {"id": id, "email": subject, "name": subject, "status": "pending", "client_id": "c", **dates}


def script_lists(*records: dict[str, object]) -> ScriptedTransport:
    """Return a transport that sends each record on a separate page and ignores filters."""
    last = len(records) - 1

    def respond(request: Any) -> ScriptedResponse:
        number = int(request.url.params.get("paginationToken", 0))
        following = {"pagination": {"next": str(number + 1)}} if number < last else {}
        return ScriptedResponse(body={"data": [records[number]], **following})

    return ScriptedTransport(respond)


def test_a_record_is_found_on_any_page(make_client: Callable[..., Admin]) -> None:
    """The record that matches is returned, on whichever page of the list it is."""
    for path, look_up in LOOKUPS.items():
        script = script_lists(make_record("1", "a@example.com"), make_record("2", "b@example.com"))
        assert (look_up(make_client(script), "b@example.com")).id == "2"
        assert {request.url.path for request in script.requests} == {path}


def test_no_match_is_not_found(make_client: Callable[..., Admin]) -> None:
    """A record that matches only in part, or that a list returns in spite of the filter, is not a match."""
    for look_up in LOOKUPS.values():
        with raises(NotFoundError, match=r"the account sees no .* a@example.com") as caught:
            look_up(make_client(script_lists(make_record("1", "aa@example.com"))), "a@example.com")
        assert (caught.value.status_code, str(caught.value.operation)[:12]) == (None, "describe_by_")


def test_several_matches_are_ambiguous(make_client: Callable[..., Admin]) -> None:
    """Several records that match raise an error that has all their ids, as a tuple."""
    for look_up in LOOKUPS.values():
        script = script_lists(make_record("1", "a@example.com"), make_record("2", "a@example.com"))
        with raises(AmbiguousNameError, match="there are 2 ") as caught:
            look_up(make_client(script), "a@example.com")
        assert (caught.value.ids, caught.value.outcome) == (("1", "2"), "not_sent")


def test_only_email_addresses_ignore_case(admin: Admin, emulator: Emulator) -> None:
    """An email address matches in any case, and a name only exactly."""
    user = emulator.add_user("Ada@Example.com")
    invite = admin.invites.create(email="Bob@Example.com", role_bindings=[on_organization("OrgMember")])
    account = (admin.service_accounts.create(name="Robot")).service_account
    assert (admin.users.describe_by_email(email="ADA@example.COM")).id == user.id
    assert admin.invites.describe_by_email(email="bob@example.com") == invite
    assert admin.service_accounts.describe_by_name(name="Robot") == account
    for name in ("robot", "Robot ", "Rob"):
        with raises(NotFoundError):
            admin.service_accounts.describe_by_name(name=name)


@pytest.mark.parametrize(("name", "other"), [("k", " k"), ("n\u00fc", "nu\u0308")], ids=["blanks", "decomposed"])
def test_the_error_has_what_another_form_of_a_name_names(admin: Admin, name: str, other: str) -> None:
    """A server may trim or normalize a name, but what is deleted by its name must not be another thing."""
    project = admin.projects.create(name=name)
    key = (admin.api_keys.create(project_id=project.id, name=name)).key
    account = (admin.service_accounts.create(name=name)).service_account
    calls: dict[str, Callable[[str], Any]] = {
        project.id: lambda name: admin.projects.describe_by_name(name=name),
        key.id: lambda name: admin.api_keys.describe_by_name(project_id=project.id, name=name),
        account.id: lambda name: admin.service_accounts.describe_by_name(name=name),
    }
    for id, call in calls.items():
        assert (call(name)).id == id
        with raises(NotFoundError, match="differs only in blanks or in the form of letters") as caught:
            call(other)
        assert id in str(caught.value)


def test_an_expired_invite_is_found(admin: Admin, emulator: Emulator) -> None:
    """An invite is found while it is listed: when it has expired, but not when it was accepted."""
    roles = [on_organization("OrgMember")]
    invites = [admin.invites.create(email=f"{who}@example.com", role_bindings=roles) for who in ("ada", "bob")]
    emulator.accept_invite(invites[1].id)
    emulator.clock.advance(8 * 86_400)
    assert (admin.invites.describe_by_email(email="ada@example.com")).status == "expired"
    with raises(NotFoundError):
        admin.invites.describe_by_email(email="bob@example.com")
