"""What a command is, as data: help, completion, documentation and the commands themselves are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

Effect: TypeAlias = Literal["reads", "changes", "deletes"]
"""What a command does to the organization."""

Kind: TypeAlias = Literal[
    "text",
    "integer",
    "flag",
    "switch",
    "duration",
    "choice",
    "thing",
    "thing_or_name",
    "principal",
    "resource",
    "role",
    "roles",
    "grants",
    "limit",
    "scope",
]
"""What a parameter takes.

A ``switch`` is a boolean that can also be left unset; a ``thing`` is an id or a name; a ``scope`` says only where the
name of another thing is looked up; ``role``, ``roles`` and ``grants`` are written as ``[PROJECT:]ROLE`` and
``TYPE:PRINCIPAL:ROLE``.
"""


class ParameterSpec(NamedTuple):
    """A parameter of a command.

    Attributes:
        name: Its name among the values of a command.
        option: Its spelling, such as ``--project``; empty if it is positional.
        kind: What it takes.
        help: One sentence.
        arguments: Arguments of the method that it supplies.
        required: Whether the command needs it.
        repeated: Whether it can be given several times.
        choices: The values that it can have, if they are few.
        noun: What kind of thing it names, such as ``project``.
        metavar: Placeholder of its value in the help; empty for the default of its kind.
    """

    name: str
    option: str
    kind: Kind
    help: str
    arguments: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = False
    choices: tuple[str, ...] = ()
    noun: str = ""
    metavar: str = ""


class CommandSpec(NamedTuple):
    """A command.

    Attributes:
        path: Its words, such as ``("project", "list")``.
        effect: What it does to the organization.
        summary: One sentence.
        example: A command line that works in an organization with the examples' names.
        details: Further paragraphs of its help.
        methods: Methods of the library that it covers, the one that it calls first.
        parameters: Its own parameters, without those that every command has.
        secret: What kind of secret it makes: ``api-key``, ``service-account``, or nothing.
        has_dry_run: Whether the method itself previews what it would do.
        confirms: Whether it deletes so much that the name must be typed.
        removes_own: Warning that is shown, and the name to be typed, if the command is about the account that it acts
            as; empty for none.
        makes_temporary_keys: Whether it makes API keys to read what projects contain, also where it changes nothing.
        module: Module that implements it as ``command``, if it is written by hand.
    """

    path: tuple[str, ...]
    effect: Effect
    summary: str
    example: str
    details: str = ""
    methods: tuple[str, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    secret: str = ""
    has_dry_run: bool = False
    confirms: bool = False
    removes_own: str = ""
    makes_temporary_keys: bool = False
    module: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether it is a workflow, which the same command completes after an interruption."""
        return self.has_dry_run and bool(self.methods)

    @property
    def name(self) -> str:
        """Its words, separated by spaces."""
        return " ".join(self.path)


NOUNS = {
    "organization": "Organizations that you belong to.",
    "project": "Projects, and everything in them.",
    "api-key": "API keys of projects.",
    "user": "People in the organization.",
    "invite": "Invitations to the organization.",
    "service-account": "Accounts of programs.",
    "role-binding": "Who holds which role.",
    "profile": "Saved identities, without their secrets.",
}
"""The groups of commands, each with its help, in the order of the help."""


def find_command(path: Sequence[str], commands: Sequence[CommandSpec]) -> CommandSpec | None:
    """Return the command with these words, if there is one."""
    return next((each for each in commands if each.path == tuple(path)), None)


def list_below(path: Sequence[str], commands: Sequence[CommandSpec]) -> list[str]:
    """Return the words that can follow: nouns in their order, then commands by name."""
    depth = len(path)
    words = {each.path[depth] for each in commands if len(each.path) > depth and each.path[:depth] == tuple(path)}
    nouns = [noun for noun in NOUNS if noun in words] if not path else []
    return [*nouns, *sorted(words - set(nouns))]
