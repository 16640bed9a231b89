"""Variables in env files: one changes, and everything else stays as it is."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from pinecone_admin.cli.secrets.env_file_text import is_set, parse_env_file, read_variable, set_variables
from pinecone_admin.cli.secrets.new_secret import StoreError

REPLACED: dict[str, tuple[str, str]] = {
    "new file": ("", "KEY=new\n"),
    "appended": ("A=1\n", "A=1\nKEY=new\n"),
    "last line without a break": ("A=1", "A=1\nKEY=new\n"),
    "line breaks of Windows": ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\r\nB=2\r\n"),
    "appended with line breaks of Windows": ("A=1\r\nB=2", "A=1\r\nB=2\r\nKEY=new\r\n"),
    "comments and blank lines": ("# KEY=x\n\nKEY=old\n \n#", "# KEY=x\n\nKEY=new\n \n#"),
    "exported": ("  export KEY = 'a b'\nB=2", "  export KEY=new\nB=2"),
    "the last of several": ("KEY=1\nA=1\nKEY=2\n", "KEY=1\nA=1\nKEY=new\n"),
    "longer names": ("MY_KEY=1\nKEY_ID=2\n", "MY_KEY=1\nKEY_ID=2\nKEY=new\n"),
    "value of several lines": ('KEY="a\nb\\"\nc" # old\nB=2\n', "KEY=new\nB=2\n"),
    "inside another value": ("A='x\nKEY=no\ny'\nB=2\n", "A='x\nKEY=no\ny'\nB=2\nKEY=new\n"),
    "other bytes": ("A=\udcff\nKEY=\n", "A=\udcff\nKEY=new\n"),
}


def test_a_variable_is_set_if_it_has_a_value() -> None:
    """Quotes and comments are no value, neither to what reads a variable nor to what refuses to replace one."""
    for text in ("", "OTHER=x", "KEY=", "KEY= # none yet", "KEY='' # none", 'export KEY = "" #', "KEY=\t#x", "KEY=''"):
        assert (is_set(text.encode(), "KEY"), read_variable(text.encode(), "KEY")) == (False, ""), text
    for text in ("KEY=a # old", "KEY='a'", 'KEY = "a" # old', "KEY=\nKEY=a\n"):
        assert (is_set(text.encode(), "KEY"), read_variable(text.encode(), "KEY")) == (True, "a"), text


def test_an_identity_and_a_store_read_the_same_value() -> None:
    """What a store compares with a new secret is what commands would authenticate with."""
    for text in ("a", "'a b' # old", r'"a\"b\\c"', "a # old", "''"):
        line = f"export PINECONE_A={text}\n"
        value = parse_env_file(line, source="file")["PINECONE_A"]
        assert read_variable(line.encode(), "PINECONE_A") == value, text
    assert value == ""


def test_one_variable_changes() -> None:
    """The variable gets the new value where the file sets it, else at the end; every other byte stays."""
    for name, (before, after) in REPLACED.items():
        content = set_variables(before.encode(errors="surrogateescape"), {"KEY": "new"})
        assert content.decode(errors="surrogateescape") == after, name
        assert set_variables(content, {"KEY": "new"}) == content, name


def test_a_shell_reads_the_values_back() -> None:
    """A value with any characters that an env file can hold means the same to a shell that sources the file."""
    values = {"A": "pcsk_1a_B-c", "B": "".join(map(chr, range(32, 127))).replace("'", ""), "C": "$HOME `id` \\n #"}
    script = set_variables(b"", values).decode() + "".join(f'printf "%s\\n" "${name}"\n' for name in values)
    output = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == list(values.values()), shlex.quote(script)


def test_values_that_an_env_file_cannot_hold_are_refused() -> None:
    """A line break could set another variable, and quotes mean different things to different programs."""
    for value in ("a\nB=2", "it's", "\x00", "é", ""):
        with pytest.raises(StoreError, match="cannot hold"):
            set_variables(b"", {"KEY": value})
