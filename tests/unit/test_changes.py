"""A change is data: its sentences, its JSON, what is sent for it and what undoes it come from the same fields."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from pinecone_admin.models import to_dict
from pinecone_admin.workflows import Change, Ref, RoleAt, Settings
from pinecone_admin.workflows.change_operations import build_operation, find_undo, fits
from pinecone_admin.workflows.changes import Step, StepState, find_flaw, sort_roles, with_known_ids
from pinecone_admin.workflows.saved_json import decode_record

SEARCH = Ref("project", "search", "p1")
NEW = Ref("project", "prod")
READER = Ref("api_key", "reader", "k1", SEARCH)
CI = Ref("service_account", "ci", "s1")
ADA = Ref("user", "ada@example.com", "u1")
EVE = Ref("invite", "eve@example.com", "i1")
OWNER = RoleAt("OrgOwner")
EDITOR = RoleAt("ProjectEditor", SEARCH)
VIEWER = Settings(roles=("DataPlaneViewer",))
LEFT = Ref("api_key", "~makes:1f0c2a9b reader", "k0", SEARCH)

CHANGES: Mapping[str, tuple[Change, str]] = {
    "create project prod with max_pods 2": (
        Change(action="create", target=NEW, settings=Settings(max_pods=2)),
        "created project prod with max_pods 2",
    ),
    "create key reader in new project prod with DataPlaneViewer": (
        Change(action="create", target=Ref("api_key", "reader", None, NEW), settings=VIEWER),
        "created key reader in new project prod with DataPlaneViewer",
    ),
    "create service account ci with OrgMember and ProjectEditor and ProjectViewer on project search (p1)": (
        Change(
            action="create",
            target=evolve(CI, id=None),
            roles=(RoleAt("OrgMember"), EDITOR, RoleAt("ProjectViewer", SEARCH)),
        ),
        "created service account ci with OrgMember and ProjectEditor and ProjectViewer on project search (p1)",
    ),
    "invite eve@example.com with OrgOwner": (
        Change(action="invite", target=evolve(EVE, id=None), roles=(OWNER,)),
        "invited eve@example.com with OrgOwner",
    ),
    "resend invite for eve@example.com (i1)": (
        Change(action="resend", target=EVE),
        "resent invite for eve@example.com (i1)",
    ),
    "grant ProjectEditor on project search (p1) to user ada@example.com (u1)": (
        Change(action="grant", target=ADA, roles=(EDITOR,)),
        "granted ProjectEditor on project search (p1) to user ada@example.com (u1)",
    ),
    "revoke OrgOwner on the organization from service account ci (s1)": (
        Change(action="revoke", target=CI, roles=(OWNER,)),
        "revoked OrgOwner on the organization from service account ci (s1)",
    ),
    "rename key reader (k1) in project search (p1) to 'b c', and its roles to A and B": (
        Change(
            action="update",
            target=READER,
            before=Settings(name="reader", roles=("A",)),
            settings=Settings(name="b c", roles=("A", "B")),
        ),
        "renamed key reader (k1) in project search (p1) to 'b c', and its roles to A and B",
    ),
    "update project search (p1): max_pods from 0 to 2": (
        Change(action="update", target=SEARCH, before=Settings(max_pods=0), settings=Settings(max_pods=2)),
        "updated project search (p1): max_pods from 0 to 2",
    ),
    "rotate the secret of service account ci (s1)": (
        Change(action="rotate", target=CI),
        "rotated the secret of service account ci (s1)",
    ),
    "delete key reader (k1) in project search (p1) with DataPlaneViewer, because an earlier run left it": (
        Change(action="delete", target=READER, before=VIEWER, reason="an earlier run left it"),
        "deleted key reader (k1) in project search (p1) with DataPlaneViewer, because an earlier run left it",
    ),
    "delete index 'a b' in project search (p1)": (
        Change(action="delete", target=Ref("index", "a b", None, SEARCH)),
        "deleted index 'a b' in project search (p1)",
    ),
}
SENDS: Mapping[str, tuple[str, str]] = {
    "create project": ("POST", "create_project"),
    "create service": ("POST", "create_service_account"),
    "invite eve@example.com": ("POST", "create_invite"),
    "resend invite": ("POST", "resend_invite"),
    "grant ProjectEditor": ("POST", "create_role_binding"),
    "revoke OrgOwner": ("DELETE", "delete_role_binding"),
    "rename key": ("PATCH", "update_api_key"),
    "update project": ("PATCH", "update_project"),
    "rotate the": ("POST", "rotate_service_account_secret"),
    "delete key": ("DELETE", "delete_api_key"),
}


@pytest.mark.parametrize("text", CHANGES)
def test_a_change_reads_as_what_is_done_in_three_tenses(text: str) -> None:
    """The sentence names the thing first and its id once, and only the verb depends on the tense."""
    change, past = CHANGES[text]
    assert (str(change), change.describe("past"), change.describe("conditional")) == (text, past, f"would {text}")


@pytest.mark.parametrize("text", CHANGES)
def test_a_change_is_the_same_after_json(text: str) -> None:
    """What ``to_dict`` makes of a change is read as an equal one, and has no field that is not set."""
    change, _ = CHANGES[text]
    document = to_dict(change)
    assert decode_record(document, Change) == change
    assert None not in document.values()
    assert find_flaw(change) is None


@pytest.mark.parametrize("text", SENDS)
def test_the_operation_of_a_change_is_in_one_table(text: str) -> None:
    """Each action on each kind is one request."""
    change = next(change for sentence, (change, _) in CHANGES.items() if sentence.startswith(text))
    operation = build_operation(change, binding_id="b1")
    assert (operation.method, operation.id) == SENDS[text]
    if change.action == "update":
        assert set(change.settings.fields.values()) >= set()
        assert all(getattr(operation.body, name) is not None for name in change.settings.fields)


def test_what_undoes_a_change_is_a_change() -> None:
    """A create is undone by a deletion, a grant by revoking it, and an update by the values before."""
    create, grant, update, end = (
        next(change for text, (change, _) in CHANGES.items() if text.startswith(verb))
        for verb in ("create project", "grant", "update", "delete key")
    )
    assert find_undo(create, evolve(NEW, id="p2")) == Change(action="delete", target=evolve(NEW, id="p2"))
    assert find_undo(create, None) is None
    assert find_undo(grant, None) == Change(action="revoke", target=ADA, roles=(EDITOR,))
    undo = find_undo(update, None)
    assert undo is not None
    assert (undo.before, undo.settings) == (Settings(max_pods=2), Settings(max_pods=0))
    assert find_undo(end, None) is None


def test_what_is_there_fits_a_create_only_with_its_settings_and_exactly_its_roles() -> None:
    """Other settings, a role more or a role less do not fit."""
    account = Change(action="create", target=evolve(CI, id=None), roles=(OWNER, EDITOR))
    held = frozenset({("OrgOwner", None), ("ProjectEditor", "p1")})
    assert fits(account, Settings(), held)
    assert not fits(account, Settings(), held | {("OrgMember", None)})
    assert not fits(account, Settings(), held - {("OrgOwner", None)})
    key = Change(action="create", target=evolve(READER, id=None), settings=Settings(roles=("A", "B")))
    assert fits(key, Settings(name="reader", roles=("B", "A")), frozenset())
    assert not fits(key, Settings(name="reader", roles=("B",)), frozenset())


FLAWED: Mapping[str, Change] = {
    "must have an id": Change(action="delete", target=evolve(CI, id=None)),
    "must have a name": Change(action="delete", target=Ref("user", None, "u1")),
    "must not have an id": Change(action="create", target=CI),
    "must have a project": Change(action="delete", target=evolve(READER, project=None)),
    "must be of an invite": Change(action="resend", target=CI),
    "must be of a service account": Change(action="rotate", target=READER),
    "must be of a principal": Change(action="grant", target=SEARCH, roles=(OWNER,)),
    "must have one role": Change(action="grant", target=ADA, roles=(OWNER, EDITOR)),
    "must have the same fields before and after": Change(
        action="update", target=SEARCH, settings=Settings(max_pods=2), before=Settings(name="x")
    ),
    "must have at most 100 roles": Change(action="invite", target=evolve(EVE, id=None), roles=(EDITOR,) * 101),
}


@pytest.mark.parametrize("flaw", FLAWED)
def test_a_shape_that_types_allow_and_no_request_has_is_a_flaw(flaw: str) -> None:
    """A saved plan may contain any text, so that shapes are checked."""
    assert find_flaw(FLAWED[flaw]) == flaw


STEPS: Mapping[StepState, str] = {
    "planned": "would delete service account ci (s1)",
    "done": "deleted service account ci (s1)",
    "undone": "deleted service account ci (s1), and undid it. The error: no",
    "skipped": "skipped: delete service account ci (s1)",
    "not_run": "not run: delete service account ci (s1)",
    "failed": "failed: delete service account ci (s1). The error: no",
    "rejected": "failed: delete service account ci (s1). The error: no",
    "sent": "failed, and may have been done: delete service account ci (s1). The error: no",
    "unread": "failed, and was done, as far as the status shows: delete service account ci (s1). The error: no",
}


def test_a_step_states_what_happened_and_only_a_preview_is_conditional() -> None:
    """Each state has its own words."""
    for state, text in STEPS.items():
        assert str(Step(change=Change(action="delete", target=CI), state=state, error="no")) == text


def test_what_is_replaced_is_part_of_plans_alone() -> None:
    """A report has the deletion of a leftover as a separate step."""
    change = Change(action="create", target=evolve(READER, id=None), settings=VIEWER, replaces=(LEFT,))
    assert "it gets the name if its secret is stored, or is deleted" in change.describe("conditional")
    assert "k0" not in str(Step(change=change, state="done"))
    for state in STEPS:
        assert ("k0" in str(Step(change=change, state=state, error="no"))) == (state == "planned")


def test_references_without_an_id_get_those_of_what_was_created() -> None:
    """The target of a create keeps no id, and its project and the projects of roles get theirs."""
    known = {NEW: Ref("project", "prod", "p9")}
    key = Change(action="create", target=Ref("api_key", "reader", None, NEW), settings=VIEWER)
    assert with_known_ids(key, known).target == Ref("api_key", "reader", None, Ref("project", "prod", "p9"))
    grant = Change(action="grant", target=ADA, roles=(RoleAt("ProjectEditor", NEW),))
    assert with_known_ids(grant, known).roles == (RoleAt("ProjectEditor", Ref("project", "prod", "p9")),)


def test_a_name_cannot_read_as_part_of_the_sentence() -> None:
    """A name that is not one plain word is in quotes, and does not begin a line."""
    forged = "x (k) in project prod\ncreated key y"
    change = Change(action="create", target=Ref("api_key", forged, None, SEARCH))
    assert change.describe("past") == f"created key {forged!r} in project search (p1)"


def test_roles_are_in_the_order_of_their_raw_names() -> None:
    """Quotes around a name do not change its place."""
    odd = Ref("project", "a b", "p2")
    roles = [RoleAt("ProjectViewer", SEARCH), RoleAt("ProjectViewer", odd), RoleAt("OrgMember")]
    assert sort_roles(roles) == (roles[2], roles[1], roles[0])
