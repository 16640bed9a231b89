"""Env files: what is read in them, and that one variable changes while everything else stays as it is."""

from __future__ import annotations

import io
import shlex
import subprocess

import pytest
from dotenv import dotenv_values

from pinecone_admin.cli.failures import StoreError
from pinecone_admin.cli.secrets.env_file_text import parse_env_file, read_env_file, set_variables

REPLACED: dict[str, tuple[str, str]] = {
    "new file": ("", "KEY=new\n"),
    "appended": ("A=1\n", "A=1\nKEY=new\n"),
    "last line without a break": ("A=1", "A=1\nKEY=new\n"),
    "line breaks of Windows": ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\r\nB=2\r\n"),
    "appended with line breaks of Windows": ("A=1\r\nB=2", "A=1\r\nB=2\r\nKEY=new\r\n"),
    "byte order mark": ("\ufeffKEY=old\nA=1\n", "\ufeffKEY=new\nA=1\n"),
    "byte order mark alone": ("\ufeff", "\ufeffKEY=new\n"),
    "comments and blank lines": ("# KEY=x\n\nKEY=old\n \n#", "# KEY=x\n\nKEY=new\n \n#"),
    "comment with a quote": ("# it's\nKEY=old\n", "# it's\nKEY=new\n"),
    "exported": ("  export KEY='a b'\nB=2", "  export KEY=new\nB=2"),
    "spaces elsewhere": ("A = 1\nKEY=old\n", "A = 1\nKEY=new\n"),
    "several elsewhere": ("A=1\nA=2\nKEY=old\n", "A=1\nA=2\nKEY=new\n"),
    "comment behind a value": ("KEY=old  # note's \nB=2\n", "KEY=new  # note's \nB=2\n"),
    "comment behind a quoted value": ("KEY='a # b'\t# note\r\nB=2\r\n", "KEY=new\t# note\r\nB=2\r\n"),
    "comment behind an unclear value": ('KEY="$A # x" # note\n', "KEY=new # note\n"),
    "sharp in a value": ("KEY=a#b\n", "KEY=new\n"),
    "sharp in a quoted value": ("KEY='a # b'\n", "KEY=new\n"),
    "no value": ("KEY= \n", "KEY=new\n"),
    "sharp at the beginning of a value": ("KEY=#a\n", "KEY=new\n"),
    "comment without a value": ("A=1\nKEY= # note\n", "A=1\nKEY=new # note\n"),
    "exported with tabs": ("\texport\tKEY=old\nB=2\n", "\texport\tKEY=new\nB=2\n"),
    "longer names": ("MY_KEY=1\nKEY_ID=2\n", "MY_KEY=1\nKEY_ID=2\nKEY=new\n"),
    "names with dots": ("KEY.a=1\nMY.KEY=2\n", "KEY.a=1\nMY.KEY=2\nKEY=new\n"),
    "name in capitals": ("key=1\n", "key=1\nKEY=new\n"),
    "value of several lines": ('KEY="a\nb\\"\nc" # old\nB=2\n', "KEY=new # old\nB=2\n"),
    "inside another value": ("A='x\nKEY=no\ny'\nB=2\n", "A='x\nKEY=no\ny'\nB=2\nKEY=new\n"),
    "inside a value whose name has a dot": ('a.b="x\nKEY=no\ny"\n', 'a.b="x\nKEY=no\ny"\nKEY=new\n'),
    "value with a variable": ('A="$HOME"\nKEY="$A"\n', 'A="$HOME"\nKEY=new\n'),
    "equals signs": ("A=b=c\nKEY=a==\n", "A=b=c\nKEY=new\n"),
    "lines of a shell": ("set -a\n. ./other\nA=1\n", "set -a\n. ./other\nA=1\nKEY=new\n"),
    "lines about the variable": (
        "A=1\n#KEY: no\n# KEY\necho KEY\nKEYS\nKEYS: 1\nKEY=old\n",
        "A=1\n#KEY: no\n# KEY\necho KEY\nKEYS\nKEYS: 1\nKEY=new\n",
    ),
    "lone carriage return": ("A=1\rB=2\nKEY=old\n", "A=1\rB=2\nKEY=new\n"),
    "lines that do not go on": ("A=x\\\\\nKEY=old\n# \\\n", "A=x\\\\\nKEY=new\n# \\\n"),
    "line that goes on elsewhere": ("A=x\\\ny\nKEY=old\n", "A=x\\\ny\nKEY=new\n"),
    "other bytes": ("A=\udcff\nKEY=\n", "A=\udcff\nKEY=new\n"),
}
REFUSED: dict[str, tuple[str, str]] = {
    "open double quote": ('A="x\nKEY=old\n', "line 1 has a quote that is not closed"),
    "open single quote": ("B=1\nA='x\nKEY=old\n", "line 2 has a quote that is not closed"),
    "the open quote of the variable": ("B=1\n\nKEY='old\n", "line 3 has a quote that is not closed"),
    "value that goes on": ("KEY=old\\\nmore\n", "line 1 goes on in the next line"),
    "last line that goes on": ("A=1\nB=x\\\n", "line 2 goes on in the next line"),
    "last line that goes on and has no break": ("A=1\nB=x\\", "line 2 goes on in the next line"),
    "line that goes on in the variable": ("A=x\\\\\\\n  export KEY=old\n", "line 1 goes on in the next line"),
    "command that goes on in the variable": ("B=1\r\nprintf x \\\r\nKEY=old\r\n", "line 2 goes on in the next line"),
    "twice": ("KEY=1\nA=1\nexport KEY=2\n", "lines 1 and 3 set KEY: remove all but one of them first"),
    "three times": ("KEY=\nKEY=\nKEY=1\n", "lines 1, 2 and 3 set KEY"),
    "space before the equals sign": ("A=1\nKEY =old\n", "line 2 has spaces beside the equals sign"),
    "space behind the equals sign": ("KEY=\t'old'\n", "line 1 has spaces beside the equals sign"),
    "spaces on both sides": ("export KEY = old\n", "line 1 has spaces beside the equals sign"),
    "second of two in a line": ("export A=1 KEY=old\n", "line 1 is about KEY for some programs"),
    "behind a semicolon": ("A=1;KEY=old\n", "line 1 is about KEY for some programs"),
    "declared": ("A=1\ndeclare -x KEY=old\n", "line 2 is about KEY for some programs"),
    "added to": ("A=1\ntrue && KEY+=old\n", "line 2 is about KEY for some programs"),
    "a name alone": ("A=1\n\nKEY\n", "line 3 is about KEY for some programs"),
    "a name alone at the end": ("A=1\r\nKEY \r\nKEY=old\r\nKEY", "line 4 is about KEY for some programs"),
    "exported below": ("KEY=old\nexport KEY\n", "line 2 is about KEY for some programs"),
    "a colon": ("A=1\n KEY: old\n", "line 2 is about KEY for some programs"),
    "a colon behind export": ("A='\n'\nexport KEY : old\n", "line 3 is about KEY for some programs"),
    "YAML": ("organization: X\nprojects: []\n", "it is no env file"),
    "JSON": ('{"organization": "X"}\n', "it is no env file"),
    "UTF-16": ("A=1\n".encode("utf-16").decode("latin-1"), "it is no env file"),
    "carriage return without a line feed at the end": (
        "A=1\r",
        r"such as a carriage return or U\+2028. Remove that",
    ),
}


def test_a_variable_is_set_if_it_has_a_value() -> None:
    """Quotes and comments are no value, neither to what reads a variable nor to what refuses to replace one."""
    for text in ("", "OTHER=x", "KEY=", "KEY= # none yet", "KEY='' # none", 'export KEY = "" #', "KEY=\t#x", "KEY=''"):
        file = read_env_file(text.encode())
        assert (file.may_set("KEY"), file.read("KEY")) == (False, ""), text
    for text in ("KEY=a # old", "KEY='a'", 'KEY = "a" # old', "KEY=\nKEY=a\n", "\ufeffKEY=a", "KEY=a\r\n"):
        file = read_env_file(text.encode())
        assert (file.may_set("KEY"), file.read("KEY")) == (True, "a"), text
    for text in ("export A=1 KEY=a", "A=1; KEY=a", 'KEY="$A"', "declare KEY=a", "KEY='a", "KEY", "KEY: a"):
        assert read_env_file(text.encode()).may_set("KEY"), text


def test_an_identity_and_a_store_read_the_same_value() -> None:
    """A store compares a new secret with the secret that commands would use."""
    for text in ("a", "'a b' # old", r'"a\"b\\c"', "a # old", "'several\nlines'", "#", "''"):
        line = f"export PINECONE_A={text}\n"
        value = parse_env_file(line, source="file")["PINECONE_A"]
        assert read_env_file(line.encode()).read("PINECONE_A") == value, text
    assert value == ""


def test_one_variable_changes() -> None:
    """The variable gets the new value where the file sets it, else at the end; every other byte stays."""
    for name, (before, after) in REPLACED.items():
        content = set_variables(before.encode(errors="surrogateescape"), {"KEY": "new"})
        assert content.decode(errors="surrogateescape") == after, name
        assert set_variables(content, {"KEY": "new"}) == content, name


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_programs_read_differently_is_not_changed(name: str) -> None:
    """A new line after an open quote, or beside a second assignment, would mean something else to some of them."""
    before, reason = REFUSED[name]
    encoding = "latin-1" if name == "UTF-16" else "utf-8"
    with pytest.raises(StoreError, match=reason):
        set_variables(before.encode(encoding), {"KEY": "new"})


def test_a_shell_and_python_dotenv_read_the_new_value() -> None:
    """Wherever the variable and its comment stand, both read the new value, and nothing of the old one."""
    for name in ("exported", "comment behind a value", "comment behind a quoted value", "comment without a value"):
        content = set_variables(REPLACED[name][0].replace("\r", "").encode(), {"KEY": "new"}).decode()
        shell = subprocess.run(["sh", "-c", f'{content}\nprintf %s "$KEY"'], capture_output=True, text=True, check=True)
        assert (shell.stdout, dotenv_values(stream=io.StringIO(content))["KEY"]) == ("new", "new"), name


def test_python_dotenv_reads_the_same() -> None:
    """A widespread reader has the same values before and after a change, as far as these do not depend on a reader."""
    # Where python-dotenv ends a line at a lone carriage return, and reads a comment behind no value as the value.
    differs = {"lone carriage return", "other bytes"}
    for name, texts in REPLACED.items():
        for text in texts if name not in differs else ():
            expected = dotenv_values(stream=io.StringIO(text.removeprefix("\ufeff")), interpolate=False)
            found = {each.name: each.value for each in read_env_file(text.encode()).assignments}
            certain = {variable: value for variable, value in found.items() if value is not None}
            assert certain == {variable: expected[variable] for variable in certain}, name
            assert found.keys() == {variable for variable, value in expected.items() if value is not None}, name


def test_a_shell_reads_the_values_back() -> None:
    """A value with any characters that an env file can hold means the same to a shell that sources the file."""
    printable = "".join(map(chr, range(32, 127))).replace("'", "").replace("\\", "")
    values = {"A": "pcsk_1a_B-c", "B": printable, "C": "$HOME `id` #"}
    content = set_variables(b"", values).decode()
    script = content + "".join(f'printf "%s\\n" "${name}"\n' for name in values)
    output = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == list(values.values()), shlex.quote(script)
    assert dotenv_values(stream=io.StringIO(content), interpolate=False) == values


def test_values_that_an_env_file_cannot_hold_are_refused() -> None:
    """A line break could set another variable; quotes and backslashes mean different things to different programs."""
    for value in ("a\nB=2", "it's", "\x00", "é", "a\\\\b c", ""):
        with pytest.raises(StoreError, match="cannot hold"):
            set_variables(b"", {"KEY": value})
