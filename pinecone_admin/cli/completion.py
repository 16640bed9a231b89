"""Complete words in a shell: what is known offline, and, if a variable says so, the names of the organization."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
)

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.variables import COMPLETE_NAMES_VARIABLE, COMPLETION_VARIABLE, read_switch

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

_TIME_LIMIT = 2.0
"""Seconds that names may take: a person waits for them."""
_PLAIN = re.compile(r"[\w.:/@+=,-]*", re.ASCII)


class _TimeIsUp(BaseException):
    """Ends reading names; no clause for errors catches it, so that nothing is tried again."""


def run_completion(root: click.Command, program: str, settings: Mapping[str, Any], asked: str) -> int:
    """Print the words that complete the one in the variables of the shell, and return the exit code.

    Args:
        root: The root of all commands.
        program: Its name.
        settings: The settings of its context, among them the session.
        asked: What the shell asks for.
    """
    return shell_complete(root, dict(settings), program, COMPLETION_VARIABLE, asked)


def build_script(shell: str, program: str) -> str:
    """Return what makes a shell complete the words of a program; empty for a shell that is not known."""
    kind = get_completion_class(shell)
    return "" if kind is None else kind(click.Command(program), {}, program, COMPLETION_VARIABLE).source() + "\n"


@add_completion_class
class _Bash(BashComplete):
    """Bash, which makes words of their own of colons, and inserts a name as it is."""

    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that one, each whole."""
        args, incomplete = super().get_completion_args()
        words = list[str]()
        for word in [*args, incomplete]:
            if words and (set(word) == {":"} or words[-1].endswith(":")):
                words[-1] += word
            else:
                words.append(word)
        if words[-1] != incomplete:
            self._before = words[-1][: words[-1].rindex(":") + 1]
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return an item as bash replaces what it takes for a word by it."""
        value = str(item.value).removeprefix(self._before)
        return f"{item.type},{value if _PLAIN.fullmatch(value) else shlex.quote(value)}"


@add_completion_class
class _Zsh(ZshComplete):
    """Zsh, whose completion may not have been loaded where a new ``.zshrc`` has only our line."""

    source_template = ZshComplete.source_template.replace(
        "\n\n", "\n\n(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n\n", 1
    )


@add_completion_class
class _Fish(FishComplete):
    """Fish, where a name or a sentence does not end at a comma."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


def find_profiles(incomplete: str) -> list[CompletionItem]:
    """Return the names of profiles that complete one."""
    from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - only profiles need it

    try:
        names = load_profiles(find_profile_file()).by_name
    except CLIError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def find_kinds(incomplete: str) -> list[CompletionItem]:
    """Return the lists of kinds of findings that complete the last one."""
    from pinecone_admin.cli.help.explanations import FINDINGS  # noqa: PLC0415 - only findings need it

    before, comma, begun = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{kind}") for kind in ("any", *FINDINGS) if kind.startswith(begun)]


def find_names(session: Session, noun: str) -> list[str]:
    """Return names of things, where a variable says so: what goes wrong, or takes long, offers none."""
    if not read_switch(COMPLETE_NAMES_VARIABLE, session.env) or noun == "role-binding":
        return []
    from pinecone_admin.errors import PineconeError  # noqa: PLC0415 - as above

    try:
        names = _limit_time(lambda: session.names.list_names(noun))
    except (CLIError, PineconeError, OSError, ValueError, _TimeIsUp):
        return []
    return [name for name in names if name == make_printable(name)]


def _limit_time(read: Callable[[], list[str]]) -> list[str]:
    """Call a function, and stop it when the time is up, with a command that prints the secret."""
    import signal  # noqa: PLC0415 - only names need it

    def stop(*_: object) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _TIME_LIMIT)
    try:
        return read()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
