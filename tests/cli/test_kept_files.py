"""A file that a command writes never replaces another one, unless that is asked for."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click
import httpx
import pytest

from pinecone_admin.emulator import Emulator
from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.example_runs import ORGANIZATION_FILE
from tests.cli.secret_makers import intercepted
from tests.support.sampling import some_daily

PLAN_STALE = ("project", "stale", "--match", "*", "--older-than", "1s", "--yes")
LINES: Mapping[tuple[str, str], Sequence[Sequence[str]]] = {
    ("access", "--csv"): [("access",)],
    ("access", "--html"): [("access",)],
    ("access", "--markdown"): [("access",)],
    ("apply", "--out"): [
        ("apply", "org.yaml", "--store", "file:{project}-{name}.key", "--yes"),
        ("apply", "org.yaml", "--dry-run"),
        ("apply", "plan.json", "--confirm", "1"),
        ("apply", "stale.json", "--confirm", "9"),
    ],
    ("each", "--failed-rows"): [("each", "people.csv", "--confirm", "1", "--", "project", "delete", "{email}")],
    ("export", "--out"): [("export",)],
    ("inventory", "--out"): [("inventory",)],
    ("plan", "--markdown"): [("plan", "org.yaml")],
    ("plan", "--out"): [("plan", "org.yaml")],
    ("project stale", "--out"): [PLAN_STALE],
    ("user offboard", "--out"): [
        ("user", "offboard", "--people", "people.csv"),
        ("user", "offboard", "ada@example.com", "--yes"),
        ("user", "offboard", "ada@example.com", "--dry-run"),
    ],
}
"""Command lines that write a file, by command and option."""

OF_A_SERVER = {("emulator", "--state"), ("emulator", "--ca-file")}
"""The emulator continues from its state, and makes a certificate at each start."""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Serve the organization of the examples to commands that run in a folder with files for them."""
    Path("org.yaml").write_text(ORGANIZATION_FILE)
    Path("people.csv").write_text("email\nada@example.com\n")
    with example_organization() as emulator:
        assert run("user", "offboard", "--people", "people.csv", "--out", "plan.json").exit == 0
        emulator.clock.advance(60)
        assert run(*PLAN_STALE, "--out", "stale.json").exit == 0
        yield emulator


def test_every_option_that_writes_a_file_is_known_and_has_overwrite_beside_it() -> None:
    """Every command that writes a file has the option to replace one, except for the emulator."""
    writing = {
        (spec.full_name, each.opts[0])
        for spec in COMMANDS
        for each in spec.own_params
        if isinstance(each, click.Option) and each.metavar == "FILE" and re.search(r"\b[Ww]rite\b", str(each.help))
    }
    assert writing == LINES.keys() | OF_A_SERVER
    with_option = {spec.full_name for spec in COMMANDS if any(each.name == "overwrite" for each in spec.own_params)}
    assert with_option - {"login"} == {name for name, _ in LINES}


def _add_file(words: Sequence[str], option: str, file: str, *more: str) -> list[str]:
    position = words.index("--") if "--" in words else len(words)
    return [*words[:position], option, file, *more, *words[position:]]


@pytest.mark.parametrize(("name", "option"), LINES)
def test_a_file_is_replaced_only_if_that_is_asked_for(emulator: Emulator, name: str, option: str) -> None:
    """A file that exists is refused before any request, and stays as it is; --overwrite replaces it."""
    before = len(emulator.requests)
    for words in LINES[name, option]:
        Path("former").write_text("what was there")
        done = run(*_add_file(words, option, "former"))
        assert (done.exit, done.stdout, Path("former").read_text()) == (2, "", "what was there"), words
        assert "former exists. Add --overwrite to replace it, or choose another name." in done.stderr
    assert len(emulator.requests) == before
    done = run(*_add_file(LINES[name, option][0], option, "former", "--overwrite"))
    assert Path("former").read_text() not in {"", "what was there"}, done.stderr
    assert Path("former").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a folder in which nobody can create a file, also if the tests run as root."""
    Path("closed").mkdir(mode=0o500)
    access, open_file = os.access, os.open

    def is_accessible(path: Path, mode: int) -> bool:
        return not (Path(path).name == "closed" and mode & os.W_OK) and access(path, mode)

    def open_outside(path: Path | str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT and Path(path).parent.name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return open_file(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "access", is_accessible)
    monkeypatch.setattr(os, "open", open_outside)
    return "closed"


NEW_KEY = ("api-key", "create", "x", "--project", "search", "--yes")
FURTHER_LINES: Mapping[str, Sequence[str]] = {
    "file:{}/new": (*NEW_KEY, "--store"),
    "env-file:{}/new#KEY": (*NEW_KEY, "--store"),
    "{}/new": ("project", "create", "x", "--yes", "--audit-log"),
}
"""Further command lines that write a file, by the form of the file."""


@pytest.mark.parametrize("folder", ["closed", "missing"])
def test_a_folder_that_takes_no_file_is_named_in_the_same_words_by_every_option(
    emulator: Emulator, closed: str, folder: str
) -> None:
    """Before any request; a report, a plan, the file of a secret, and the audit log."""
    assert closed == "closed"
    before = len(emulator.requests)
    reason = "is not writable" if folder == "closed" else "does not exist"
    lines = [_add_file(each, option, f"{folder}/new") for (_, option), some in LINES.items() for each in some]
    lines += [[*words, form.format(folder)] for form, words in FURTHER_LINES.items()]
    for words in lines:
        done = run(*words)
        assert (done.exit, done.stdout) == (2, ""), done
        assert f"{folder}/new cannot be written, because its folder {reason}." in done.stderr, done
    assert len(emulator.requests) == before


def test_no_file_replaces_what_the_command_reads(emulator: Emulator) -> None:
    """Also by another name of the file; nothing is sent."""
    Path("link.yaml").symlink_to("org.yaml")
    assert run("inventory", "--out", "inventory.json").exit == 0
    before = len(emulator.requests)
    for words, option, file in (
        (("plan", "org.yaml"), "--out", "org.yaml"),
        (("plan", "org.yaml"), "--markdown", "link.yaml"),
        (("plan", "org.yaml", "--base", "link.yaml"), "--out", "./org.yaml"),
        (("apply", "org.yaml", "--yes"), "--out", "org.yaml"),
        (("apply", "plan.json", "--confirm", "1"), "--out", "plan.json"),
        (("user", "offboard", "--people", "people.csv"), "--out", "people.csv"),
        (("access", "--inventory", "inventory.json"), "--html", "inventory.json"),
        (
            ("each", "people.csv", "--yes", "--", "user", "ensure", "{email}", "--role", "OrgMember"),
            "--failed-rows",
            "people.csv",
        ),
    ):
        kept = Path(file).read_bytes()
        done = run(*_add_file(words, option, file, "--overwrite"))
        assert (done.exit, "is read by the command, so choose another name" in done.stderr) == (2, True), done
        assert Path(file).read_bytes() == kept
    assert len(emulator.requests) == before


def test_a_plan_that_is_to_be_replaced_is_gone_if_the_new_one_fails(emulator: Emulator) -> None:
    """Nobody carries out the plan of yesterday, because the one of today was not made, whatever the reason.

    What is no plan stays, since the command has replaced nothing.
    """
    saved = Path("plan.json").read_text()
    reasons: Sequence[tuple[Sequence[str], Mapping[str, str | None]]] = (
        ((), {}),
        ((), {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}),
        (("--profile", "nobody"), {}),
        (("--expect-organization", "other"), {}),
    )
    for words, further in (
        (
            ("plan", "org.yaml"),
            ("--output=csv", "--base=missing.yaml", "--markdown=missing/file", "--markdown=today.json"),
        ),
        (PLAN_STALE, ("--read-only",)),
        (("user", "offboard", "--people", "people.csv"), ()),
    ):
        for options, env in (*reasons, *(((option,), {}) for option in further)):
            for former, stays in ((saved, False), ("notes", True)):
                Path("today.json").write_text(former)
                emulator.faults.add("list_projects", status=400, times=None)
                done = run(*words, "--out", "today.json", "--overwrite", *options, env=env)
                emulator.faults.clear()
                assert done.exit != 0, options
                assert Path("today.json").exists() == stays, (words, options, done)


MISTAKES = (("--bogus",), ("--json=x",), ("-o", "xml"), ("--query", "a b"), ("surplus", "words"), ("--query",))
"""What no command line can have."""


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("name", ["plan", "project stale", "user offboard"])
def test_a_plan_that_is_to_be_replaced_is_gone_after_a_mistake_in_the_command_line(name: str) -> None:
    """Also before the command begins; another file that the mistake would have replaced stays."""
    words = LINES[name, "--out"][0]
    saved = Path("plan.json").read_text()
    assert {each.full_name for each in COMMANDS if each.makes_plan} == {"plan", "project stale", "user offboard"}
    mistakes = [*MISTAKES, *([("somebody@example.com",)] if name == "user offboard" else [])]
    for mistake in mistakes:
        for named in (("--out", "today.json"), ("--out=today.json",)):
            Path("today.json").write_text(saved)
            kept = run(*words, *named, *mistake)
            assert (kept.exit, Path("today.json").read_text()) == (2, saved), kept
            done = run(*words, *named, "--overwrite", *mistake)
            assert (done.exit, Path("today.json").exists()) == (2, False), (mistake, done)
    Path("today.json").write_text("notes")
    assert run(*words, "--out", "today.json", "--overwrite", "--bogus").exit == 2
    assert Path("today.json").read_text() == "notes"


@pytest.mark.usefixtures("emulator")
def test_a_mistake_in_the_command_line_does_not_delete_what_the_command_reads() -> None:
    """As without the mistake, a plan that is an input, too, stays; of several outputs, none is left to be applied."""
    saved = Path("plan.json").read_text()
    for read in (("plan.json",), ("org.yaml", "--base", "./plan.json"), ("org.yaml", "--base=plan.json")):
        for mistake in ((), ("--bogus",)):
            done = run("plan", *read, "--out", "plan.json", "--overwrite", *mistake)
            assert (done.exit, Path("plan.json").read_text()) == (2, saved), (read, mistake)
    for name in ("one.json", "two.json"):
        Path(name).write_text(saved)
    assert run("plan", "org.yaml", "--out", "one.json", "--out=two.json", "--overwrite").exit == 2
    assert not [each for each in ("one.json", "two.json") if Path(each).exists()]


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize(
    "words", [words for (_, option), lines in LINES.items() if option == "--out" for words in lines], ids=" ".join
)
def test_a_file_takes_nothing_from_standard_output(words: Sequence[str], output: str) -> None:
    """With --out, also of a dry run, a command shows what it shows without it; only export writes to one of the two."""
    is_export = words[0] == "export"
    dry_run = ["--dry-run"] if words[0] == "apply" or words[:2] == ("user", "offboard") else []
    shown = []
    for options in ((), ("--out", "written.file")):
        done = run(*words, *dry_run, "-o", "yaml" if is_export else output, *options)
        assert done.exit == 0, done
        # Temporary keys have new ids, and the client computes the time of the server.
        shown.append(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|T[0-9]{2}:[0-9:.]+", "", done.stdout))
    assert shown[0]
    assert Path("written.file").read_text()
    assert shown[1] == ("" if is_export else shown[0])


FORMATS = [
    (spec.full_name, output, *options)
    for spec in COMMANDS
    for output in ("table", "json", "yaml", "csv", "raw")
    for options in ((), *([("--out", "written.file")] if any(each.name == "out" for each in spec.own_params) else []))
    if spec.full_name != "emulator"
]


@pytest.mark.parametrize("name", some_daily(sorted({each[0] for each in FORMATS}), 5))
def test_an_output_that_a_command_cannot_honour_is_refused_before_the_first_request(
    emulator: Emulator, name: str
) -> None:
    """No format, also with a file to write or with a query, is refused once something was read."""
    (spec,) = (each for each in COMMANDS if each.full_name == name)
    Path("run-tests").write_text("#!/bin/sh\n")
    Path("run-tests").chmod(0o700)
    assert run("inventory", "--out", "inventory.json").exit == 0
    for _, output, *options in (each for each in FORMATS if each[0] == name):
        for query in ((), ("--query", "x.y")):
            emulator.requests.clear()
            Path("written.file").unlink(missing_ok=True)
            words = [*shlex.split(spec.example)[1:]]
            place = words.index("--") if "--" in words else len(words)
            done = run(*words[:place], "-o", output, *options, *query, *words[place:], stdin=f"pcsk_{'x' * 60}")
            sent = [each for each in emulator.requests if each.operation_id != "get_token"]
            assert done.exit != 2 or not sent, (output, options, query, done)


@pytest.mark.usefixtures("emulator")
def test_a_format_is_no_file() -> None:
    """If you mean the format, a message names the option for it."""
    for word in ("json", "yaml", "csv", "table", "raw"):
        done = run("export", "--out", word)
        assert (done.exit, f"For the format, use -o {word}." in done.stderr) == (2, True)
        assert not Path(word).exists()


@pytest.mark.usefixtures("emulator")
def test_an_export_in_a_file_is_that_of_standard_output() -> None:
    """It is YAML or JSON, private, and plans nothing."""
    for output in ("yaml", "json"):
        assert run("export", "--out", f"org.{output}", "--overwrite", "-o", output).exit == 0
        assert Path(f"org.{output}").read_text() == run("export", "-o", output).stdout
        assert run("plan", f"org.{output}", "--fail-on-change").exit == 0
    assert run("export", "--out", "x", "-o", "csv").exit == 2


def test_options_of_a_file_are_refused_beside_another_plan(emulator: Emulator) -> None:
    """Nothing is done if an option would have no effect."""
    before = len(emulator.requests)
    for option in (("--base", "org.yaml"), ("--fix-drift",), ("--store", "file:{name}"), ("--allow-group",)):
        for plan in ("plan.json", "stale.json"):
            done = run("apply", plan, "--confirm", "9", *option)
            assert (
                done.exit,
                f"is not a plan of an organization file, so {option[0]} has no place here" in done.stderr,
            ) == (2, True)
    assert len(emulator.requests) == before


def test_old_spellings_are_refused_with_the_new_ones(emulator: Emulator) -> None:
    """Each old command and option of version 0.3 names its new one, before any request."""
    before = len(emulator.requests)
    for line, new in (
        ("project delete-stale plan.json", "project delete-stale is now apply PLAN."),
        ("plan org.yaml --save x", "--save is now --out."),
        ("inventory --save=x", "--save is now --out."),
        ("apply org.yaml --report x", "--report is now --out."),
        ("apply org.yaml --allow-removals 3", "--allow-removals is now --confirm."),
        ("user offboard --from people.csv", "--from is now --people."),
        ("user offboard --plan plan.json", "--plan is now the command apply PLAN."),
        ("user offboard a@example.com --save x", "--save is now --out."),
        ("project stale --save x", "--save is now --out."),
    ):
        done = run(*line.split())
        assert (done.exit, done.stderr.startswith(f"error: {new[:-1]}")) == (2, True), done
    assert len(emulator.requests) == before


@pytest.mark.usefixtures("emulator")
def test_the_plan_of_people_who_are_gone_is_kept() -> None:
    """The same lines run again, once the people are gone, leave what they had in the first plan and report."""
    remove = ("apply", "plan.json", "--confirm", "1", "--out", "report.json")
    assert run(*remove).exit == 0
    kept = [Path(name).read_bytes() for name in ("plan.json", "report.json")]
    assert run("user", "offboard", "--people", "people.csv", "--out", "plan.json").exit == 2
    assert run(*remove).exit == 2
    assert [Path(name).read_bytes() for name in ("plan.json", "report.json")] == kept


_WRITERS = (
    "inventory --out FILE",
    "access --html FILE",
    "project list --audit-log FILE",
    "each rows.csv --yes --failed-rows FILE -- project create {name}",
    "api-key create k --project search --yes --store file:FILE",
    "api-key create k --project search --yes --store env-file:FILE#K",
    "service-account rotate ci --yes --store file:FILE",
    "api-key rotate-due --older-than 1d --keep-old-for 1d --yes --store file:FILE-{project}-{name}",
)


@pytest.mark.parametrize("line", _WRITERS)
def test_every_file_that_cannot_be_written_for_its_folder_says_so_in_the_same_words(line: str) -> None:
    """The folder is missing, or it is a file; nothing is changed."""
    Path("rows.csv").write_text("name\nx\n")
    Path("taken").write_text("")
    with example_organization() as emulator:
        emulator.clock.advance(timedelta(days=2).total_seconds())
        for folder, reason in (("none", "its folder does not exist"), ("taken", "its folder is a file")):
            done = run(*line.replace("FILE", f"{folder}/x").split())
            assert done.exit != 0, done
            text = done.stdout + done.stderr  # rotate-due has it in its report
            assert re.search(rf"{folder}/x\S* cannot be written, because {reason}", text), done
        assert {each.method for each in emulator.requests if each.path.startswith("/admin")} <= {"GET"}


INTERRUPTED_RUNS: Mapping[str, tuple[str, ...]] = {
    "--failed-rows": ("each", "people.csv", "--yes", "--", "user", "ensure", "{email}", "--role", "OrgMember"),
    "--out": ("apply", "org.yaml", "--yes"),
}
"""Commands that go on with what an interrupted run left, and write a file; each by the option of the file."""


@pytest.mark.parametrize("option", INTERRUPTED_RUNS)
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interrupted_command_names_the_option_that_it_needs_to_go_on(option: str, *, overwrite: bool) -> None:
    """The command is run as the last line says; without another file, where one was written, it is refused."""
    own = INTERRUPTED_RUNS[option]

    def interrupt(request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        response = send()
        if request.method in {"POST", "DELETE"} and "oauth" not in str(request.url):
            os.kill(os.getpid(), signal.SIGINT)
        return response

    with example_organization() as emulator:
        organization = f"organization: {emulator.organization_id}\n"
        people = [f"{each}@example.com" for each in ("eve", "kim")]
        Path("org.yaml").write_text(
            f"{organization}projects: [{{name: docs}}]\n"
            "people: [{email: eve@example.com, roles: [OrgMember, docs:ProjectEditor]}]\n"
        )
        Path("people.csv").write_text("\n".join(["email", *people, ""]))

        def write_words(file: str) -> list[str]:
            options = [option, file, *(["--overwrite"] if overwrite else [])]
            return [*own[:2], *options, *own[2:]]

        with intercepted(interrupt):
            done = run(*write_words("first"))
        assert done.exit == 130
        said = done.stdout + done.stderr
        assert Path("first").exists()
        assert f"The same command{'' if overwrite else f' with another {option}'} does what is left." in said, done
        again = run(*write_words("first"))
        assert (again.exit != 0) == (not overwrite), again
        if not overwrite:
            assert "first exists." in again.stdout + again.stderr
            assert run(*write_words("second")).exit == 0
