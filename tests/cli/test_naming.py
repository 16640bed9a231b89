"""Wherever an id is taken, an exact name does, too."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from pinecone_admin.cli.calls.naming import NameLookup, Thing
from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import (
    API_KEY_ROLES,
    ORGANIZATION_ROLES,
    PROJECT_ROLES,
    Duration,
    WantedGrant,
    WantedRole,
    find_nearest,
    is_id,
    parse_duration,
    parse_grant,
    parse_role,
    protect_ids,
    suggest,
)
from tests.cli.command_line import COMMANDS, example_organization, retire_key, run


def test_a_thing_is_named_by_id_or_name() -> None:
    """Both describe the same thing, for every kind of thing."""
    named = {
        "project": "search",
        "api-key": "reader",
        "user": "ADA@example.com",
        "invite": "Bob@example.com",
        "service-account": "ci",
        "organization": "Emulated Organization",
    }
    with example_organization():
        for noun, name in named.items():
            by_name = run(noun, "describe", name).json
            assert run(noun, "describe", by_name["id"]).json == by_name, noun


def test_a_user_is_found_by_the_exact_name_too() -> None:
    """A name that only one user has is enough."""
    with example_organization():
        assert run("user", "describe", "Ada").json["email"] == "ada@example.com"


def test_a_role_that_somebody_holds_is_named_by_its_holder() -> None:
    """A role binding is found by type, holder, project and role; the prompt says whose role it is, also for an id."""
    with example_organization() as emulator:
        (viewer,) = run("role", "list", "--user", "ada@example.com", "--role", "ProjectViewer").json
        assert run("role", "grant", "--service-account", "ci", "--role", "OrgMember", "--yes").exit == 0
        for text, role in (
            ("user:ada@example.com:search:ProjectViewer", "ProjectViewer"),
            (f"user:{viewer['principal_id']}:{viewer['resource_id']}:ProjectViewer", "ProjectViewer"),
            ("user:ada@example.com:OrgMember", "OrgMember"),
            ("service-account:ci:OrgMember", "OrgMember"),
            ("service_account:ci:OrgMember", "OrgMember"),  # as lists in JSON have it
        ):
            assert run("role", "describe", text).json["role"] == role
        assert "service account ci" in run("role", "list", "--service-account", "ci", "-o", "table").stdout
        sent = len(emulator.requests)
        for text, message in (
            ("user:ada@example.com", "write TYPE:WHO:ROLE or TYPE:WHO:PROJECT:ROLE"),
            ("ada@example.com:OrgMember", "The types are user"),
            ("user:ada@example.com:OrgMembr", "Did you mean OrgMember?"),
            (
                "user:ada@example.com:ProjectViewer",
                "is a role on a project, so say which one: user:ada@example.com:search:ProjectViewer",
            ),
        ):
            done = run("role", "revoke", text, "--yes")
            assert (done.exit, message in done.stderr) == (2, True), done
        assert {each.operation_id for each in [*emulator.requests][sent:]} <= {"get_token"}
        absent = run("role", "revoke", "user:ada@example.com:empty:ProjectViewer", "--yes")
        assert (
            "There is no role binding 'user:ada@example.com:empty:ProjectViewer' that this account can see."
            in absent.stderr
        )
        assert absent.exit == 4
        asked = run("role", "revoke", viewer["id"], terminal=True, stdin="n\n")
        holder = "user:ada@example.com:search:ProjectViewer"
        assert f"About to: role revoke '{holder}' ({viewer['id']})" in asked.said
        assert run("role", "revoke", "user:ada@example.com:search:ProjectViewer", "--yes").exit == 0
        assert run("role", "list", "--user", "ada@example.com", "--role", "ProjectViewer").json == []


def test_only_a_role_binding_is_named_by_its_principal() -> None:
    """Another thing with a principal, such as a member of a policy, has no name."""
    member = SimpleNamespace(id="m", principal_type="user", principal_id="u")
    admin: Any = SimpleNamespace(policies=SimpleNamespace(describe=lambda policy_id: member))  # noqa: ARG005 - as called
    assert NameLookup(admin, lambda *_: None).describe(Thing("policy", "m")) == Thing("policy", "m")


def test_an_id_is_not_looked_up() -> None:
    """A script that has ids pays for no lists."""
    with example_organization() as emulator:
        project = next(iter(emulator.state.projects))
        run("project", "describe", project)
        run("project", "delete", project, "--dry-run")
        assert emulator.requests.filter("projects.list") == []


def test_several_things_of_one_name_end_with_their_ids() -> None:
    """The name is ambiguous: exit code 5, and the ids to choose from."""
    with example_organization() as emulator, emulator.admin() as admin:
        ids = {admin.projects.create(name="twin").id for _ in range(2)}
        for words in (["project", "describe", "twin"], ["api-key", "list", "--project", "twin"]):
            done = run(*words)
            assert done.exit == 5
            assert all(each in done.stderr for each in ids)
            assert done.stderr.startswith("error: 2 projects are called twin. Use an id instead: ")
        assert run("project", "exists", "twin").json is True


@pytest.mark.parametrize(
    "words",
    [
        ["project", "describe", "serch"],
        ["project", "delete", "serch", "--yes"],
        ["api-key", "list", "--project", "serch"],
        ["api-key", "describe", "reader", "--project", "empty"],
        ["role", "grant", "--user", "nobody@example.com", "--role", "OrgMember", "--yes"],
        ["role", "grant", "--user", "ada@example.com", "--role", "serch:ProjectViewer", "--yes"],
        ["user", "describe", "nobody@example.com"],
        ["project", "describe", "00000000-0000-4000-8000-000000000000"],
        ["project", "describe", ".."],
        ["project", "describe", "*"],
    ],
)
def test_what_does_not_exist_is_not_found(words: list[str]) -> None:
    """A name or id of nothing ends with exit code 4, and nothing is changed."""
    with example_organization() as emulator:
        assert run(*words).exit == 4
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}


def test_the_name_that_was_probably_meant_is_suggested() -> None:
    """A name that is spelt nearly like that of a thing gets it as a suggestion, and each noun is an English one."""
    with example_organization():
        for words, message in (
            (
                ("project", "describe", "serch"),
                "There is no project serch that this account can see. Did you mean search?",
            ),
            (
                ("access", "--project", "Serch"),
                "There is no project Serch that this account can see. Did you mean search?",
            ),
            (
                ("api-key", "describe", "raeder"),
                "There is no API key raeder that this account can see. Did you mean reader?",
            ),
            (
                ("service-account", "describe", "CI"),
                "There is no service account CI that this account can see. Did you mean ci?",
            ),
            (
                ("invite", "describe", "nobody@else.example"),
                "There is no invite nobody@else.example that this account can see.",
            ),
        ):
            assert run(*words).stderr == f"error: {message} [PA205]\n"


@pytest.mark.parametrize("text", ["pcsk_2abcDE_" + "aB3" * 20, "pckey_" + "x" * 40])
def test_the_value_of_a_key_in_place_of_a_name_is_not_repeated(text: str) -> None:
    """Whatever it is typed for, no part of its secret reaches an output or a request."""
    lines = (
        ["api-key", "describe", text],
        ["api-key", "rotate", text, "--keep-old-for", "0", "--reveal", "--yes"],
        ["api-key", "create", "x", "--project", text, "--reveal", "--yes"],
        ["user", "offboard", text, "--yes"],
        ["access", "--project", text],
        ["project", "create", "x", "--yes", "--max-pods", text],
        ["explain", text],
        ["project", "list", "--query", text],
        ["role", "grant", "--user", text, "--role", text, "--yes"],
        ["project", text],
        [text],
    )
    with example_organization() as emulator:
        for words in lines:
            done = run(*words, "--output", "json")
            assert done.exit in ({0} if "--query" in words else {2, 4}), done
            assert text[12:] not in done.stdout + done.stderr, words
        assert "Give the id or the name" in run("api-key", "describe", text).stderr
        assert all(text not in str(each.query) + each.path for each in emulator.requests)


def test_a_key_is_looked_for_in_one_project_or_in_all() -> None:
    """With --project, a name that other projects use as well is not ambiguous."""
    with example_organization() as emulator, emulator.admin() as admin:
        empty = admin.projects.describe_by_name(name="empty")
        admin.api_keys.create(project_id=empty.id, name="reader")
        assert run("api-key", "describe", "reader").exit == 5
        assert run("api-key", "describe", "reader", "--project", "empty").json["project_id"] == empty.id


def test_during_a_rotation_a_name_means_the_key_that_holds_it() -> None:
    """The predecessor that a rotation keeps does not make the name ambiguous."""
    with example_organization() as emulator:
        retire_key(emulator)
        assert run("api-key", "describe", "indexer", "--project", "search").json["name"] == "indexer"


def test_ids_that_start_with_a_dash_are_no_options() -> None:
    """The id of an organization is taken as it is, before and after options."""
    with example_organization() as emulator:
        organization = emulator.organization_id
        assert organization.startswith("-")
        json = ["-o", "json"]
        for words in ([organization], [*json, organization], [organization, *json], ["--", organization]):
            assert run("organization", "describe", *words).json["id"] == organization


def test_only_words_that_can_be_ids_are_protected() -> None:
    """A value of an option stays where it is, and a misspelt option stays an error."""
    params = next(each for each in COMMANDS if each.full_name == "organization update").params
    dashed = "-N0UAqFzWsDK4FrUMp48"
    assert protect_ids([dashed, "--name", "x"], params) == ["--name", "x", "--", dashed]
    assert protect_ids(["--name", dashed], params) == ["--name", dashed]
    assert protect_ids(["--nmae", "x"], params) == ["--nmae", "x"]
    assert protect_ids(["--", dashed], params) == ["--", dashed]


def test_is_id() -> None:
    """Only the form that ids have is taken for an id."""
    assert is_id("9A000000-0000-4000-8000-000000000001")
    assert not is_id("search")
    assert not is_id("9a000000-0000-4000-8000-000000000001\n")


def test_roles_are_read() -> None:
    """A role is on the organization, or on the project before the colon."""
    assert parse_role("--role", "OrgMember") == WantedRole("OrgMember")
    assert parse_role("--role", "a:b:ProjectViewer") == WantedRole("ProjectViewer", "a:b")
    assert parse_grant("--grant", "user:a:b@example.com:ProjectViewer") == WantedGrant(
        "user", "a:b@example.com", "ProjectViewer"
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("OrgMembr", "Did you mean OrgMember?"),
        ("orgowner", "Did you mean OrgOwner?"),
        ("search:projectviewer", "Did you mean ProjectViewer?"),
        ("ProjectViewer", "so say which one: --role search:ProjectViewer"),
        ("search:OrgMember", "a role on the organization"),
        (":ProjectViewer", "names no project"),
        ("xyz", "Choose from OrgBillingAdmin"),
        ("", "names no role"),
    ],
)
def test_a_wrong_role_is_explained_before_anything_is_sent(text: str, hint: str) -> None:
    """The error has the option's name and the nearest spelling."""
    with pytest.raises(CLIError) as caught:
        parse_role("--role", text)
    assert "--role" in caught.value.message
    assert hint in caught.value.message
    with example_organization() as emulator:
        done = run("invite", "create", "x@example.com", "--role", text, "--yes")
        assert (done.exit, len(emulator.requests)) == (2, 0)


@pytest.mark.parametrize(
    "text", ["ada@example.com:ProjectViewer", "user:ProjectViewer", "human:ada:ProjectViewer", "x", ""]
)
def test_a_grant_has_three_parts(text: str) -> None:
    """What is no grant is an error that shows one."""
    with pytest.raises(CLIError, match=r"--grant .*user:ada@example\.com:ProjectEditor"):
        parse_grant("--grant", text)


@pytest.mark.parametrize(
    "line",
    [
        "invite create eve@example.com",
        "invite ensure eve@example.com",
        "user ensure eve@example.com",
        "service-account create eve",
        "service-account ensure eve",
        "role grant --user ada@example.com",
    ],
)
def test_the_example_for_a_role_without_its_project_works(line: str) -> None:
    """It also has the role on the organization that a person needs."""
    with example_organization():
        refused = run(*line.split(), "--role", "ProjectEditor", "--dry-run")
        assert refused.exit == 2, refused
        example = re.search(r"(--role .*), for example", refused.said)
        assert example is not None, refused
        done = run(*line.split(), *example[1].split(), "--dry-run")
        assert done.exit == 0, done


_TIMES = [(spec, each.opts[0]) for spec in COMMANDS for each in spec.own_params if isinstance(each.type, Duration)]


@pytest.mark.parametrize(("spec", "option"), _TIMES, ids=[f"{spec.full_name} {option}" for spec, option in _TIMES])
@pytest.mark.parametrize("time", ["100001d", "9999999999d"])
def test_a_time_that_is_too_long_is_refused_with_the_limit(spec: Command, option: str, time: str) -> None:
    """Every option that takes a time has the same limit, and refuses a longer one before the first request."""
    words = shlex.split(spec.example)[1 + len(spec.path) :]
    if option in words:
        del words[(place := words.index(option)) : place + 2]
    with example_organization() as emulator:
        done = run(*spec.path, option, time, *words)
        assert done.said.startswith(f"error: {option} {time}: the time is too long. At most, it is 100000d."), done
        assert not emulator.requests


def test_durations() -> None:
    """A time is a number and a unit; 0 needs none."""
    assert parse_duration("7d") == timedelta(days=7)
    assert parse_duration("90m") == timedelta(minutes=90)
    assert parse_duration("1.5h") == timedelta(minutes=90)
    assert parse_duration("30s") == timedelta(seconds=30)
    assert parse_duration("2w") == timedelta(weeks=2)
    assert parse_duration("0") == timedelta(0)
    assert [parse_duration(text) for text in ("7", "", "d", "-1d", "7 days", "1e3d")] == [None] * 6
    assert parse_duration("9" * 30 + "d") == timedelta.max
    assert Duration().convert(timedelta(1), None, None) == timedelta(1)
    done = run("api-key", "rotate", "reader", "--keep-old-for", "7", "--reveal", "--yes")
    assert done.exit == 2
    assert "--keep-old-for" in done.stderr
    assert "such as 90s" in done.stderr


def test_suggestions() -> None:
    """The nearest word is suggested, or all are listed."""
    assert suggest("tabel", ("table", "json")) == "Did you mean table?"
    assert suggest("xml", ("table", "json")) == "Choose from table, json."


def test_each_command_is_suggested_for_a_slip_of_the_keyboard() -> None:
    """A letter that is missing or doubled, in every word that a command begins with."""
    words = sorted({each.path[0] for each in COMMANDS})
    for word in words:
        for place in range(len(word)):
            for slip in (word[:place] + word[place + 1 :], word[: place + 1] + word[place:]):
                assert slip in words or find_nearest(slip, words) == word, slip


def test_only_what_is_near_is_suggested() -> None:
    """A mistake of one or two characters is near; words that only share some letters, or a domain, are not."""
    for word, near in (
        ("lst", "list"),
        ("lsit", "list"),
        ("Serch", "search"),
        ("nobdy@example.com", "nobody@example.com"),
    ):
        assert find_nearest(word, ["docs", near]) == near
    for word, far in (
        ("user", "search"),
        ("nobody@example.com", "bob@example.com"),
        ("prod", "proxy"),
        ("staging", "training"),
        ("search", "each"),
    ):
        assert find_nearest(word, [far]) is None
    with example_organization():
        assert (
            run("project", "describe", "user").stderr
            == "error: There is no project user that this account can see. [PA205]\n"
        )
        for option, end in (("--user", "There is no --user."), ("--qery", "There is no --qery. Did you mean --query?")):
            assert run("project", "list", option, "x").stderr.partition(" See ")[0].endswith(end)


def test_a_name_that_begins_with_a_dash_is_written_after_two_dashes() -> None:
    """The message shows the way where a name has a place, unless an option is near."""
    ways = [("project", "create"), ("project", "describe"), ("user", "describe"), ("api-key", "ensure")]
    with example_organization():
        for words in ways:
            for name in ("-dash", "--dash"):
                done = run(*words, name)
                assert (done.exit, f" If {name} is a name, write it after --." in done.stderr) == (2, True), done
        assert "write it after" not in run("project", "list", "-dash").stderr
        assert "write it after" not in run("project", "describe", "--outptu", "json", "search").stderr
        grouped = run("project", "create", "-yz")
        assert (grouped.exit, grouped.stderr.partition(" See ")[0]) == (2, "error: There is no -z.")
        created = run("project", "create", "--yes", "--", "-dash")
        assert (created.exit, created.json["name"]) == (0, "-dash")


def test_values_of_commands_are_passed_on() -> None:
    """Settings that can be left unset, be on or be off, and lists of values, reach the server."""
    with example_organization() as emulator:
        run("project", "create", "a", "--require-cmek", "--yes")
        run("project", "create", "b", "--yes")
        made = {each.name: each for each in emulator.state.projects.values()}
        assert made["a"].force_encryption_with_cmek is True
        assert made["b"].force_encryption_with_cmek is False
        roles = ["--role", "DataPlaneViewer", "--role", "ControlPlaneViewer"]
        key = run("api-key", "create", "k", "--project", "search", *roles, "--reveal", "--yes").json
        assert key["roles"] == ["DataPlaneViewer", "ControlPlaneViewer"]
        found = run("role", "list", "--service-account", "ci").json
        assert found == []
        listed = run("role", "list", "--on", "search", "--role", "ProjectViewer").json
        assert [each["role"] for each in listed] == ["ProjectViewer"]
        on = run("role", "list", "--on", "organization", "--user", "ada@example.com").json
        assert [each["role"] for each in on] == ["OrgMember"]


def test_a_role_is_given_to_one_principal() -> None:
    """Exactly one option says whose role it is."""
    words = ["role", "grant", "--role", "OrgMember", "--yes"]
    with example_organization() as emulator:
        none = run(*words)
        several = run(*words, "--user", "ada@example.com", "--service-account", "ci")
        assert (none.exit, several.exit, len(emulator.requests)) == (2, 2, 0)
    assert "Give one of --user, --service-account, --api-key and --invite." in none.stderr
    assert "Give only one of" in several.stderr


def test_the_role_of_an_api_key_is_written_alone_in_every_command() -> None:
    """A key has one project. A role that no key can have is refused before the first request, with the others."""
    with example_organization() as emulator:
        for role in API_KEY_ROLES:
            for words in (("--role", role), ("--project", "search", "--role", role), ("--role", f"search:{role}")):
                granted = run("role", "grant", "--api-key", "reader", *words, "--yes", "-o", "raw")
                assert granted.exit == 0, granted
                (held,) = run("role", "list", "--api-key", "reader", "--role", role).json
                assert held["id"] == granted.stdout.strip()
            other = next(each for each in API_KEY_ROLES if each != role)
            line = f"role change --api-key reader --from {role} --to {other} --yes"
            assert run(*line.split()).exit == 0
            assert run("role", "revoke", f"api-key:reader:{other}", "--yes").exit == 0
            run("role", "grant", "--api-key", "reader", "--role", "DataPlaneViewer", "--yes")
        emulator.requests.clear()
        for role in {*ORGANIZATION_ROLES, *PROJECT_ROLES} - {*API_KEY_ROLES}:
            for line in (
                f"role grant --api-key reader --role {role} --yes",
                f"role change --api-key reader --from {role} --to ProjectViewer --yes",
                f"role revoke api-key:reader:{role} --yes",
            ):
                refused = run(*line.split())
                assert (refused.exit, f"an API key cannot have the role {role}." in refused.stderr) == (2, True), (
                    refused
                )
        assert (
            "say which one: --role search:ProjectEditor"
            in run("role", "grant", "--user", "ada@example.com", "--role", "ProjectEditor", "--yes").stderr
        )
        assert len(emulator.requests) == 0


def test_the_keys_of_all_projects_are_listed_without_a_project() -> None:
    """Each has the name of its project, also in a table; --limit stops early, and a project that is gone has none."""
    with example_organization() as emulator, emulator.admin() as admin:
        for project, name in (("empty", "a"), ("empty", "b")):
            run("api-key", "create", name, "--project", project, "--store", "exec:cat", "--yes")
        admin.projects.create(name="gone")
        listed = run("api-key", "list").json
        assert [(each["project_name"], each["name"]) for each in listed] == [
            ("search", "reader"),
            ("empty", "a"),
            ("empty", "b"),
        ]
        of_one = run("api-key", "list", "--project", "empty").json
        assert of_one == [{n: v for n, v in each.items() if n != "project_name"} for each in listed[1:]]
        table = run("api-key", "list", terminal=True).stdout
        assert all(each["project_name"] in table and each["id"] in table for each in listed)
        emulator.requests.clear()
        assert len(run("api-key", "list", "--limit", "1").json) == 1
        assert len(emulator.requests.filter("api_keys.list")) == 1
        # To another account than an owner, a 404 shows no deletion: it may have lost its role. Nor does it to an owner,
        # while the project is listed.
        viewer = emulator.add_client(roles=["OrgMember", ("ProjectOwner", listed[0]["project_id"])])
        for env in ({"PINECONE_CLIENT_ID": viewer.client_id, "PINECONE_CLIENT_SECRET": viewer.client_secret}, {}):
            emulator.faults.add("list_project_api_keys", status=404)
            refused = run("api-key", "list", "-o", "table", env=env)
            assert (refused.exit, refused.stdout) == (4, ""), refused

        def delete_before(_: object) -> dict[str, object]:
            emulator.state.remove_project(emulator.state.projects[listed[0]["project_id"]])
            return {"status": 404}

        emulator.faults.add("list_project_api_keys", respond=delete_before, times=1)
        assert [each["name"] for each in run("api-key", "list").json] == ["a", "b"]
