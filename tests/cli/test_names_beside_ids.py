"""Where things are shown by their ids, their names stand beside them."""

from __future__ import annotations

import csv
import io
import re
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pinecone_admin import Admin, on_project
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.sentences import tidy
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import example_organization, run

LIST = ("role", "list")


def name_roles(*words: str) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """Return who has the listed roles and on what, by type of principal and role."""
    return {
        (each["principal_type"], each["role"]): (each["principal_name"], each["resource_name"])
        for each in run(*LIST, *words).json
    }


def list_operations(emulator: Emulator, *words: str) -> list[str | None]:
    """Return the operations that a list of role bindings sends, without the requests for tokens."""
    emulator.requests.clear()
    assert run(*LIST, *words).exit == 0
    return [each.operation_id for each in emulator.requests if each.operation_id != "get_token"]


def test_role_bindings_have_the_names_of_every_kind() -> None:
    """Users, invites, accounts, keys, projects and the organization are named in JSON, each behind its id."""
    with example_organization():
        assert name_roles() == {
            ("service_account", "OrgOwner"): ("emulator", "Emulated Organization"),
            ("user", "OrgOwner"): ("owner@example.com", "Emulated Organization"),
            ("user", "OrgMember"): ("ada@example.com", "Emulated Organization"),
            ("user", "ProjectViewer"): ("ada@example.com", "search"),
            ("api_key", "DataPlaneViewer"): ("reader", "search"),
            ("invite", "OrgMember"): ("bob@example.com", "Emulated Organization"),
        }
        (row, *_) = csv.DictReader(io.StringIO(run(*LIST, "--output", "csv").stdout))
        assert list(row)[1:7] == [
            *("principal_type", "principal_id", "principal_name"),
            *("resource_type", "resource_id", "resource_name"),
        ]
        assert run(*LIST, "--query", "[?role=='ProjectViewer'].principal_name | [0]").json == "ada@example.com"


@pytest.mark.parametrize("noun", ["project", "api-key", "user", "invite", "service-account", "role"])
def test_a_thing_is_described_as_its_row_of_the_list(noun: str) -> None:
    """The fields of describe are those of list, and so are the values; a list of all projects has their names, too."""
    with example_organization():
        rows = run(noun, "list", *(["--project", "search"] if noun == "api-key" else [])).json
        assert rows
        assert [run(noun, "describe", each["id"]).json for each in rows] == rows


def test_names_cost_few_requests() -> None:
    """Few principals are fetched one by one, many by one list; with --output raw, nothing but roles is read.

    The roles on the organization show whether the account sees all of them, so they are read apart.
    """
    with example_organization() as emulator:
        assert list_operations(emulator, "--output", "raw") == ["list_role_bindings"] * 2
        assert sorted(map(str, list_operations(emulator, "--on", "search"))) == [
            *("fetch_user", "list_project_api_keys", "list_projects", "list_projects"),
            *("list_role_bindings", "list_role_bindings"),
        ]
        for number in range(120):
            emulator.add_user(f"user{number}@example.com", roles=["OrgMember"])
        emulator.requests.clear()
        assert run("role", "describe", "bf9cc545-6355-48f7-8f6f-a985b732d46f", "--output", "raw").exit == 0
        assert [each.operation_id for each in emulator.requests][1:] == ["fetch_role_binding"]
        sent = list_operations(emulator)
        assert (sent.count("list_role_bindings"), sent.count("list_users"), sent.count("fetch_user")) == (3, 2, 0)
        assert None not in {who for who, _ in name_roles().values()}


def test_a_name_that_the_account_may_not_see_is_null() -> None:
    """A member of one project gets the list of its roles all the same; its table shows the beginning of the id."""
    with example_organization() as emulator, emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        made = admin.service_accounts.create(name="seer", role_bindings=[on_project(project.id, "ProjectMember")])
        env = {
            "PINECONE_CLIENT_ID": made.service_account.client_id,
            "PINECONE_CLIENT_SECRET": made.client_secret,
            "NO_COLOR": "1",
        }
        listed = run(*LIST, "--on", "search", env=env).json
        assert {(each["principal_type"], each["principal_name"], each["resource_name"]) for each in listed} == {
            ("user", None, "search"),
            ("api_key", "reader", "search"),
            ("service_account", None, "search"),
        }
        for number in range(12):  # whose whole list would be read
            emulator.add_user(f"user{number}@example.com", roles=["OrgMember", ("ProjectViewer", project.id)])
        table = run(*LIST, "--on", "search", terminal=True, env=env).stdout
        assert f"user {listed[0]['principal_id'][:6]}…  " in table


def make_twin_key(admin: Admin) -> str:
    """Create a key ``reader`` in the project ``empty``, too, and return its id."""
    empty = admin.projects.describe_by_name(name="empty")
    return admin.api_keys.create(project_id=empty.id, name="reader", roles=["ProjectViewer"]).key.id


def test_a_key_of_a_role_is_looked_for_in_a_project() -> None:
    """--project says which of two keys of a name is meant; with another principal, it is refused."""
    with example_organization() as emulator, emulator.admin() as admin:
        twin = make_twin_key(admin)
        grant = ("role", "grant", "--role", "empty:ProjectEditor", "--api-key", "reader", "--yes")
        assert run(*grant).exit == 5
        made = run(*grant, "--project", "empty").json
        assert (made["principal_id"], made["role"]) == (twin, "ProjectEditor")
        (listed, _) = run(*LIST, "--api-key", "reader", "--on", "empty").json
        assert listed["principal_id"] == twin
        change = ("role", "change", "--api-key", "reader", "--from", "empty:ProjectEditor")
        assert run(*change, "--to", "DataPlaneEditor", "--project", "empty", "--yes").json["principal_id"] == twin
        assert run("role", "revoke", "api-key:reader:empty:DataPlaneEditor", "--yes").exit == 0
        wrong = run("role", "grant", "--role", "OrgMember", "--user", "ada@example.com", "--project", "empty")
        assert wrong.exit == 2
        assert "For a role on a project, write --role PROJECT:ROLE" in wrong.stderr


def test_what_is_ambiguous_is_told_apart_by_names() -> None:
    """Of keys of one name, the message says in which project each is; of users, it says the addresses."""
    with example_organization() as emulator, emulator.admin() as admin:
        twin = make_twin_key(admin)
        done = run("api-key", "describe", "reader")
        assert (done.exit, f"{twin} (in project empty)" in done.stderr) == (5, True)
        assert "(in project search) or " in done.stderr
        other = emulator.add_user("ada@other.example", name="Ada").id
        done = run("user", "describe", "Ada")
        assert (done.exit, f"{other} (ada@other.example)" in done.stderr) == (5, True)
        assert "(ada@example.com) or " in done.stderr


def test_a_project_whose_name_has_colons_works() -> None:
    """Roles are split at the last colon, and those that somebody holds are found by the project that exists."""
    with example_organization() as emulator, emulator.admin() as admin:
        for name in ("team:search", "eu:search"):
            admin.projects.create(name=name)
        run("service-account", "create", "a:b", "--role", "OrgMember", "--store", "exec:cat", "--yes")
        for who in ("user:ada@example.com", "service-account:a:b"):
            noun, _, name = who.partition(":")
            role = "team:search:ProjectEditor"
            assert run("role", "grant", f"--{noun}", name, "--role", role, "--yes").exit == 0
            held = run("role", "describe", f"{who}:{role}").json
            assert held["resource_id"] == run("project", "describe", "team:search").json["id"]
        for name in ("robot", "robot:eu"):
            admin.service_accounts.create(name=name)
        unclear = run("role", "describe", "service-account:robot:eu:search:ProjectEditor")
        assert (unclear.exit, "can be read in several ways" in unclear.stderr) == (2, True)
        absent = run("role", "describe", "user:ada@example.com:nowhere:else:ProjectEditor")
        assert (absent.exit, "There is no project else that" in absent.stderr) == (4, True)
        project = run("project", "describe", "eu:search").json["id"]
        by_id = run("role", "describe", f"service-account:robot:eu:{project}:ProjectEditor")
        assert (by_id.exit, "There is no role binding" in by_id.stderr) == (4, True)


def test_differences_say_whose_roles_have_changed() -> None:
    """A row of CSV and a line of text name who got a role on what, with their ids."""
    with example_organization():
        assert run("inventory", "--out", "before.json").exit == 0
        grant = ("role", "grant", "--user", "ada@example.com", "--role", "search:ProjectEditor", "--yes")
        made = run(*grant).json
        ada, search = f"ada@example.com ({made['principal_id']})", f"search ({made['resource_id']})"
        said = f"ProjectEditor for user {ada} on project {search}"
        (row,) = csv.DictReader(io.StringIO(run("diff", "before.json", "--output", "csv").stdout))
        assert (row["change"], row["id"], row["description"]) == ("added", made["id"], said)
        assert run("diff", "before.json", "--output", "raw").stdout == f"+ {said}\n"


def test_times_have_one_form_in_all_formats_of_differences() -> None:
    """In csv, a time is as in JSON and in text."""
    with example_organization():
        assert run("inventory", "--out", "before.json").exit == 0
        assert run("service-account", "update", "ci", "--name", "ci2", "--yes").exit == 0
        rows = list(csv.DictReader(io.StringIO(run("diff", "before.json", "-o", "csv").stdout)))
        (row,) = (each for each in rows if each["field"] == "updated_at")
        texts = [run("diff", "before.json", "-o", output).stdout for output in ("json", "raw")]
    assert all(row["after"] in text and row["before"] in text for text in texts), (row, texts)


def test_a_dry_run_names_what_was_typed_as_a_name_or_as_an_id() -> None:
    """In JSON, names has each thing that was named or found, with its kind; on a terminal, the steps name them."""
    with example_organization():
        (viewer,) = run(*LIST, "--user", "ada@example.com", "--role", "ProjectViewer").json
        search = {"kind": "project", "id": viewer["resource_id"], "name": "search"}
        ada = {"kind": "user", "id": viewer["principal_id"], "name": "ada@example.com"}
        binding = {"kind": "role_binding", "id": viewer["id"], "name": "user:ada@example.com:search:ProjectViewer"}
        grant = ("role", "grant", "--role", "search:ProjectEditor", "--user")
        for words, names in (
            (("project", "delete", "search"), [search]),
            (("project", "delete", viewer["resource_id"]), [search]),
            ((*grant, "ada@example.com"), [search, ada]),
            ((*grant, viewer["principal_id"]), [search, ada]),
            (("role", "revoke", viewer["id"]), [binding, ada, search]),
            (("project", "ensure", "search"), [search]),
            (("user", "offboard", "ada@example.com"), [ada]),
            (("invite", "create", "eve@example.com", "--role", "OrgMember"), []),
        ):
            found = run(*words, "--dry-run").json["names"]
            assert sorted(found, key=str) == sorted(names, key=str), words
            shown = run(*words, "--dry-run", terminal=True).stdout
            assert all(each["name"] in shown and each["id"] in shown for each in names if each != binding), words
        gone = run("project", "delete", "00000000-0000-4000-8000-000000000000", "--dry-run")
        assert gone.exit == 4


def test_reports_on_roles_name_the_projects() -> None:
    """Steps and differences name each project beside its id, whether it was typed as a name, as an id or not at all."""
    with example_organization() as emulator:
        search = run("project", "describe", "search").json["id"]
        named = f"search ({search})"
        for project in ("search", search):
            ensure = ("user", "ensure", "ada@example.com", "--role", "OrgMember", "--role", f"{project}:ProjectEditor")
            would = run(*ensure, "--dry-run").json
            places = [each["change"]["roles"][0]["project"]["name"] for each in would["would_do"]]
            assert places == ["search"]
            (difference,) = would["report"]["differences"]
            assert difference["setting"] == "roles"
            assert difference["found"] == ["OrgMember on organization", f"ProjectViewer on project {named}"]
            new = run("user", "ensure", "eve@example.com", *ensure[3:], "--dry-run").json["would_do"]
            assert new[0]["change"]["roles"][1]["project"]["name"] == "search"
        unasked = run(
            "user", "ensure", "ada@example.com", "--role", "OrgMember", "--yes", terminal=True, env={"COLUMNS": "400"}
        ).stdout
        assert f"found OrgMember on organization, ProjectViewer on project {named}, wanted OrgMember" in unasked
        emulator.faults.add("list_projects", status=403, times=None)
        kept = run(*ensure[:5], "--role", f"{search}:ProjectEditor", "--yes")
        assert (kept.exit, kept.json["steps"][0]["change"]["roles"][0]["project"]["name"]) == (0, None)


DELETIONS = {
    "project delete empty --yes": ("delete_project", "Project empty"),
    "api-key delete reader --project search --yes": ("delete_api_key", "API key reader"),
    "user delete ada@example.com --yes": ("delete_user", "User ada@example.com"),
    "invite delete bob@example.com --yes": ("delete_invite", "Invite bob@example.com"),
    "service-account delete ci --yes": ("delete_service_account", "Service account ci"),
    "role revoke user:ada@example.com:search:ProjectViewer --yes": (
        "delete_role_binding",
        "Role binding 'user:ada@example.com:search:ProjectViewer'",
    ),
}


@pytest.mark.parametrize("line", DELETIONS)
def test_a_deletion_whose_response_is_lost_is_named_before_its_id(line: str) -> None:
    """Whoever typed a name reads that name, and the id only once."""
    operation, name = DELETIONS[line]
    with example_organization() as emulator:
        emulator.faults.add(operation, drop="before", times=None)
        done = run(*line.split())
        (id, *_) = {each.path.rpartition("/")[2] for each in emulator.requests if each.method == "DELETE"}
    assert f"{name} ({id}) may have been " in done.stderr
    assert done.stderr.count(id) == 1


def test_a_role_that_is_held_already_is_told_with_names() -> None:
    """As in the report on a role that is granted; so are refusals that name ids."""
    ada = ("--user", "ada@example.com")
    with example_organization() as emulator:
        project = next(each.id for each in emulator.state.projects.values() if each.name == "search")
        user = next(each.id for each in emulator.state.users.values() if each.email == "ada@example.com")
        role = ("--role", "search:ProjectViewer", "-o", "table")
        for option in ("--yes", "--dry-run"):
            found = run("role", "grant", *ada, *role, option)
            named = f"Found ProjectViewer on project search ({project}) for user ada@example.com ({user})"
            assert named in found.stdout
        refused = run("role", "change", *ada, "--from", "search:ProjectManager", "--to", "ProjectEditor", "--yes")
    assert f"User ada@example.com ({user}) holds neither ProjectManager nor ProjectEditor" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("role", "revoke", "user:bob@example.com:OrgMember", "--yes"),
        ("role", "grant", "--user", "bob@example.com", "--role", "OrgManager", "--yes"),
        ("user", "delete", "bob@example.com", "--yes"),
    ],
    ids=" ".join,
)
def test_who_is_only_invited_is_no_user_and_the_error_says_so(words: tuple[str, ...]) -> None:
    """Whoever has not joined has an invite with the roles; without a view of the invites, nothing is claimed."""
    with example_organization() as emulator:
        done = run(*words)
        emulator.faults.add("list_invites", status=403, times=None)
        blind = run(*words)
    user = "There is no user bob@example.com that this account can see"
    assert (done.exit, blind.exit) == (4, 4)
    assert f"{user}, but an invite. Use invite in place of user." in done.stderr
    assert f"{user}." in blind.stderr


@pytest.mark.parametrize("words", ["invite resend", "invite describe", "invite delete", "role list --invite"])
def test_who_has_joined_has_no_invite_and_the_error_says_so(words: str) -> None:
    """Without a view of the users, nothing is claimed."""
    yes = [] if "list" in words or "describe" in words else ["--yes"]
    with example_organization() as emulator:
        done = run(*words.split(), "ada@example.com", *yes)
        emulator.faults.add("list_users", status=403, times=None)
        blind = run(*words.split(), "ada@example.com", *yes)
    invite = "There is no invite ada@example.com that this account can see"
    assert (done.exit, blind.exit) == (4, 4)
    assert f"{invite}, but a user, since the person has joined. Use user in place of invite." in done.stderr
    assert f"{invite}." in blind.stderr


@pytest.mark.parametrize("words", ["create ada@example.com", "create bob@example.com", "ensure ada@example.com"])
def test_an_invite_that_is_refused_leads_to_the_command_for_members(words: str) -> None:
    """Whether the person has joined or is invited."""
    with example_organization():
        done = run("invite", *words.split(), "--role", "OrgMember", "--yes")
    assert (done.exit, " To give roles to a member or an invited person, use user ensure. [" in done.stderr) == (
        5,
        True,
    )


def test_each_says_that_keys_go_with_projects() -> None:
    """The rows are not read before the question, so that it names the keys of all; the dry run names each."""
    row = "n\nsearch\n"
    with example_organization(), TemporaryDirectory() as folder, chdir(folder):
        Path("rows.csv").write_text(row)
        words = ("each", "rows.csv", "--", "project", "delete", "{n}")
        refused = run(*words)
        asked = run(*words, terminal=True, stdin="n\n")
        preview = run("each", "rows.csv", "--dry-run", *words[2:])
    for done in (refused, asked):
        assert "The API keys of these projects are deleted, too." in done.said
    row = preview.json
    assert [each["name"] for each in row["result"]["would_do"][0]["change"]["also_deletes"]] == ["reader"]


def test_an_id_in_a_path_has_no_name_in_it() -> None:
    """The path that a command of --store complains about is the one that it was given."""
    with example_organization() as emulator:
        (key,) = (each.id for each in emulator.state.api_keys.values() if each.name == "reader")
        rotate = ("api-key", "rotate", "reader", "--project", "search", "--keep-old-for", "7d", "--yes", "--store")
        done = run(*rotate, f"exec:cat /missing/{key}")
    assert (done.exit, f"cat: /missing/{key}: " in done.stderr) == (1, True), done
    assert "The new API key reader (" in done.stderr  # without the tag of its temporary name


def test_an_id_that_the_server_quotes_has_its_name() -> None:
    """The quotes are those of the server; behind a name, the id stands in brackets as elsewhere."""
    with example_organization() as emulator:
        (key,) = (each.id for each in emulator.state.api_keys.values() if each.name == "reader")
        body = {"error": {"code": "NOT_FOUND", "message": f"API Key '{key}' not found"}}
        emulator.faults.add("delete_api_key", status=404, body=body)
        done = run("api-key", "delete", "reader", "--project", "search", "--yes")
    assert f"API Key reader ({key}) not found (404 NOT_FOUND" in done.said, done


def test_a_key_that_a_run_leaves_is_in_a_project_with_a_name() -> None:
    """The project is the one that the command line names."""
    with example_organization() as emulator:
        (project,) = (each.id for each in emulator.state.projects.values() if each.name == "search")
        emulator.faults.add("delete_api_key", status=500, times=None)
        done = run("run", "--project", "search", "--role", "ProjectViewer", "--yes", "--", "true")
    assert (done.exit, f" in project search ({project}), which this command created, " in done.said) == (6, True), done


@pytest.mark.parametrize("fault", ["store", "delete_api_key", "update_api_key", "create_api_key"])
def test_a_key_that_was_looked_for_in_all_projects_is_in_one_with_a_name(fault: str) -> None:
    """Wherever a rotation fails, its error has the name of the project if it has the id, and no id alone."""
    with example_organization() as emulator, TemporaryDirectory() as folder:
        (project,) = (each.id for each in emulator.state.projects.values() if each.name == "search")
        if fault != "store":
            emulator.faults.add(fault, status=403, times=None)
        store = "exec:false" if fault == "store" else f"file:{folder}/reader.key"
        done = run("api-key", "rotate", "reader", "--keep-old-for", "0", "--yes", "--store", store)
    assert done.exit != 0, done
    assert done.said.count(project) == done.said.count(f"project search ({project})") <= 1, done
    assert fault != "store" or project in done.said, done


def test_two_keys_of_one_name_are_told_apart_to_the_end() -> None:
    """The last sentences on a rotation that failed name the new key and the old one by their ids."""
    with example_organization() as emulator, TemporaryDirectory() as folder:
        (old,) = (each.id for each in emulator.state.api_keys.values() if each.name == "reader")
        emulator.faults.add("delete_api_key", status=500, times=None)
        rotate = ("api-key", "rotate", "reader", "--project", "search", "--keep-old-for", "0", "--yes")
        done = run(*rotate, "--store", f"file:{folder}/reader.key")
        (new,) = (each for each in emulator.state.api_keys if each != old)
    assert done.exit in {6, 9}
    assert f"The old key, API key reader ({old}), may still work." in done.said
    assert f"The value of API key reader ({new}) is stored." in done.said
    assert not re.search("was created|been deleted", done.said), "nothing is said twice"


def test_a_second_mention_is_short_only_where_one_thing_can_be_meant() -> None:
    """It begins its sentence with a capital; if there are two things of the kind, each keeps its id."""
    first, second = (f"{number * 8}-0000-4000-8000-000000000000" for number in "12")
    assert tidy(f"Role binding {first} is kept. Role binding {first} was created.").endswith(
        ". That role binding was created."
    )
    both = (
        f"role binding {first} is kept because role binding {second} may be revoked. Role binding {first} was created."
    )
    assert tidy(both) == both


def test_messages_have_no_numbers_of_the_operating_system() -> None:
    """Also those of a look-up of a name, which are negative, and those of Windows."""
    for number in ("[Errno 111]", "[Errno -2]", "[WinError 10061]"):
        assert tidy(f"No connection to host: {number} refused") == "No connection to host: refused"


def test_a_change_of_a_role_that_ends_halfway_says_once_what_became_of_each_role() -> None:
    """The note of the workflow says it, and no sentence on a role binding repeats that."""
    with example_organization() as emulator:
        emulator.faults.add("delete_role_binding", status=500, times=None)
        who = ("--user", "ada@example.com", "--from", "search:ProjectViewer", "--to", "ProjectEditor")
        done = run("role", "change", *who, "--yes")
    assert done.exit == 9
    assert re.search(
        "ProjectEditor .* because the old role, ProjectViewer .*, may have been revoked. Run this again to finish. .PA",
        done.said,
    )


def test_a_refusal_that_may_be_about_the_own_account_names_it() -> None:
    """With an access token alone; whether its account or the role of it was given by name or by id."""
    with example_organization() as emulator, emulator.admin() as admin:
        account = next(each for each in admin.service_accounts.list() if each.name == "emulator")
        (binding,) = (each.id for each in admin.role_bindings.list() if each.principal_id == account.id)
        token = run("token", "--reveal").stdout.strip()
        env = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None, "PINECONE_ACCESS_TOKEN": token}
        for given in ("emulator", account.id):
            role = f"service-account:{given}:OrgOwner"
            for words in (
                ("role", "revoke", binding),
                ("role", "revoke", role),
                ("role", "change", "--service-account", given, "--from", "OrgOwner", "--to", "OrgMember"),
                ("service-account", "delete", given),
                ("service-account", "rotate", given, "--store", "file:new.key"),
            ):
                for option in ("--yes", "--dry-run"):
                    done = run(*words, option, env=env)
                    assert done.exit == 5, done
                    assert f"Service account emulator ({account.id}) may be the account you are using" in done.stderr


def test_a_question_on_a_role_binding_names_its_principal_and_its_project() -> None:
    """An id alone would not show whose role is revoked."""
    with example_organization() as emulator, emulator.admin() as admin:
        (binding,) = (
            each.id
            for each in admin.role_bindings.list()
            if each.principal_type == "user" and each.role == "ProjectViewer"
        )
        spelled = "user:ada@example.com:search:ProjectViewer"
        for given in (binding, spelled):
            asked = run("role", "revoke", given, terminal=True, stdin="n\n")
            assert f"About to: role revoke '{spelled}' ({binding})" in asked.said


@pytest.mark.parametrize("line", DELETIONS)
def test_the_result_of_a_deletion_has_the_name_that_was_given(line: str) -> None:
    """Of an id, it is null, unless the command reads what it deletes, as it does of a project."""
    _, shown = DELETIONS[line]
    with example_organization():
        done = run(*line.split()).json
    assert list(done) == ["done", "id", "name"]
    assert shown.endswith(f" {quote_name(done['name'])}")
    with example_organization():
        words = [done["id"] if number == 2 else word for number, word in enumerate(line.split())]  # the same, as then
        by_id = run(*words).json
    assert by_id == {**done, "name": done["name"] if line.startswith("project") else None}
