"""Files on an organization: how they are read, and which steps they give, without a client."""

from __future__ import annotations

import builtins
import json
import re
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pinecone_admin import ForbiddenError, PineconeTypeError, PineconeValueError, RefusedError
from pinecone_admin.models import APIKey, Invite, Organization, Project, RoleBinding, ServiceAccount, User
from pinecone_admin.workflows import Change, ChangePlan, DesiredState, Inventory, RoleAt, Unread, plan_changes
from pinecone_admin.workflows.comparison import compare_changes
from pinecone_admin.workflows.name_tags import name_tag, tag_as_unfinished
from pinecone_admin.workflows.organization_index import OrganizationIndex
from tests.support.errors import raises
from tests.support.old_names import tag_as_emptying

NOW = datetime(2026, 11, 30, tzinfo=UTC)
YAML = """
organization: -NAbCdEfGh                # id or name
projects:
  - name: search
    max_pods: 0
    api_keys:
      - {name: reader, roles: [DataPlaneViewer]}
      - {name: old-batch, absent: true}
  - {name: shop-eu, id: 6f3c}
service_accounts:
  - {name: ci, roles: [OrgMember, search:ProjectOwner]}
people:
  - {email: ada@example.com, roles: [OrgOwner]}
  - {email: eve@example.com, absent: true}
"""


def make_id(letter: str, name: str) -> str:
    """Return an id with a name in it, without the characters that no path of a request may have."""
    return f"{letter}-{quote(name, safe='@: ')}"


def make_inventory(
    *,
    projects: Sequence[str] = (),
    keys: Sequence[tuple[str, str]] = (),
    accounts: Sequence[str] = (),
    users: Sequence[str] = (),
    roles: Sequence[tuple[str, str, str, str | None]] = (),
    **changes: Any,
) -> Inventory:
    """Return an inventory whose ids are the names after a letter; the client's account is an owner, as one user is.

    Args:
        projects: Names of the projects.
        keys: Project and name of each key.
        accounts: Names of service accounts.
        users: Addresses of users.
        roles: Kind and name of a principal, its role, and the project, or None for the organization.
        changes: Lists of the inventory in place of these.
    """
    bindings = [
        ("service_account", "runner", "OrgOwner", None),
        ("user", "owner@example.com", "OrgOwner", None),
        *roles,
    ]
    lists: dict[str, Any] = {
        "organizations": [
            Organization(
                id="o-1", name="Acme", plan="Enterprise", payment_status="Active", created_at=NOW, support_tier="Free"
            )
        ],
        "projects": [
            Project(
                id=make_id("p", each), name=each, max_pods=0, force_encryption_with_cmek=False, organization_id="o-1"
            )
            for each in projects
        ],
        "api_keys": [
            APIKey(
                id=make_id("k", f"{project}-{name}"),
                name=name,
                project_id=make_id("p", project),
                roles=["ProjectEditor"],
            )
            for project, name in keys
        ],
        "users": [User(id=make_id("u", each), email=each) for each in ("owner@example.com", *users)],
        "invites": [],
        "service_accounts": [
            ServiceAccount(
                id=make_id("s", each), name=each, client_id=make_id("c", each), created_at=NOW, updated_at=NOW
            )
            for each in ("runner", *accounts)
        ],
        "role_bindings": [
            RoleBinding(
                id=f"b-{number}",
                principal_type=kind,  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
                principal_id=make_id(kind[0], name),
                resource_type="organization" if project is None else "project",
                resource_id="o-1" if project is None else make_id("p", project),
                role=role,  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
                created_at=NOW,
            )
            for number, (kind, name, role, project) in enumerate(bindings)
        ],
    }
    return Inventory(taken_at=NOW, **(lists | changes))


def plan(inventory: Inventory, *, base: dict[str, Any] | None = None, **sections: Any) -> ChangePlan:
    """Plan a file."""
    former = None if base is None else DesiredState.from_dict({"organization": "Acme", **base})
    desired = DesiredState.from_dict({"organization": "Acme", **sections})
    return plan_changes(inventory, desired, client_id="c-runner", base=former)


def summarize(changes: Sequence[Change]) -> list[str]:
    """Return the changes without ids."""
    return [re.sub(r" \([^)]*\)", "", str(each)) for each in changes]


def test_yaml_and_json_give_the_same_state() -> None:
    """YAML, JSON and a mapping give the same state, which converts to a mapping and back."""
    state = DesiredState.from_text(YAML, source="org.yaml")
    document = state.to_dict()
    assert DesiredState.from_dict(document) == state
    assert DesiredState.from_text(json.dumps(document), source="org.json") == state
    assert len({state.digest, DesiredState.from_dict(document).digest}) == 2


def test_all_problems_are_named_at_once() -> None:
    """An error has every problem, with the file, the line and the path, and the nearest spelling."""
    text = """
organization: 1e3
projects:
service_accounts: [{name: 5}, {name: on}, {name: ~}, {}, x]
people:
  - {email: no, roles: [OrgOwnr, OrgOwner, OrgOwner, ProjectViewer, "a:OrgOwner", ":ProjectViewer"]}
  - &x {email: Ada@example.com, rolez: []}
  - {email: ada@example.com, absent: true, roles: []}
  - !!map {email: a@b.c, email: b@b.c}
"""
    with raises(PineconeValueError) as caught:
        DesiredState.from_text(text, source="org.yaml")
    problems = caught.value.__notes__
    assert str(caught.value).startswith("org.yaml, line 7: anchors and aliases are not allowed")
    assert "line 2: organization must be text, not 1e3: put it in quotes" in problems
    assert "line 3: projects is empty: leave it out, or write [] for an empty list" in problems
    assert "line 6: people[0].roles has 'OrgOwnr', which is no role: did you mean OrgOwner?" in problems
    assert "line 6: people[0].roles has 'OrgOwner' twice" in problems
    assert "line 7: people[1] has an unknown field 'rolez': did you mean roles?" in problems
    assert "line 8: people[2] lists person ada@example.com a second time, after line 7: people[1]" in problems
    assert "line 9: the field 'email' is there twice" in problems
    assert len(problems) == 19


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "organization: a\nprojets: []\n",
            "line 2: the document has an unknown field 'projets': did you mean projects?",
        ),
        (
            "organization: a\npeople:\n- email: a@b.c\n  # c\n  rolez: []",
            "line 5: people[0] has an unknown field 'rolez'",
        ),
        ("# c\nprojects: []\n", "line 2: the document needs the field organization"),
        ("organization: a\npeople: [{email: a@b.c, roles: [], roles: []}]", "line 2: the field 'roles' is there twice"),
    ],
)
def test_a_problem_of_a_file_is_after_its_name_and_line(text: str, problem: str) -> None:
    """An unknown field has a line of its own; a single problem has the form of one of many."""
    with raises(PineconeValueError) as caught:
        DesiredState.from_text(text, source="org.yaml")
    assert str(caught.value).startswith(f"org.yaml, {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the document must be a mapping"),
        ("[" * 100_000, "too many levels"),
        ("{" * 5_000, "not YAML"),
        ("organization: [", "not YAML"),
        ("organization: a\n---\norganization: b", "several documents"),
        ('{"organization": "a", "organization": "b"}', "'organization' is there twice"),
        ('{"organization": "a", "people": null}', "people is empty"),
        ("{organization: a, people: [*x]}", "not YAML|anchors"),
        ("{organization: a, <<: {people: []}}", "unknown field '<<'"),
        ("{organization: 2026-01-01}", "must be text"),
        ("{organization: 1:30}", "must be text"),
        ("{organization: a, projects: [{name: x, max_pods: 1, absent: true}]}", "absent.*a file deletes no project$"),
        ("{organization: a, projects: [{name: null}]}", "name is empty: leave it out, or put it in quotes"),
        ("{organization: a, projects: [{name: x, max_pods: yes}]}", "whole number"),
        ("{organization: a, projects: [{name: x, api_keys: [{name: k}]}]}", "needs the field roles"),
        ("{organization: a, projects: [{name: x, api_keys: [{name: k, roles: []}]}]}", "at least one role"),
        ("{organization: a, service_accounts: [{name: x, keep_other_roles: true}]}", "needs the field roles"),
        ("organization: a  # no more\u2028people: []", r"line 1: has the character \\u2028"),
        ("organization: a  # no more\x85people: []", r"line 1: has the character \\u0085"),
        ("organization: a  # no more\rpeople: []", r"line 1: has the character \\u000d"),
        ("organization: a\n\ufeffpeople: []", r"line 2: has the character \\ufeff"),
        ("organization: a\r\npeople: []  # \u202e", r"line 2: has the character \\u202e"),
    ],
)
def test_what_a_file_cannot_be(text: str, problem: str) -> None:
    """A file that is cut, ambiguous, or says what it cannot do is refused with the reason."""
    with raises(PineconeValueError, match=problem):
        DesiredState.from_text(text)


def test_an_id_or_a_name_twice() -> None:
    """Two items with one id are refused, whatever their names; two of one name only if an id is missing."""
    pinned = [{"name": "a", "id": "p-1"}, {"name": "a", "id": "p-2"}]
    assert DesiredState.from_dict({"organization": "a", "projects": pinned}).projects is not None
    for projects in ([pinned[0], {"name": "b", "id": "p-1"}], [pinned[0], {"name": "a"}], [{"name": "a"}, *pinned]):
        with raises(PineconeValueError, match=r"projects\[1\] lists project [ab] a second time, after"):
            DesiredState.from_dict({"organization": "a", "projects": projects})


def test_many_problems_are_counted() -> None:
    """A message has as many problems as it can, and the notes have all of them."""
    people = [{"email": f"no address {number}"} for number in range(100)]
    with raises(PineconeValueError, match="and 6[0-9] more problems") as caught:
        DesiredState.from_dict({"organization": "a", "people": people})
    assert len(caught.value.__notes__) == 100


def test_many_contradictions_are_in_the_notes() -> None:
    """A file that contradicts itself in many places raises one error, whose notes have all of them."""
    people = [{"email": f"a{number}@example.com", "roles": []} for number in range(100)]
    with raises(PineconeValueError, match="and [78][0-9] more problems") as caught:
        plan(make_inventory(), people=people)
    assert len(caught.value.__notes__) == 100


def test_yaml_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON needs no package, and YAML names the extra that has it."""
    real = builtins.__import__

    def refuse(name: str, *arguments: Any) -> Any:
        if name == "yaml":
            raise ModuleNotFoundError("No module named 'yaml'", name="yaml")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert DesiredState.from_text('{"organization": "Acme"}').organization == "Acme"
    with pytest.raises(ModuleNotFoundError, match=r"YAML needs PyYAML.*\[cli\]"):
        DesiredState.from_text("organization: Acme")


def test_wrong_types() -> None:
    """Each argument is checked."""
    inventory, state = make_inventory(), DesiredState.from_dict({"organization": "Acme"})
    wrong: Any = {}
    with raises(PineconeTypeError, match="data must be a mapping"):
        DesiredState.from_dict([])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with raises(PineconeTypeError, match="text must be a str"):
        DesiredState.from_text(b"")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    for arguments in ((wrong, state, None), (inventory, wrong, None), (inventory, state, wrong)):
        with raises(PineconeTypeError):
            plan_changes(arguments[0], arguments[1], client_id="c-runner", base=arguments[2])


def test_a_plan_needs_everything() -> None:
    """A plan is refused if a part is unread, and if the account is no owner or is not there."""
    state = DesiredState.from_dict({"organization": "Acme"})
    unread = [Unread(part="users", project_id=None, error="no")]
    for inventory, client_id in (
        (make_inventory(unread=unread), "c-runner"),
        (make_inventory(accounts=["other"]), "c-other"),
    ):
        with raises(ForbiddenError, match="use an account with OrgOwner"):
            plan_changes(inventory, state, client_id=client_id)
    with raises(RefusedError, match="no service account has the client id"):
        plan_changes(make_inventory(), state, client_id="c-nobody")


def test_the_organization_by_name_or_id() -> None:
    """A file and the former file name their organization by id or name."""
    inventory = make_inventory()
    for name in ("Acme", "o-1"):
        assert not plan_changes(inventory, DesiredState.from_dict({"organization": name}), client_id="c-runner")
    other = DesiredState.from_dict({"organization": "Other"})
    state = DesiredState.from_dict({"organization": "Acme"})
    with raises(RefusedError, match="is of organization Other"):
        plan_changes(inventory, state, client_id="c-runner", base=other)


def test_contradictions_with_the_organization() -> None:
    """Each contradiction is named with its place, and stops its own item; those of the file alone refuse it."""
    twins = [*make_inventory(projects=["a"]).projects, *make_inventory(projects=["a"]).projects]
    inventory = make_inventory(projects=["b", "p-b"], keys=[("b", "k")])
    projects = [*inventory.projects, twins[0], evolve(twins[1], id="p-a2")]
    key = {"name": "k", "id": "k-none", "roles": ["ProjectViewer"]}
    owner = {"email": "owner@example.com", "roles": ["OrgOwner", "bb:ProjectViewer", "a:ProjectViewer"]}
    found = plan(
        evolve(inventory, projects=[projects[0], *projects[2:]]),
        projects=[
            {"name": "a", "api_keys": [{"name": "new", "roles": ["ProjectViewer"]}]},
            {"name": "c", "id": "p-none", "api_keys": [{"name": "new", "roles": ["ProjectViewer"]}]},
            {"name": "b", "max_pods": 2, "api_keys": [key]},
        ],
        people=[owner, {"email": "new@example.com", "roles": ["OrgMember"]}],
    )
    for part in (
        "projects[0], project a: several have this name: add one of the ids p-a, p-a2",
        "projects[1], project c: nothing has the id p-none",
        "projects[2].api_keys[0], key k: nothing has the id k-none",
        "'bb:ProjectViewer' is on a project that is neither in the file nor in the organization: did you mean b?",
        "role 'a:ProjectViewer' is on one of 2 projects: write p-a:ProjectViewer or p-a2:ProjectViewer",
    ):
        assert [each for each in found.stopped if each.endswith(part)], found.stopped
    assert len(found.stopped) == 5
    assert summarize(found.changes) == [
        "update project b: max_pods from 0 to 2",
        "invite new@example.com with OrgMember",
    ]
    with raises(PineconeValueError) as caught:
        plan(
            evolve(inventory, projects=projects),
            projects=[{"name": "p-b", "id": "p-p-b"}],
            people=[{"email": "new@example.com", "roles": ["b:ProjectViewer"]}],
        )
    for part in (
        "project p-p-b has the name p-b, the id of another project",
        "people[0], person new@example.com: would be invited, and needs a role on the organization",
    ):
        assert part in str(caught.value)


def test_a_project_with_the_name_of_an_id_stops_roles_on_that_id_alone() -> None:
    """Somebody who names a project like the id of another one stops no other item of a file that does not list it."""
    inventory = make_inventory(projects=["b", "p-b"], users=["bob@example.com"])
    owner = {"email": "owner@example.com", "roles": ["OrgOwner", "b:ProjectViewer", "p-p-b:ProjectViewer"]}
    found = plan(inventory, people=[{"email": "bob@example.com", "roles": ["OrgMember", "p-b:ProjectViewer"]}, owner])
    assert summarize(found.changes) == [
        "grant ProjectViewer on project b to user owner@example.com",
        "grant ProjectViewer on project p-b to user owner@example.com",
    ]
    problem = "a project whose id is the name of project p-p-b: write its name"
    assert found.stopped == [f"people[0], person bob@example.com: role 'p-b:ProjectViewer' is on {problem}"]


@pytest.mark.parametrize("role", ["OrgManager", "OrgMember"])
@pytest.mark.parametrize("keep_other_roles", [True, False])
def test_a_plan_that_takes_projects_from_who_creates_them_says_so(role: str, keep_other_roles: bool) -> None:
    """A plan that revokes ProjectOwner of a service account that creates projects has a note, and no other plan."""
    held = [("service_account", "ci", "ProjectOwner", "a"), ("service_account", "ci", role, None)]
    found = plan(
        make_inventory(projects=["a"], accounts=["ci"], roles=held),
        service_accounts=[{"name": "ci", "roles": [role], "keep_other_roles": keep_other_roles}],
    )
    assert len(found.changes) == (0 if keep_other_roles else 1)
    said = [note for note in found.notes if "service account ci would no longer own projects" in note]
    assert len(said) == (1 if found.changes and role == "OrgManager" else 0)


def test_names_that_several_have() -> None:
    """An id pins one of several projects of a name, for its keys and for roles."""
    first, second = (evolve(make_inventory(projects=["a"]).projects[0], id=each) for each in ("p-1", "p-2"))
    found = plan(
        evolve(make_inventory(users=["bob@example.com"]), projects=[first, second]),
        projects=[{"name": "a", "id": "p-2", "api_keys": [{"name": "k", "roles": ["ProjectViewer"]}]}],
        people=[{"email": "bob@example.com", "roles": ["p-2:ProjectViewer"]}],
    )
    assert summarize(found.changes) == [
        "grant ProjectViewer on project a to user bob@example.com",
        "create key k in project a with ProjectViewer",
    ]
    assert [[place.id for place in each.projects] for each in found.changes] == [["p-2"], ["p-2"]]
    assert [each.id for each in found.not_listed] == ["p-1", "u-owner@example.com"]


def test_an_address_that_several_have() -> None:
    """An address that two users or two invites have is left out with their ids."""
    inventory = make_inventory(users=["bob@example.com", "Bob@example.com"])
    bob = {"email": "bob@example.com", "roles": ["OrgMember"]}
    found = plan(inventory, people=[bob])
    problem = "people[0], person bob@example.com: several have this address"
    assert (found.changes, found.stopped) == ([], [f"{problem}: u-bob@example.com, u-Bob@example.com"])
    invites = [Invite(id=each, email="bob@example.com", status="pending", created_at=NOW) for each in ("i-1", "i-2")]
    found = plan(make_inventory(invites=invites), people=[bob])
    assert (found.changes, found.stopped) == ([], [f"{problem}: i-1, i-2"])


def test_what_has_a_tag_with_the_right_digits_is_set_aside() -> None:
    """Unfinished work is shown as such, and any other name that begins with a tilde is an ordinary one."""
    names = [
        tag_as_unfinished("reader"),
        tag_as_unfinished("x" * 80),
        tag_as_emptying("p-a"),
        name_tag("rotates", "k-a-old") + "old",
        "old",
        "~makes:00000000 reader",
        "~rotates:00000000 x",
        "~empties:00000000 temporary",
        "~lives-until:20270101T0000Z:00000000 temporary",
        "~ordinary",
    ]
    inventory = make_inventory(projects=["a"], keys=[("a", each) for each in names])
    keys = [{"name": "x" * 80, "roles": ["ProjectViewer"]}]
    found = plan(inventory, projects=[{"name": "a", "api_keys": keys}])
    assert [each.target.name for each in found.unfinished] == [names[0], *names[2:4]]
    assert [each.name for each in found.not_listed] == names[4:]
    assert {each.reason for each in found.unfinished} == {"unfinished work, of unknown age"}


@pytest.mark.parametrize("pin", [{}, {"id": "k-a-reader"}])
def test_nothing_gets_the_name_of_unfinished_work(pin: dict[str, str]) -> None:
    """A name that lets another run delete a key is refused for a new key, and for one that is renamed."""
    inventory = make_inventory(projects=["a"], keys=[("a", "reader")])
    key = {"name": "~delete-after:20200101T0000Z:12345678 x", "roles": ["ProjectViewer"], **pin}
    with raises(PineconeValueError, match="gets the name of unfinished work"):
        plan(inventory, projects=[{"name": "a", "api_keys": [key]}])


def test_a_section_that_older_files_had_is_left_out_with_a_note() -> None:
    """``ignore`` hid lines of what is never changed anyway: a file that has it is read, and the plan shows a note."""
    rules = [{"kind": "person", "name": "z@e.x", "reason": "board", "until": "2026-11-30"}]
    found = plan(make_inventory(users=["z@e.x"]), people=[], ignore=rules)
    assert [each.id for each in found.not_listed] == ["u-owner@example.com", "u-z@e.x"]
    assert found.notes == ["ignore is no longer used, and was left out: nothing is removed because it is not listed"]
    assert "ignore" not in DesiredState.from_dict({"organization": "Acme", "ignore": rules}).to_dict()


def test_drift_and_change() -> None:
    """A change that both files need is drift, whatever the order of roles; any other is a change."""
    inventory = make_inventory(projects=["a"], users=["bob@example.com"])
    bob = {"email": "bob@example.com", "roles": ["OrgMember", "a:ProjectViewer"]}
    key = {"name": "k", "roles": ["ProjectViewer"]}
    found = plan(
        inventory,
        base={"people": [{**bob, "roles": bob["roles"][::-1]}], "projects": [{"name": "a", "api_keys": [key]}]},
        people=[{**bob, "email": "BOB@example.com"}, {"email": "new@example.com", "roles": ["OrgMember"]}],
        projects=[{"name": "a", "max_pods": 1, "api_keys": [key]}],
    )
    assert [(each.action, each.cause) for each in found.changes] == [
        ("update", "change"),
        ("invite", "change"),
        ("grant", "drift"),
        ("grant", "drift"),
        ("create", "drift"),
    ]


def test_a_setting_that_somebody_changed_is_drift_beside_another_one() -> None:
    """A change of one setting in the file does not set another one that somebody changed in the console."""
    found = plan(
        make_inventory(projects=["a"], keys=[("a", "k")]),
        base={
            "projects": [
                {"name": "a", "max_pods": 1, "api_keys": [{"name": "k", "id": "k-a-k", "roles": ["ProjectViewer"]}]}
            ]
        },
        projects=[
            {
                "name": "b",
                "id": "p-a",
                "max_pods": 1,
                "api_keys": [{"name": "l", "id": "k-a-k", "roles": ["ProjectViewer"]}],
            }
        ],
    )
    assert [*map(str, found.changes)] == [
        "update project a (p-a): max_pods from 0 to 1 (drift)",
        "rename project a (p-a) to b",
        "update key k (k-a-k) in project a (p-a): roles from ProjectEditor to ProjectViewer (drift)",
        "rename key k (k-a-k) in project a (p-a) to l",
    ]


def test_drift_of_keys_that_share_a_name() -> None:
    """Keys that only ids tell apart are drift, each of them, where both files have them."""
    first = make_inventory(projects=["a"], keys=[("a", "k")])
    inventory = evolve(first, api_keys=[evolve(first.api_keys[0], id=each) for each in ("k-1", "k-2")])
    keys = [{"name": "k", "id": each, "roles": ["ProjectViewer"]} for each in ("k-1", "k-2")]
    projects = [{"name": "a", "api_keys": keys}]
    found = plan(inventory, base={"projects": projects}, projects=projects)
    assert [(each.target.id, each.cause) for each in found.changes] == [("k-1", "drift"), ("k-2", "drift")]


@pytest.mark.parametrize("former", [{"name": "a"}, {"name": "a", "id": "p-a"}])
def test_drift_in_a_project_that_is_renamed(former: dict[str, str]) -> None:
    """A rename of a project does not bring back the keys that somebody deleted in the console."""
    keys = [{"name": "k", "roles": ["ProjectViewer"]}]
    found = plan(
        make_inventory(projects=["a"]),
        base={"projects": [{**former, "api_keys": keys}]},
        projects=[{"name": "b", "id": "p-a", "api_keys": [*keys, {"name": "new", "roles": ["ProjectViewer"]}]}],
    )
    assert [(each.action, each.target.name, each.cause) for each in found.changes] == [
        ("update", "a", "change"),
        ("create", "k", "drift"),
        ("create", "new", "change"),
    ]


def test_a_name_with_a_new_meaning_is_no_drift() -> None:
    """A role that the file takes away is a change, although the file gives one with the same words on a new project."""
    viewer = ("user", "bob@example.com", "ProjectViewer", "prod")
    member = ("user", "bob@example.com", "OrgMember", None)
    bob = {"email": "bob@example.com", "roles": ["OrgMember", "prod:ProjectViewer"]}
    found = plan(
        make_inventory(projects=["prod"], users=["bob@example.com"], roles=[member, viewer]),
        base={"projects": [{"name": "prod"}], "people": [bob]},
        projects=[{"name": "old", "id": "p-prod"}, {"name": "prod"}],
        people=[bob],
    )
    assert [(str(each), each.cause) for each in found.changes] == [
        ("rename project prod (p-prod) to old", "change"),
        ("create project prod", "change"),
        ("grant ProjectViewer on new project prod to user bob@example.com (u-bob@example.com)", "change"),
        ("revoke ProjectViewer on project prod (p-prod) from user bob@example.com (u-bob@example.com)", "change"),
    ]


def test_only_what_both_files_need_is_drift() -> None:
    """A role that somebody took in the console is drift, although the file gives the same person another role."""
    bob = "bob@example.com"
    inventory = make_inventory(projects=["a"], users=[bob], roles=[("user", bob, "OrgMember", None)])
    base = [{"email": bob, "roles": ["OrgMember", "a:ProjectViewer"]}]
    people = [{"email": bob, "roles": ["OrgMember", "a:ProjectViewer", "a:ProjectEditor"]}]
    found = plan(inventory, base={"people": base}, people=people)
    assert [(each.roles[0].role, each.cause) for each in found.changes] == [
        ("ProjectEditor", "change"),
        ("ProjectViewer", "drift"),
    ]


def test_what_is_wrong_in_the_former_file_stops_nothing() -> None:
    """A role on a deleted project stops the item of the former file, so nothing of it is drift."""
    inventory = make_inventory(users=["bob@example.com"])
    base = [{"email": "bob@example.com", "roles": ["OrgMember", "gone:ProjectViewer"]}]
    found = plan(inventory, base={"people": base}, people=[{"email": "bob@example.com", "roles": ["OrgMember"]}])
    assert ([each.cause for each in found.changes], found.stopped) == (["change"], [])


@pytest.mark.parametrize("roles", [[], ["a:ProjectViewer"]])
def test_nobody_leaves_without_the_word_absent(roles: list[str]) -> None:
    """A plan that revokes every organization role of a member is refused, and the change is refused, too."""
    inventory = make_inventory(
        projects=["a"], users=["bob@example.com"], roles=[("user", "bob@example.com", "OrgMember", None)]
    )
    found = plan(inventory, people=[{"email": "bob@example.com", "roles": roles}])
    who = "user bob@example.com (u-bob@example.com) would"
    keeps = f"{who} keep only roles on projects, and needs a role on the organization"
    leaves = f"{who} lose every role; to remove it, write absent: true"
    assert found.refusals == [keeps if roles else leaves]


def test_what_an_interrupted_run_left_is_not_said_to_be_kept() -> None:
    """The step that ends what an interrupted run left names it."""
    names = [tag_as_unfinished("reader"), tag_as_unfinished("other")]
    inventory = make_inventory(projects=["a"], keys=[("a", each) for each in names])
    found = plan(inventory, projects=[{"name": "a", "api_keys": [{"name": "reader", "roles": ["ProjectViewer"]}]}])
    assert [each.target.name for each in found.unfinished] == names[1:]
    assert f"an interrupted run left k-a-{names[0]}: it gets the name" in str(found.changes[0])


def test_the_invite_of_a_member_is_shown() -> None:
    """A file cannot name the invite of a member, which could add roles."""
    invite = Invite(id="i-1", email="BOB@example.com", status="pending", created_at=NOW)
    found = plan(make_inventory(users=["bob@example.com"], invites=[invite]), people=[{"email": "bob@example.com"}])
    assert [each.id for each in found.not_listed] == ["u-owner@example.com", "i-1"]


def test_encryption_that_was_switched_on_by_hand_blocks_no_plan() -> None:
    """The server never turns it off, so that the plan has a note in place of a change, and its other changes."""
    inventory = make_inventory(projects=["a"])
    projects = [evolve(inventory.projects[0], force_encryption_with_cmek=True)]
    item = {"name": "a", "force_encryption_with_cmek": False, "max_pods": 2}
    found = plan(evolve(inventory, projects=projects), projects=[item])
    assert summarize(found.changes) == ["update project a: max_pods from 0 to 2"]
    [note] = found.notes
    assert note.startswith("projects[0], project a: it requires its own encryption key, and that cannot be turned off")


@pytest.mark.parametrize("is_there", [True, False])
def test_an_absent_key_takes_the_keys_of_its_rotations_with_it(is_there: bool) -> None:
    """Retired keys are deleted first, also if the key itself was deleted. Retired keys of another key remain."""
    retired = f"~delete-after:20261203T0545Z:{name_tag('rotates', 'k-a-k').split(':')[1].strip()} k"
    other = f"~delete-after:20261203T0545Z:{name_tag('rotates', 'k-a-z').split(':')[1].strip()} k"
    left = f"{name_tag('rotates', f'k-a-{retired}')}k"
    keys = [*([("a", "k")] if is_there else []), ("a", "z"), ("a", other), ("a", retired), ("a", left)]
    inventory = make_inventory(projects=["a"], keys=keys)
    found = plan(inventory, projects=[{"name": "a", "api_keys": [{"name": "k", "absent": True}]}])
    ids = [f"k-a-{retired}", f"k-a-{left}", *(["k-a-k"] if is_there else [])]
    assert [each.target.id for each in found.changes] == ids
    assert {each.action for each in found.changes} == {"delete"}
    assert [each.target.id for each in found.kept] == [f"k-a-{other}"]


def test_a_finished_rotation_is_no_unfinished_work() -> None:
    """The old key of a rotation and a temporary key are kept until their deletion time."""
    retired = f"~delete-after:20261203T0545Z:{name_tag('rotates', 'k-a-k').split(':')[1].strip()} k"
    temporary = f"~lives-until:20270101T0000Z:{name_tag('empties', 'p-a').split(':')[1].strip()} temporary"
    inventory = make_inventory(projects=["a"], keys=[("a", "k"), ("a", retired), ("a", temporary)])
    found = plan(inventory, projects=[{"name": "a", "api_keys": []}])
    assert [each.reason for each in found.kept] == [
        "the old key of a finished rotation, kept at least until 2026-12-03 05:45 UTC",
        "a temporary key, kept at least until 2027-01-01 00:00 UTC",
    ]
    late = evolve(inventory, taken_at=datetime(2026, 12, 31, tzinfo=UTC))
    assert [each.reason for each in plan(late, projects=[{"name": "a", "api_keys": []}]).kept] == [
        "the old key of a finished rotation, overdue since 2026-12-03 05:45 UTC",
        "a temporary key, kept at least until 2027-01-01 00:00 UTC",
    ]
    assert found.unfinished == []
    assert "unfinished" not in str(found)
    assert "\nkey k in project a: the old key of a finished rotation, kept" in str(found)
    assert inventory.to_desired_state().notes == [
        "left out: 1 temporary key in project a (temporary)",
        "left out: 1 old key of finished rotations in project a (k)",
    ]


def test_more_roles_than_one_request_gives_are_left_out() -> None:
    """A new account or invite has at most 100 roles."""
    names = [f"p{number}" for number in range(100)]
    roles = ["OrgMember", *(f"{each}:ProjectViewer" for each in names)]
    sections: list[dict[str, Any]] = [
        {"service_accounts": [{"name": "ci", "roles": roles}]},
        {"people": [{"email": "a@b.c", "roles": roles}]},
    ]
    for section in sections:
        found = plan(make_inventory(projects=names), **section)
        assert not found.changes
        assert "would be created with 101 roles, and one request gives at most 100" in found.stopped[0]


def test_a_swap_of_names() -> None:
    """A name that an item leaves can be taken by another one, but not the name of one that stays."""
    inventory = make_inventory(projects=["a", "b"])
    found = plan(inventory, projects=[{"name": "old-a", "id": "p-a"}, {"name": "a"}])
    assert summarize(found.changes) == ["rename project a to old-a", "create project a"]
    found = plan(inventory, projects=[{"name": "b", "id": "p-a"}])
    assert (found.changes, found.stopped) == (
        [],
        ["projects[0], project b: p-b has the name that p-a would get"],
    )
    with raises(PineconeValueError, match="another item of the file has the name"):
        plan(inventory, projects=[{"name": "c", "id": "p-a"}, {"name": "c", "id": "p-b"}])


def test_markdown_is_inert_and_cut() -> None:
    """Names cannot mention, link or end a span. Only owners and secrets are never left out."""
    names = ["@octocat", "#1", "`code`", "https://example.com", "[x](y)", "a|b", "</details>", "x\ny"]
    many = [{"name": each} for each in names]
    many += [{"name": f"project number {number}, which has a long name"} for number in range(2000)]
    accounts = [{"name": f"account {number}", "roles": ["OrgOwner"]} for number in range(100)]
    text = plan(make_inventory(), projects=many, service_accounts=accounts).to_markdown()
    assert len(text) <= 60_000
    assert text.count("would create service account") == 100
    assert re.search(r"### Changes \(2008\)\n", text)
    assert re.search(r"- and \d+ more\n", text)
    lines = [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- `")]
    for line in lines:
        fence = re.match("`+", line)
        assert fence is not None
        assert line.endswith(fence[0])
        assert fence[0] not in line[len(fence[0]) : -len(fence[0])]
    assert sum("octocat" in line for line in text.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ada@example.com", "ada@example.com"),
        ("\u0430da@example.com", r"'\u0430da@example.com'"),
        ("ada@ex\u00e4mple.com", r"'ada@ex\xe4mple.com'"),
        ("kay\u212a@example.com", r"'kay\u212a@example.com'"),
        ("ada\u200b@example.com", r"'ada\u200b@example.com'"),
        ("ada\u3164@example.com", r"'ada\u3164@example.com'"),
    ],
)
def test_an_address_that_looks_like_another_one(name: str, shown: str) -> None:
    """An address shows what is not ASCII by its code: it would look like that of a colleague, who is not meant."""
    found = plan(make_inventory(), people=[{"email": name, "roles": ["OrgOwner"]}])
    assert str(found.changes[0]) == f"invite {shown} with OrgOwner"
    assert shown in found.to_markdown()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("M\u00fcller", "'M\u00fcller'"),
        ("se\u200barch", r"'se\u200barch'"),
        ("search\u3164", r"'search\u3164'"),
        ("se\u034farch", r"'se\u034farch'"),
        ("search\ufe0f", r"'search\ufe0f'"),
        ("search ", "'search '"),
    ],
)
def test_a_name_that_hides_a_character(name: str, shown: str) -> None:
    """A name that is no plain word of ASCII is in quotes, also before a role, and what nobody sees has its code."""
    account = {"name": "ci", "roles": [f"{name}:ProjectViewer"]}
    found = plan(make_inventory(), projects=[{"name": name}], service_accounts=[account])
    assert str(found.changes[0]) == f"create project {shown}"
    assert str(found.changes[1]) == f"create service account ci with ProjectViewer on new project {shown}"


def test_a_saved_plan_of_another_kind_is_refused() -> None:
    """A plan is read back equal, and any other document is refused."""
    found = plan(make_inventory(), projects=[{"name": "a"}], base={"projects": []})
    assert ChangePlan.from_json(found.to_json()) == found
    with raises(PineconeValueError, match="not a plan of apply"):
        ChangePlan.from_json('{"plan_of": "users.offboard_many"}')


@pytest.mark.long
def test_a_plan_of_many_people_and_projects_is_small() -> None:
    """A saved plan of 10,000 people and 2,000 projects is within 7 MB, and has a line for each change."""
    ids = [f"6f3c1a02-5d0e-4b43-9f0a-{number:012}" for number in range(2000)]
    made = make_inventory(projects=["p"]).projects[0]
    projects = [evolve(made, id=id, name=f"project-{number}") for number, id in enumerate(ids)]
    inventory = evolve(make_inventory(), projects=projects)
    people = [
        {
            "email": f"person{number}@example.com",
            "roles": ["OrgMember", f"project-{number % 2000}:ProjectViewer", f"project-{number % 1999}:ProjectEditor"],
        }
        for number in range(10_000)
    ]
    keys = [{"name": each, "roles": ["DataPlaneViewer"]} for each in ("reader", "writer")]
    sections = {"projects": [{"name": each.name, "api_keys": keys} for each in projects], "people": people}
    found = plan(inventory, base={"people": people[:5000]}, **sections)
    assert Counter(each.cause for each in found.changes) == {"change": 9000, "drift": 5000}
    text = found.to_json()
    assert len(text.encode()) < 7_000_000
    assert sum(line.startswith('    {"action": ') for line in text.splitlines()) == 14_000


def test_memory_of_planning_grows_like_the_organization() -> None:
    """Twice the people and projects take about twice the memory at the peak, also with a former file."""

    def measure(size: int) -> int:
        users, names = ([f"{kind}{n}@example.com" for n in range(size)] for kind in ("member", "new"))
        inventory = make_inventory(
            projects=[f"project-{n}" for n in range(size // 5)],
            users=users,
            roles=[("user", each, "OrgMember", None) for each in users],
        )
        people = [{"email": each, "roles": ["OrgManager"]} for each in (*users, *names)]
        tracemalloc.start()
        found = plan(inventory, base={"people": people[:size]}, people=people)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(found.changes) == 3 * size
        return peak

    measure(20)  # what is loaded on first use
    assert measure(400) < 2.5 * measure(200)


def test_a_plan_of_an_older_version_is_refused_with_the_remedy() -> None:
    """Plans of 0.3 had texts in place of changes: none is misread."""
    old = {"plan_of": "apply", "version": 2, "steps": [], "desired": {}, "base": None}
    with raises(PineconeValueError, match="a plan of version 2, and this release reads version 3: make another plan"):
        ChangePlan.from_json(json.dumps(old))


DAMAGES: dict[str, dict[str, Any]] = {
    "changes[0].action must be one of": {"action": "store"},
    "changes[0] must not create a thing of kind 'user'": {"target": {"kind": "user", "name": "x"}},
    "changes[0] must not delete a thing of kind 'project'": {
        "action": "delete",
        "target": {"kind": "project", "name": "a", "id": "p-a"},
    },
    "changes[0] must not rotate a thing of kind 'service_account'": {
        "action": "rotate",
        "target": {"kind": "service_account", "name": "ci", "id": "s-ci"},
    },
    "no other name than that of its target": {"settings": {"name": "another"}},
    "must have no reason": {"reason": "as agreed, nothing is changed"},
    "changes[0].target.kind must be a string": {"target": {"kind": 1, "name": "x"}},
    "changes[0].roles must be a list": {"roles": "OrgOwner"},
    "changes[0].settings.max_pods must be an integer": {"settings": {"max_pods": "2"}},
    "changes[0] must not have an id": {"target": {"kind": "project", "name": "x", "id": "p-1"}},
    "changes[0] refers to project y, which no change creates": {
        "action": "grant",
        "target": {"kind": "user", "name": "x", "id": "u-1"},
        "roles": [{"role": "ProjectOwner", "project": {"kind": "project", "name": "y"}}],
    },
}


@pytest.mark.parametrize("problem", DAMAGES)
def test_a_damaged_plan_is_refused_with_the_place(problem: str) -> None:
    """A saved plan is read by the decoder of records, and its changes have a shape that a request has."""
    document = json.loads(plan(make_inventory(), projects=[{"name": "a"}]).to_json())
    document["changes"][0] |= DAMAGES[problem]
    with raises(PineconeValueError) as caught:
        ChangePlan.from_json(json.dumps(document))
    assert problem in str(caught.value)


BAD_VALUES: dict[str, dict[str, Any]] = {
    "max_pods must be at least 0, not -5": {
        "action": "create",
        "target": {"kind": "project", "name": "b"},
        "settings": {"max_pods": -5},
    },
    "name contains an unpaired surrogate": {"action": "create", "target": {"kind": "project", "name": "b\udcff"}},
    "email is not an email address": {
        "action": "invite",
        "target": {"kind": "invite", "name": "bob"},
        "roles": [{"role": "OrgMember", "project": None}],
    },
    "role_bindings must contain at least one organization role": {
        "action": "invite",
        "target": {"kind": "invite", "name": "bob@example.com"},
        "roles": [{"role": "ProjectViewer", "project": {"kind": "project", "name": "a"}}],
    },
    "role_bindings[1] repeats 'OrgMember'": {
        "action": "create",
        "target": {"kind": "service_account", "name": "ci"},
        "roles": [{"role": "OrgMember", "project": None}] * 2,
    },
    "must not set max_pods": {
        "action": "create",
        "target": {"kind": "service_account", "name": "ci"},
        "settings": {"max_pods": 2},
    },
    "must not set roles": {
        "action": "update",
        "target": {"kind": "project", "name": "p", "id": "p-1"},
        "settings": {"roles": ["ProjectEditor"]},
        "before": {"roles": ["ProjectViewer"]},
    },
}


def test_a_plan_with_values_that_no_request_may_have_is_refused_with_all_of_them() -> None:
    """What a method refuses as an argument is refused as a part of a file, before anything is sent."""
    document = json.loads(plan(make_inventory(), projects=[{"name": "a"}]).to_json())
    document["changes"] += BAD_VALUES.values()
    with raises(PineconeValueError) as caught:
        ChangePlan.from_json(json.dumps(document))
    message = str(caught.value)
    for number, problem in enumerate(BAD_VALUES, start=1):
        assert re.search(rf"changes\[{number}\] [^;]*{re.escape(problem)}", message), problem


def test_a_deletion_takes_no_more_than_was_reviewed() -> None:
    """A plan does not delete a person who has got a role since that the plan does not show."""
    member, owner = (("user", "bob@example.com", role, None) for role in ("OrgMember", "OrgOwner"))
    people = [{"email": "bob@example.com", "absent": True}]
    few = make_inventory(users=["bob@example.com"], roles=[member])
    many = make_inventory(users=["bob@example.com"], roles=[member, owner])
    planned = plan(few, people=people).changes
    assert planned[0].roles == (RoleAt("OrgMember"),)
    [found] = compare_changes(planned, OrganizationIndex(many), made_at=NOW)
    assert (found.state, found.reason) == ("stale", "it also has OrgOwner")
    [found] = compare_changes(plan(many, people=people).changes, OrganizationIndex(few), made_at=NOW)
    assert found.state == "ready"


def test_an_export_names_each_kind_that_it_leaves_out_of_many_only_the_first() -> None:
    """Whoever reads the notes can look up what the file lacks."""
    tags = {
        "without": "",
        "old": f"~delete-after:20261203T0545Z:{name_tag('rotates', 'k-a-without0').split(':')[1].strip()} ",
        "temporary": f"~lives-until:20270101T0000Z:{name_tag('empties', 'p-a').split(':')[1].strip()} ",
    }
    numbers = range(12)
    keys = [("a", f"{tag}{kind}{number}") for kind, tag in tags.items() for number in numbers]
    keys += [("a", tag_as_unfinished(f"unfinished{number}")) for number in numbers]
    made = make_inventory(projects=["a"], keys=keys, accounts=[tag_as_unfinished(f"bot{number}") for number in numbers])
    invites = [
        Invite(id=f"i{number}", email=f"expired{number}@example.com", status="expired", created_at=NOW)
        for number in numbers
    ]
    invites += [
        Invite(id=f"p{number}", email=f"several{number // 2}@example.com", status="pending", created_at=NOW)
        for number in range(24)
    ]
    inventory = evolve(made, invites=invites, api_keys=[evolve(each, roles=[]) for each in made.api_keys])
    notes = inventory.to_desired_state().notes
    first = [[f"{kind}{number}" for number in numbers[:10]] for kind in ("bot", *tags, "unfinished")]
    first += [[f"{kind}{number}@example.com" for number in numbers[:10]] for kind in ("several", "expired")]
    shown = sorted(each.partition(" (")[2] for each in notes)
    assert shown == sorted(f"{', '.join(each)}, and 2 more)" for each in first)


def test_an_export_leaves_out_what_a_file_cannot_say() -> None:
    """Roles that no document lists stay, expired invites and unfinished work are left out, and each is said."""
    invite = Invite(id="i-1", email="x@example.com", status="expired", created_at=NOW)
    inventory = make_inventory(
        projects=["a"],
        keys=[("a", tag_as_unfinished("x")), ("a", "k")],
        users=["bob@example.com"],
        roles=[("user", "bob@example.com", "OrgWizard", None)],
        invites=[invite],
    )
    state = inventory.to_desired_state()
    assert state.notes == [
        "left out: 1 key of unfinished work in project a (x)",
        f"left out: 1 invite that cannot be accepted any more ({invite.email})",
        "bob@example.com has OrgWizard, which a file cannot have: keep_other_roles leaves it",
    ]
    assert plan_changes(inventory, state, client_id="c-runner").changes == []
    with raises(ForbiddenError, match="cannot see everything.*an export would lack them"):
        evolve(inventory, unread=[Unread(part="users", project_id=None, error="no")]).to_desired_state()


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
ORGANIZATION_ROLES = st.sampled_from(["OrgMember", "OrgManager", "OrgBillingAdmin"])
PROJECT_ROLES = st.sampled_from(["ProjectOwner", "ProjectEditor", "ProjectViewer"])


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    """Draw an organization of unique names."""
    projects = draw(st.lists(NAMES.filter(lambda name: not name.startswith("p-")), max_size=3, unique=True))
    accounts = draw(st.lists(NAMES.filter(lambda name: name != "runner"), max_size=2, unique=True))
    users = [f"{name}@example.com" for name in draw(st.lists(st.sampled_from("abcdef"), max_size=3, unique=True))]
    keys = [(project, name) for project in projects for name in draw(st.lists(NAMES, max_size=2, unique=True))]
    roles: list[tuple[str, str, str, str | None]] = []
    for kind, names in (("user", users), ("service_account", accounts)):
        for name in names:
            roles.append((kind, name, draw(ORGANIZATION_ROLES), None))
            places = draw(st.lists(st.sampled_from(projects), unique=True)) if projects else []
            roles += [(kind, name, draw(PROJECT_ROLES), place) for place in places]
    return make_inventory(projects=projects, keys=keys, accounts=accounts, users=users, roles=roles)


@st.composite
def files(draw: st.DrawFn, inventory: Inventory) -> DesiredState:
    """Draw a file that lists some of an organization, and some that is not there."""
    names = draw(st.lists(st.sampled_from([*(each.name for each in inventory.projects), "new"]), unique=True))
    places = [*names, *(each.name for each in inventory.projects)]

    def draw_holder(field: str, name: str) -> dict[str, Any]:
        if draw(st.booleans()):
            return {field: name, "absent": True}
        project_roles = draw(st.lists(st.sampled_from(places), unique=True)) if places else []
        roles = {draw(ORGANIZATION_ROLES), *(f"{place}:{draw(PROJECT_ROLES)}" for place in project_roles)}
        return {field: name, "roles": sorted(roles), "keep_other_roles": draw(st.booleans())}

    def draw_keys(project: str) -> list[dict[str, Any]]:
        there = [each.name for each in inventory.api_keys if each.project_id == make_id("p", project)]
        listed = draw(st.lists(st.sampled_from([*there, "new key"]), unique=True))
        roles = [draw(st.sampled_from(["ProjectEditor", "ProjectViewer"]))]
        return [{"name": each, **({"absent": True} if draw(st.booleans()) else {"roles": roles})} for each in listed]

    accounts = [each.name for each in inventory.service_accounts if each.name != "runner"]
    people = [each.email for each in inventory.users if each.email != "owner@example.com"]
    return DesiredState.from_dict(
        {
            "organization": "Acme",
            "projects": [{"name": each, "api_keys": draw_keys(each)} for each in names],
            "service_accounts": [
                draw_holder("name", each) for each in draw(st.lists(st.sampled_from([*accounts, "new"]), unique=True))
            ],
            "people": [
                draw_holder("email", each)
                for each in draw(st.lists(st.sampled_from([*people, "new@example.com"]), unique=True))
            ],
        }
    )


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_properties_of_random_files(data: st.DataObject) -> None:
    """An export plans nothing; steps touch only what is listed, and only as a field of the file asks."""
    inventory = data.draw(inventories())
    exported = inventory.to_desired_state()
    assert DesiredState.from_dict(exported.to_dict()) == exported
    assert plan_changes(inventory, exported, client_id="c-runner").changes == []
    desired = data.draw(files(inventory))
    found = plan_changes(inventory, desired, client_id="c-runner")
    check_changes(found, desired)
    compared = compare_changes(found.changes, OrganizationIndex(inventory), made_at=NOW)
    assert [(each.change, each.state) for each in compared] == [(each, "ready") for each in found.changes]
    assert ChangePlan.from_json(found.to_json()) == found
    assert plan_changes(inventory, desired, client_id="c-runner", base=desired).changes == [
        evolve(each, cause="drift") for each in found.changes
    ]


def check_changes(found: ChangePlan, desired: DesiredState) -> None:
    """Assert that each change is about an item of the file, and that the item asks for it."""
    document = desired.to_dict()
    items: dict[tuple[str, str | None, str | None], Any] = {
        ("project", None, each["name"]): each for each in document["projects"]
    }
    items |= {("api_key", each["name"], key["name"]): key for each in document["projects"] for key in each["api_keys"]}
    items |= {("service_account", None, each["name"]): each for each in document["service_accounts"]}
    items |= {("person", None, each["email"]): each for each in document["people"]}

    def spell(role: RoleAt) -> str:
        return role.role if role.project is None else f"{role.project.name}:{role.role}"

    for change in found.changes:
        target = change.target
        kind = "person" if target.kind in {"user", "invite"} else target.kind
        item = items[kind, None if target.project is None else target.project.name, target.name]
        roles = [spell(each) for each in change.roles]
        match change.action:
            case "delete":
                assert item["absent"]
            case "grant":
                assert roles[0] in item["roles"]
            case "revoke":
                assert roles[0] not in item["roles"]
                assert "keep_other_roles" not in item
            case _:
                assert not item.get("absent")
                assert sorted([*roles, *(change.settings.roles or ())]) == sorted(item.get("roles", []))
    listed = {each.id for each in found.not_listed}
    assert listed.isdisjoint({each.target.id for each in found.changes if each.target.id is not None})
