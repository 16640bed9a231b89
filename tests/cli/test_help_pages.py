"""``help``, ``explain`` and ``completion``: what needs neither an account nor a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import click

from pinecone_admin.cli.commands import ROOT
from pinecone_admin.cli.failures import name_options
from pinecone_admin.cli.help.explanations import list_explanations
from pinecone_admin.cli.help.topics import TOPICS
from pinecone_admin.cli.nouns import NOUNS
from pinecone_admin.cli.parameters import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES
from pinecone_admin.workflows import DesiredState
from tests.cli.command_line import COMMANDS, example_organization, run

NOBODY = dict.fromkeys(("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET", "PINECONE_ACCESS_TOKEN", "HOME"))


def _complete(shell: str, *words: str) -> list[str]:
    """Return the words that a shell offers in place of the last one."""
    env = {"_PINECONE_ADMIN_COMPLETE": f"{shell}_complete", "COMP_WORDS": " ".join(("pinecone-admin", *words[:-1]))}
    # fish counts the incomplete word, the others its position.
    env["COMP_WORDS"] = " ".join(("pinecone-admin", *words)) if shell != "fish" else env["COMP_WORDS"]
    env["COMP_CWORD"] = words[-1] if shell == "fish" else f"{len(words)}"
    done = run(env={**NOBODY, **env})
    assert (done.exit, done.stderr) == (0, "")
    if shell == "zsh":
        return done.stdout.splitlines()[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in done.stdout.splitlines()]


def test_the_page_on_changes_names_the_commands_that_ask_for_more_than_yes() -> None:
    """The topics on questions name each command with a typed name, and those that create temporary keys."""
    page = " ".join(f"{TOPICS['changes']} {TOPICS['confirm']}".split())
    special = [each for each in COMMANDS if each.confirms or each.own_warning or each.makes_temporary_keys]
    beside = {"service-account rotate", "role change"}  # they are on the lines of those before them
    lacking = {each.full_name for each in special if each.full_name not in page}
    assert lacking == beside, f"pinecone_admin/cli/help/topics.py, changes or confirm: add {lacking - beside}"
    assert "role revoke, change" in page
    assert "service-account delete, rotate" in page
    with_flag = {
        (each.full_name, name.replace("_", "-"))
        for each in COMMANDS
        for name, facts in each.facts_with.items()
        if not facts.keys().isdisjoint({"confirms", "own_warning", "makes_temporary_keys"})
    }
    assert {name for name in with_flag if not re.search(f"{name[0]} [A-Z]+ --{name[1]}", page)} == set()
    assert "or --with-contents" in page


def test_no_line_of_a_help_ends_at_a_hyphen() -> None:
    """Words to type, such as an option, can be copied whole."""
    for words in _list_helps():
        for columns in ("80", "100"):
            lines = run(*words, "--help", env={"COLUMNS": columns}).stdout.splitlines()
            assert [line for line in lines if line.endswith("-")] == []
            assert not any("\N{NON-BREAKING HYPHEN}" in line for line in lines)
    broken = {name: line for name, page in TOPICS.items() for line in page.splitlines() if line.endswith("-")}
    assert broken == {}


def test_every_topic_and_their_list_fit_in_80_columns() -> None:
    """A terminal would break a longer line within a word."""
    texts = {name: run("help", *name, env={"COLUMNS": "80"}).stdout for name in [(), *((each,) for each in TOPICS)]}
    assert {name: line for name, text in texts.items() for line in text.splitlines() if len(line) > 80} == {}


def test_your_account_has_one_name_on_the_command_line() -> None:
    """No topic calls it the account of a client, and the words of the library are replaced."""
    pages = {name: re.search(r"(?<!-)\bclient\b(?!-|\s+(id|secret)\b)", page) for name, page in TOPICS.items()}
    assert {name for name, found in pages.items() if found} == set()
    assert name_options("it is the account of this client") == "it is the account you are using"


def test_no_help_is_longer_than_a_person_reads() -> None:
    """In 80 columns, every help has at most 40 lines and 250 words, and every topic 60 lines and 250 words."""
    helps = {words: run(*words, "--help", env={"COLUMNS": "80"}).stdout for words in _list_helps()}
    sizes = {words: (len(text.splitlines()), len(text.split())) for words, text in helps.items()}
    assert {words: size for words, size in sizes.items() if size[0] > 40 or size[1] > 250} == {}
    topics = {name: (len(page.splitlines()), len(page.split())) for name, page in TOPICS.items()}
    assert {name: size for name, size in topics.items() if size[0] > 60 or size[1] > 250} == {}


def _list_helps() -> list[tuple[str, ...]]:
    """Return the words of everything that has a help: the program, its nouns and its commands."""
    return [(), *((noun,) for noun in NOUNS), *(each.path for each in COMMANDS)]


HELPS = """
:user offboard
The plan has an entry for each person, in its list "reports".
:
Manage a Pinecone organization from the shell. Start with: pinecone-admin login
: access
Show who can do what, and what to look at in a review. Roles show what is allowed, not what was used.
--query findings -o csv lists the findings
--waivers FILE Findings you accept, each with a reason and an end date (help waivers).
: apply
Make the organization match a file, or carry out a plan. You see the steps and are asked first.
A plan is refused if it would no longer do what it shows. Run the command again after a failure
# Somebody else can apply a file of another organization at that time.
Do not run two calls for the same organization at the same time.
: plan
Show what apply would do. Nothing is changed.
# A list of 5,000 things would hide the changes.
What the file does not mention is counted last and never removed.
The organization file (help organization-file)
--base FILE The file as last applied. What someone changed since by hand is then shown as drift.
: export
Write the organization as a file for plan and apply.
The file holds no secrets, and two exports of the same state are equal.
: inventory
Read everything in the organization. --out also saves it to a file, which diff can compare later.
: diff
Show what changed since a saved inventory, or between two.
: api-key create
Create an API key. Its value can be read only now: store it, or print it with --reveal.
Without --role it may edit the project (ProjectEditor).
--store DESTINATION Where the secret goes: env-file:PATH#NAME, file:PATH or exec:COMMAND (help secrets).
--yes Do not ask. --confirm NAME Go ahead without the question; NAME is its answer. --dry-run Show what would happen, \
and stop.
: api-key rotate
Replace an API key with a new one that has the same name and roles.
The old key keeps working for --keep-old-for, then until delete-retired or rotate-due next runs.
# It also has the reason.
If the command fails, run it again with the id of the old key, because the name may mean the new key.
--keep-old-for TIME How long the old key is kept at least, such as 7d; 0 deletes it at once.
: api-key rotate-due
Rotate every API key that is older than --older-than.
The command also finishes what an earlier run left, and deletes old keys after their expiry time.
It is made for a nightly job: one key that fails does not stop the others.
# A service account has no project, so that {project} would be no example for apply, whose option this is, too.
--store DESTINATION Where each secret goes, such as 'file:{scope}-{name}.key'; needed to create any. {scope} \
is the project of a key, or the word service-account (help secrets).
: project delete
Delete a project. If the project has API keys, they are deleted with it, and you are asked for the name
--with-contents first deletes everything in the project, such as indexes,
--confirm NAME Go ahead without the question; NAME is its answer.
: project stale
Find old projects that tests left behind.
Nothing is deleted: --out writes a plan, which you read and shorten, and apply carries out.
To see what a project holds, a temporary API key is created in it and deleted again
: user offboard
Remove a person, and show which secrets to rotate.
Keep the output: afterwards nothing can show what the person could reach.
For many people: --people FILE --out PLAN
of the people who must stay, then apply it.
: user ensure
Give a person these roles: a member gets what is missing, anyone else an invite.
One role must be on the organization, such as OrgMember.
: service-account rotate
Replace the secret of a service account.
# A token of the old secret is accepted for some seconds more.
The old one stops working within seconds, so store the new one where its programs read it.
For the account you are using, you are asked for its name.
: service-account rotate-due
Rotate only this account, even if its secret is younger; can be repeated.
: role change
Replace one role by another. The new role is granted first, so access is never lost in between.
: each
Run a command once for each row of a CSV or JSON file. {email} stands for the column email.
# Standard input may have no end.
All rows are checked before the first one runs; rows of standard input are checked one by one.
A row that fails does not stop the others.
one line of JSON per row
--query selects from the result.
: token
Print an access token for other tools.
For example: curl -H "Authorization: Bearer $(pinecone-admin token --reveal)" URL
"""
"""What helps say before the first run, by command; behind # stands why one says it otherwise than its design."""


def test_helps_say_what_a_reader_needs_before_the_first_run() -> None:
    """Summaries and texts of options are these."""
    missing, text = list[str](), ""
    for line in HELPS.strip().splitlines():
        if line.startswith(":"):
            text = " ".join(run(*line[1:].split(), "--help", env={"COLUMNS": "80"}).stdout.split())
        elif not line.startswith("#") and line not in text:
            missing.append(line)
    assert missing == []


def test_a_help_leads_to_the_topics_that_say_more() -> None:
    """Common options, roles, places of secrets and the file have topics, which the help names."""
    for spec in COMMANDS:
        text = run(*spec.path, "--help", env={"COLUMNS": "80"}).stdout
        assert "Options of every command: pinecone-admin help options" in text
        assert "--audit-log" not in text.partition("Example:")[0] or spec.path == ("each",)
        assert set(spec.topics) <= TOPICS.keys()
        assert all(f"pinecone-admin help {topic}" in text.partition("See also: ")[2] for topic in spec.topics)
        takes_role = any("role" in str(each.name) for each in spec.own_params if isinstance(each, click.Option))
        assert not takes_role or "roles" in spec.topics, spec.full_name
    for option in [each for each in ROOT.params if not (isinstance(each, click.Option) and each.hidden)]:
        assert option.opts[0] in TOPICS["options"] or option.opts == ["--version"]
    assert {*API_KEY_ROLES, *ORGANIZATION_ROLES, *PROJECT_ROLES} <= set(re.findall(r"\w+", TOPICS["roles"]))


def test_the_file_of_the_topic_is_one() -> None:
    """The whole example of the organization file is read without a problem, and planned."""
    lines = [line for line in TOPICS["organization-file"].splitlines() if line.startswith("  ")]
    state = DesiredState.from_text(dedent("\n".join(lines)))
    assert {each.name for each in state.projects or ()} == {"search"}
    with example_organization():
        Path("org.yaml").write_text(dedent("\n".join(lines)).replace("Acme", "Emulated Organization"))
        planned = run("plan", "org.yaml")
        assert planned.exit == 0, planned.stderr


def test_each_shell_completes_commands_options_and_choices() -> None:
    """A word that has begun is completed, offline, as the same command in every shell."""
    for shell in ("bash", "zsh", "fish"):
        assert _complete(shell, "proj") == ["project"]
        assert "provision" in _complete(shell, "project", "")
        assert _complete(shell, "project", "prov") == ["provision"]
        assert _complete(shell, "access", "--fail") == ["--fail-on"]
        assert _complete(shell, "access", "--level", "w") == ["writes"]
        assert _complete(shell, "access", "--output", "j") == ["json"]
        assert _complete(shell, "explain", "many") == ["many-owners"]
        assert _complete(shell, "explain", "pa60") == [each.code for each in list_explanations() if "PA60" in each.code]
        assert _complete(shell, "help", "wai") == ["waivers"]
        assert _complete(shell, "help", "proj") == ["project"]
        assert _complete(shell, "help", "project", "prov") == ["provision"]


def test_the_script_of_each_shell_calls_the_program() -> None:
    """Each script names the program and its variable."""
    for shell in ("bash", "zsh", "fish"):
        done = run("completion", shell, env=NOBODY)
        assert (done.exit, done.stderr) == (0, "")
        assert f"_PINECONE_ADMIN_COMPLETE={shell}_complete" in done.stdout
        assert "pinecone-admin" in done.stdout
    assert run("completion", "tcsh").exit == 2


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    """In bash, the script registers a function that offers the commands."""
    program = tmp_path / "pinecone-admin"
    program.write_text(f"#!{sys.executable}\nfrom pinecone_admin.cli.main import run\nrun()\n")
    program.chmod(0o755)
    script = """
        eval "$(pinecone-admin completion bash)"
        COMP_WORDS=(pinecone-admin project pro) COMP_CWORD=2
        _pinecone_admin_completion pinecone-admin
        echo "${COMPREPLY[@]}"
    """
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=env)
    assert done.stdout.split() == ["provision"], done


def test_help_lists_topics_and_shows_them_and_commands() -> None:
    """Help shows each topic by its name, and the help of each command by its words; others are refused."""
    listed = run("help", env=NOBODY)
    assert (listed.exit, listed.stderr) == (0, "")
    assert all(name in listed.stdout for name in TOPICS)
    for name, page in TOPICS.items():
        assert run("help", name, env=NOBODY).stdout == page
    for words in (("nothing",), ("project", "nothing"), ("access", "nothing")):
        done = run("help", *words)
        assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (4, "", 1)


def test_help_shows_a_command_as_the_command_shows_itself() -> None:
    """To the line break: no word to type ends at a hyphen in one of them."""
    for words in filter(None, _list_helps()):
        assert run("help", *words).stdout == run(*words, "--help").stdout, words


def test_help_names_every_argument_and_option() -> None:
    """The help of each command explains its arguments, and that of the program has the option for the version."""
    assert "--version" in run("--help", env=NOBODY).stdout
    for spec in COMMANDS:
        arguments = [each for each in spec.params if isinstance(each, click.Argument)]
        assert all(each.help for each in arguments), spec.full_name


def test_a_code_is_explained_in_text_and_as_data() -> None:
    """A code has its meaning and what to do, on a terminal as text, elsewhere as data; an unknown one exits with 4."""
    for written in ("pa205", "[PA205]", "PA205"):  # an error ends in it in brackets
        done = run("explain", written, env=NOBODY)
        assert done.json["code"] == "PA205"
    shown = run("explain", "many-owners", terminal=True, env=NOBODY)
    assert shown.stdout.startswith("many-owners: The organization has many owners.")
    assert "What to do:" in shown.stdout
    assert {"PA205", "exit-8", "many-owners"} < {each["code"] for each in run("explain").json}
    assert run("explain", "PA999").exit == 4


def test_pages_of_help_name_only_commands_and_options_that_exist() -> None:
    """Every command that a page of help or an explanation names is one, with the options that it is given."""
    texts = [*TOPICS.values(), *(" ".join(each) for each in list_explanations())]
    names = {each.full_name for each in COMMANDS} | {each.path[0] for each in COMMANDS}
    for text in texts:
        for part in text.split("pinecone-admin ")[1:]:
            words = part.replace("\n", " ").split()
            assert words[0].strip(".,") in names or " ".join(words[:2]).strip(".,") in names, part


def test_help_explain_and_completion_load_no_client() -> None:
    """None of these commands loads httpx, the client or rich."""
    code = (
        "import io, sys, json\n"
        "from pinecone_admin.cli.main import main\n"
        "real, sys.stdout = sys.stdout, io.StringIO()\n"
        "for words in (['help'], ['help', 'secrets'], ['explain', 'PA205'], ['completion', 'bash'],\n"
        "              ['access', '--help'], ['emulator', '--help'], ['help', 'user', 'offboard']):\n"
        "    assert main(words) == 0, words\n"
        "names = ('httpx', 'rich', 'pinecone_admin._sync', 'pinecone_admin.emulator.emulator', 'attrs')\n"
        "print(json.dumps([each for each in names if each in sys.modules]), file=real, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
