"""Every file that a command reads may hold anything: it ends in exit code 2 and one short line, or is used."""

from __future__ import annotations

import itertools
import json
import re
import signal
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin.cli.output.files import MAX_FILE_BYTES
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import Run, example_organization, run

LONG = "x" * 20_000
NESTED = 2_000
HOSTILE_JSON = (
    *("null", "true", '""', '" "', "[]", "{}", "[[]]", '{"a": {}}', "-1", "0", "1.5", "1e999", "-Infinity", "NaN"),
    *("9" * 5_000, "9" * 4_000, f'"{LONG}"', r'"\ud800"', r'"\u0000\u001b[2J"', r'"a\nb\u202e"'),
    *("[" * NESTED + "]" * NESTED, '{"a":' * NESTED + "1" + "}" * NESTED, f'{{"{LONG}": 1}}', f"[{'0, ' * 5_000}0]"),
    '{"a":' * 600 + "1" + "}" * 600,  # each version of Python reads this, and none could write it level by level
)
"""Values that JSON can express, or that ``json.loads`` takes."""
HOSTILE_YAML = (
    *HOSTILE_JSON,
    *(
        "0x" + "f" * 20_000,
        "? [a]\n: b",
        "{[a]: b}",
        "&a [*a]",
        "&a {b: *a}",
        "!!python/object:os.system x",
        "!!set {a}",
    ),
    *(
        "2027-13-99",
        "2027-01-31T00:00:00+99:99",
        "9999999-01-01",
        ".inf",
        "!!binary eA==",
        "!!binary x",
        "*none",
        "1:2:3",
    ),
    "&a [x,x,x,x,x,x,x,x,x]",
)
HOSTILE_TOML = (
    *(
        '""',
        '"\\u0000"',
        "0x" + "f" * 20_000,
        "9" * 5_000,
        "inf",
        "nan",
        "1e999",
        "[]",
        "{}",
        "[[]]",
        "true",
        f'"{LONG}"',
    ),
    *(
        "1979-05-27T07:32:00Z",
        "[1, 2]",
        '[""]',
        "[" * NESTED + "]" * NESTED,
        "{a = {b = 1}}",
        '"""\n"""',
        f"[{'0, ' * 5_000}0]",
    ),
)
LONG_STEP = 11
"""One of so many cases runs with --all; it has no factor in common with the numbers of values."""
WHOLE: tuple[str, ...] = (
    *(
        "",
        " ",
        "\n" * 5_000,
        "\x00",
        "\ufeff",
        LONG,
        "a,b\n" * 5_000,
        "'",
        '"',
        "{",
        "[",
        "email\n",
        "email\n@\n",
        "---\n---\n",
        "a: b: c",
    ),
    *("\r", f'email\n"{LONG}@x"\n', f'email\n"{LONG}"\n', "email\na@b@c\n", "@" * 1_000, '"' + "a\n" * 20_000),
    *(
        "PINECONE_CLIENT_ID='x",
        f"PINECONE_{LONG}='",
        f"PINECONE_CLIENT_ID={LONG}",
        "PINECONE_CONTROLLER_HOST=://",
        "= x",
    ),
    *("default = 1", "[profiles", f"[profiles.'{LONG}']", f"{LONG} = 1", "profiles = 1", "[profiles.p]\n" * 2),
    *(f"- {{kind: {each}, reason: y, until: 2027-01-31}}" for each in ("[a]", "{a: b}", "0x" + "f" * 5_000)),
    *(f"- {{kind: many-owners, reason: y, until: {each}}}" for each in ("[a]", "&a [*a]", "9" * 5_000, LONG)),
    *HOSTILE_YAML,
    *HOSTILE_TOML,
)
"""Texts that fill a file."""
BINARY = (b"\xff\xfe", b"\x80", b'{"a": "\xff"}', b"x" * (MAX_FILE_BYTES + 1))


def replace_each(document: Any, values: tuple[str, ...], step: int) -> Iterator[str]:
    """Yield JSON documents, in each of which one value is every so many of the others: of lists, in the first entry."""
    for place, value in itertools.islice(itertools.product(_places(document), values), 0, None, step):
        marked = json.loads(json.dumps(document))
        inner = marked
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = "@@@"
        yield json.dumps(marked).replace('"@@@"', value)


def _places(document: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = document.items() if isinstance(document, dict) else enumerate(document[:1])
    for key, value in entries:
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*before, key))


REFUSED_BEYOND: dict[str, set[int]] = {
    "a body": {1},  # by the server
    "an env file": {3},  # it says too little
    "a profile to use": {3},
    "profiles to use": {3},  # there is no such profile in it
    "profiles to remove from": {3},
    "a plan of projects": {5},  # it is of another organization
    "a plan of people": {5},
}
"""Exit codes of a refused file other than 2, by reader."""


OF_SEVERAL_LINES = {"a plan of projects", "a plan of people", "a list of people", "waivers"}
"""Readers of files that can have several problems; those of plans take an organization file, too."""


def check(done: Run, reader: str, what: object) -> None:
    """Check that a run used a file, or refused it in one short line that is no defect of the program."""
    if done.exit in {0, 8, 9}:
        return
    lines = done.stderr.splitlines()
    if reader in OF_SEVERAL_LINES and re.search(r" has \d+ problems\. ", lines[-1]):  # each has a line of its own
        assert all(line.isprintable() for line in lines)
        assert len(lines) <= 21
        lines = lines[-1:]
    assert done.exit in {2, *REFUSED_BEYOND.get(reader, ())}, (reader, what, done.exit, done.stderr[:500])
    assert len(lines) == 1, (reader, what, done.stderr[:500])
    assert len(lines[0]) <= 500, (reader, what, len(lines[0]), done.stderr[:500])
    assert lines[0].startswith("error: "), (reader, what, done.stderr[:500])
    assert lines[0].isprintable(), (reader, what, done.stderr[:500])


READERS: dict[str, tuple[str, ...]] = {
    "waivers": ("access", "--inventory", "{inventory}", "--waivers", "{file}"),
    "an inventory to review": ("access", "--inventory", "{file}"),
    "an inventory to compare": ("diff", "{inventory}", "{file}"),
    "a plan of projects": ("apply", "{file}", "--confirm", "99"),
    "a plan of people": ("apply", "{file}", "--confirm", "99"),
    "a list of people": ("user", "offboard", "--people", "{file}", "--dry-run"),
    "a body": ("send", "POST", "/admin/projects", "--body", "@{file}", "--yes"),
    "an env file": ("project", "list", "--env-file", "{file}"),
    "profiles to list": ("profile", "list"),
    "profiles to use": ("profile", "use", "p"),
    "profiles to remove from": ("profile", "remove", "p"),
    "a profile to use": ("project", "list", "--profile", "p"),
    "a state": ("emulator", "--port", "{port}", "--state", "{file}"),
}
OTHER_READERS: dict[str, tuple[str, ...]] = {
    "an organization": ("plan", "{file}"),
    "an organization to apply": ("apply", "{file}", "--dry-run"),
    "a base": ("plan", "{organization}", "--base", "{file}"),
    "an inventory to plan from": ("plan", "{organization}", "--inventory", "{file}"),
    "rows": ("each", "{file}", "--dry-run", "--", "user", "describe", "{{email}}"),
    "rows of keys": ("each", "{file}", "--dry-run", "--", "api-key", "create", "{{name}}", "--project", "{{project}}"),
    "an env file to store in": ("api-key", "create", "x", "--project", "search", "--store", "env-file:{file}#KEY"),
}
"""Readers that only the test of secrets needs, because tests of their own try them with anything."""
SECRET = "AWjFcQWK4uSMLD18EQdSP_0syQbDkhdXipz3fCJ403rAw49jlooFLqaAxK8SGNRd"
PASSWORD = "hunter2-Z"
OF_ANOTHER_KIND = (
    *("~", "~\n~\n", "email\n~\n", "email,~\n", "~,b\n1\n", "name\tproject\n~\n", '"~\n', "'~", "\n\n~"),
    *("PINECONE_CLIENT_SECRET=~\n", "export PINECONE_CLIENT_SECRET='~\n", "PINECONE_CLIENT_SECRET=$~ x\n", "KEY='~ x"),
    *("client_secret: ~\n", "- ~\n", "- client_secret: ~\n", "!~ x", "&~ x", "*~", "%~ 1", "a: [~", "{~"),
    *('"~"', '{"client_secret": "~"}', '[{"client_secret": "~"}]', '{"a": "~', '{"plan_of": "~"}'),
    *('client-secret = "~"\n', "client-secret = ~\n", '[profiles.p]\nclient-id = "x"\nclient-secret = "~"\n'),
    *('[profiles.p]\nclient-id = "~\n', '[profiles.p]\nclient-id = ["~"]\n'),
)
"""Files of other kinds, each with a secret in place of the sign: a file of secrets is given by mistake."""
WITH_MISPLACED_VALUE = (
    *(
        '["~"]',
        '[["~"]]',
        'default = "~"\n',
        "? ~",
        "~: 1\n",
        '{"~": 1}',
        '[{"~": 1}]',
        '"~" = 1\n',
        '[profiles."~ ~"]\nclient-id = "x"\n',
        "profiles = {p = '~'}\n",
    ),
    *("- {kind: ~, reason: y, until: 2027-01-31}", "- {kind: many-owners, reason: y, until: '~'}", "- {~: y}"),
    *("organization: x\nprojects: ~\n", "organization: x\nprojects: [{name: x, ~: 1}]\n"),
    *(f"organization: x\nprojects: [{{name: x, {each}: '~'}}]\n" for each in ("id", "max_pods", "api_keys", "until")),
    "organization: x\nprojects: [{name: x, api_keys: [{name: y, roles: ['~']}]}]\n",
    *(f"organization: x\npeople: [{{email: a@b.c, {each}}}]\n" for each in ("roles: ['~', '~']", "until: '~'")),
    *("organization: x\npeople: ['~']\n", "organization: x\npeople: [{email: '~'}]\n", "organization: ['~']\n"),
    *('{"plan_of": "projects.delete_stale", "version": "~"}', '{"plan_of": "apply", "version": 3, "~": "~"}'),
    *('{"plan_of": "apply", "version": 3, "changes": "~"}', '{"plan_of": "users.offboard_many", "version": ["~"]}'),
)
"""Files of the right kind whose value, or the name of a field, is a secret."""


class Files:
    """A file that commands read, and what else their words name.

    Args:
        folder: Where it is.
        port: A port that is in use, so that no emulator goes on to serve.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.inventory = folder / "inventory.json"
        self.organization = folder / "organization.json"
        self.organization.write_text('{"organization": "Example"}')
        (folder / "pinecone-admin").mkdir()
        self.file = folder / "pinecone-admin/profiles.toml"
        self.file.touch(mode=0o600)
        self._folder, self._port = folder, port

    def read(self, reader: str, content: str | bytes) -> Run:
        """Run the command of a reader on a file with a content."""
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        places = {"file": self.file, "inventory": self.inventory, "organization": self.organization}
        words = (each.format(**places, port=self._port) for each in (READERS | OTHER_READERS)[reader])
        return run(*words, env={"XDG_CONFIG_HOME": str(self._folder)})


@contextmanager
def _kept_handlers() -> Generator[None, None, None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@pytest.fixture
def files(tmp_path: Path) -> Generator[Files, None, None]:
    """Provide the files, an example organization, and an inventory of it."""
    with example_organization(), socket.create_server(("127.0.0.1", 0)) as busy, _kept_handlers():
        found = Files(tmp_path, busy.getsockname()[1])
        assert run("inventory", "--out", str(found.inventory)).exit == 0
        yield found


@pytest.mark.parametrize("reader", READERS)
def test_a_file_with_anything_in_it_is_refused_in_one_line(
    reader: str, files: Files, stride: Callable[[int], int]
) -> None:
    """For every content of a file, a reader fails only with one short line about the problem."""
    contents: list[str | bytes] = [*WHOLE, *BINARY]
    step = stride(4)  # four readers in a row get all contents between them
    for content in contents[list(READERS).index(reader) % step :: step]:
        check(files.read(reader, content), reader, content[:60])


@pytest.mark.parametrize("reader", READERS | OTHER_READERS)
def test_no_error_shows_what_a_file_of_another_kind_holds(
    reader: str, files: Files, stride: Callable[[int], int]
) -> None:
    """A file of secrets that is given in place of another one, or a secret in a wrong field, is in no log.

    Of a file of another kind nothing is shown. A value of the right file is shown if it is too short to be a secret
    of Pinecone.
    """
    texts = [
        *itertools.product(OF_ANOTHER_KIND, (SECRET, PASSWORD)),
        *((each, SECRET) for each in WITH_MISPLACED_VALUE),
    ]
    step = stride(5)
    refused = 0
    for text, secret in texts[list(READERS | OTHER_READERS).index(reader) % step :: step]:
        done = files.read(reader, text.replace("~", secret))
        assert secret[:8] not in done.stderr, (reader, text, done)
        refused += done.exit == 2
    assert refused * step > len(texts) / 2


@pytest.mark.long
def test_waivers_with_one_hostile_value_are_refused_in_one_line(files: Files, stride: Callable[[int], int]) -> None:
    """Each field of a waiver is replaced by some of the hostile values that YAML can express."""
    waivers = [{"kind": "many-owners", "key_id": "x", "reason": "y", "until": "2027-01-31"}]
    for text in replace_each(waivers, HOSTILE_YAML, stride(LONG_STEP)):
        check(files.read("waivers", text), "waivers", text[:200])


@pytest.mark.long
def test_profiles_with_one_hostile_value_are_refused_in_one_line(files: Files) -> None:
    """Each key of a profile, and one that it does not have, gets each hostile value that TOML can express."""
    profile = {"client-id": '"x"', "secret-command": '["echo", "y"]', "api-url": '"z"', "oauth-url": '"z"'}
    for value in HOSTILE_TOML:
        for key in ("default", *profile, "expect-organization", "unknown"):
            lines = {"default": '"p"', **profile, key: value}
            head = f"default = {lines.pop('default')}\n[profiles.p]\n"
            text = head + "".join(f"{name} = {each}\n" for name, each in lines.items())
            for reader in ("profiles to list", "profiles to remove from", "a profile to use"):
                check(files.read(reader, text), reader, (key, value[:60]))


@pytest.mark.long
def test_a_document_with_one_hostile_value_is_refused_in_one_line(
    files: Files, tmp_path: Path, stride: Callable[[int], int]
) -> None:
    """Each value of a plan, an inventory, a body and a state is replaced by some of the hostile ones."""
    stale, people = tmp_path / "stale", tmp_path / "people"
    (tmp_path / "list").write_text("ada@example.com\n")
    run("project", "create", "ci-1", "--yes")
    assert run("project", "stale", "--match", "*", "--older-than", "1s", "--out", str(stale), "--yes").exit == 0
    assert run("user", "offboard", "--people", str(tmp_path / "list"), "--out", str(people)).exit == 0
    documents = {
        "an inventory to review": json.loads(files.inventory.read_text()),
        "a plan of projects": json.loads(stale.read_text()),
        "a plan of people": json.loads(people.read_text()),
        "a body": {"name": "x", "max_pods": 1},
        "a state": Emulator(seed=0).dump(),
    }
    count = 0
    for reader, document in documents.items():
        for text in replace_each(document, HOSTILE_JSON, stride(LONG_STEP)):
            check(files.read(reader, text), reader, text[:2_000])
            count += 1
    assert count > 1_000 / LONG_STEP
