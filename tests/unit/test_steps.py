"""The text of a step is made from its fields, and says whether it was done."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from pinecone_admin.workflows.steps import Step

KEY = Step(action="create", kind="api_key", name="reader", project="search")
ROLE = Step(action="grant", kind="user", name="ada@example.com", id="u", after={"role": "OrgMember"})
DONE: Mapping[str, Step] = {
    "created key reader in project search": KEY,
    "created key reader (k) in project search (p)": evolve(KEY, id="k", project_id="p"),
    "created key reader in project p": evolve(KEY, project=None, project_id="p"),
    "stored the value of key reader in project search": evolve(KEY, action="store"),
    "deleted key reader in project search: an earlier run left it": evolve(
        KEY, action="delete", reason="an earlier run left it"
    ),
    "renamed key reader in project search to 'b c'": evolve(KEY, action="rename", after={"name": "b c"}),
    "renamed key reader in project search to b, and its roles to A and B": evolve(
        KEY, action="rename", after={"name": "b", "roles": ["A", "B"]}
    ),
    "updated key reader in project search: roles from nothing to A and B": evolve(
        KEY, action="update", before={"roles": []}, after={"roles": ["A", "B"]}
    ),
    "kept key reader in project search: it is not due": evolve(KEY, action="keep", reason="it is not due"),
    "granted OrgMember on the organization to user ada@example.com (u)": ROLE,
    "granted OrgMember on project p to user u": evolve(ROLE, name=None, project_id="p"),
    "revoked OrgMember on the organization from user ada@example.com (u)": evolve(
        ROLE, action="revoke", before=ROLE.after, after={}
    ),
    "stored the secret of service account ci": Step(action="store", kind="service_account", name="ci"),
    "invited eve@example.com": Step(action="invite", kind="invite", name="eve@example.com"),
    "deleted invite for eve@example.com (i)": Step(action="delete", kind="invite", name="eve@example.com", id="i"),
    "skipped project 'ci 1' (p): it was already deleted": Step(
        action="skip", kind="project", name="ci 1", id="p", reason="it was already deleted"
    ),
}


def test_a_step_reads_as_what_was_done_or_would_be_done() -> None:
    """The text of what was done is in the past tense; a planned step differs only in its verb, after "would"."""
    for text, step in DONE.items():
        assert str(step) == text
        verb, _, rest = text.partition(" ")
        would, action, *planned = str(evolve(step, planned=True)).split(" ")
        assert (would, action, " ".join(planned)) == ("would", step.action, rest)
        assert verb.startswith(action[:-1]) or (verb, action) == ("kept", "keep")


def test_a_name_cannot_read_as_part_of_the_sentence() -> None:
    """A name that is not one plain word is in quotes, and has no line of its own."""
    forged = "x (k) in project prod\ncreated key y"
    assert str(evolve(KEY, name=forged)) == f"created key {forged!r} in project search"
