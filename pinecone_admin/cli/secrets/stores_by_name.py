"""Choose the place of each of many secrets by patterns, with placeholders for what a secret belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, NamedTuple

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import Secret, suggest
from pinecone_admin.cli.placeholder_syntax import names_of, parse_word
from pinecone_admin.cli.secrets.delivery import deliver_to
from pinecone_admin.cli.secrets.new_secret import StoreError
from pinecone_admin.cli.secrets.stores import STORE_FORMS, SecretStore, parse_store
from pinecone_admin.cli.session import Session
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin.workflows.readable_store import StoreByName

KINDS = ("api-key", "service-account")
_PLACE = re.compile(r"(?:env-file|file|exec):")
_RULE = re.compile(rf"(.+?)=({_PLACE.pattern}.*)", re.DOTALL)


class SecretOwner(NamedTuple):
    """What a secret belongs to.

    Attributes:
        kind: One of ``KINDS``.
        project: Name of the project of an API key; empty for a service account.
        name: Its name.
    """

    kind: str
    project: str
    name: str

    def __str__(self) -> str:
        return "/".join(filter(None, self))

    def fits(self, pattern: str) -> bool:
        """Return whether each part of a pattern fits; parts that it does not have fit."""
        parts = [each for each in self if each]
        patterns = pattern.split("/", len(parts) - 1)
        return all(map(fnmatchcase, parts, patterns))


class StoreRules:
    """The places of many secrets, as the values of ``--store`` say.

    Args:
        session: The session.
        replaces: Whether the secrets take the places of others.

    Raises:
        CLIError: A value is no place, its pattern fits no kind, or an earlier one fits everything.
    """

    def __init__(self, session: Session, *, replaces: bool) -> None:
        self._session, self._replaces = session, replaces
        self._rules = [_parse_rule(text) for text in session.settings.get("store", ())]
        if "*" in [pattern for pattern, _ in self._rules[:-1]]:
            raise CLIError("--store: the one for everything comes last: what follows it is never used")

    def find(self, owner: SecretOwner) -> SecretStore:
        """Return the place of a secret.

        Raises:
            StoreError: It has none, or a placeholder cannot be filled.
        """
        place = next((place for pattern, place in self._rules if owner.fits(pattern)), None)
        if place is None:
            raise StoreError("no pattern fits; a --store without a pattern is for all that come to it")
        return parse_store(
            place,
            allow_group=bool(self._session.settings.get("allow_group")),
            replaces=self._replaces,
            is_for_account=owner.kind == "service-account",
            interruptions=self._session.interruptions,
            fill=partial(_fill, owner=owner),
        )

    def check(self, owners: Sequence[SecretOwner]) -> None:
        """Raise CLIError if a secret cannot be stored, or would replace another one."""
        for problem in filter(None, self.find_problems(owners)):
            raise CLIError(problem, says_if_unchanged=True)

    def find_problems(self, owners: Sequence[SecretOwner], others: Iterable[SecretOwner] = ()) -> list[str | None]:
        """Return why each secret cannot be stored, or would replace another one; None for one that can be stored.

        Args:
            owners: What the secrets belong to that are to be made.
            others: What other secrets belong to, whose places must stay as they are.
        """
        places = [self._find_targets(owner) for owner in owners]
        taken: dict[tuple[str, ...], list[SecretOwner]] = {}
        for owner, targets in zip(owners, places, strict=True):
            for target in () if isinstance(targets, StoreError) else targets:
                taken.setdefault(target, []).append(owner)
        for owner in others:
            with suppress(StoreError):  # it is not stored now
                for target in self.find(owner).targets:
                    taken.setdefault(target, []).append(owner)
        return [
            f"--store, for {owner}: {targets}"
            if isinstance(targets, StoreError)
            else next(filter(None, (_describe_clash(taken[target]) for target in targets)), None)
            for owner, targets in zip(owners, places, strict=True)
        ]

    def _find_targets(self, owner: SecretOwner) -> Sequence[tuple[str, ...]] | StoreError:
        """Return the targets of a secret, or why it has none that can take it."""
        try:
            store = self.find(owner)
            store.check()
        except StoreError as error:
            return error
        return store.targets


class StoresByName(StoreByName):
    """The ``store`` of a command that makes many secrets.

    Args:
        session: The session.
        makes: The secrets that are made.
    """

    def __init__(self, session: Session, makes: Secret) -> None:
        self._session = session
        self._projects: dict[str, str] = {}
        self.rules: StoreRules = StoreRules(session, replaces=makes.replaces)

    def __call__(self, made: APIKeyWithSecret | ServiceAccountWithSecret) -> None:
        """Store the secret of what was made."""
        if isinstance(made, APIKeyWithSecret):
            selected = self.select_for_key(made.key)
        else:
            selected = self._select(SecretOwner("service-account", "", made.service_account.name))
        with selected as store:
            store(made)

    def find_problems(
        self, keys: Sequence[APIKey], others: Sequence[APIKey], projects: Mapping[str, str]
    ) -> dict[str, str]:
        """Return why the values of keys could not be stored, by the ids of these keys."""
        self._projects.update(projects)
        problems = self.rules.find_problems([*map(self._find_owner, keys)], map(self._find_owner, others))
        return {key.id: problem for key, problem in zip(keys, problems, strict=True) if problem is not None}

    def select_for_key(self, key: APIKey) -> AbstractContextManager[Callable[[Any], object]]:
        """Return a context with the ``store`` of the value of one key."""
        return self._select(self._find_owner(key))

    def select(self, kind: str, project: str, name: str) -> AbstractContextManager[Callable[[Any], object]]:
        """Return a context with the ``store`` of one secret that is to be made."""
        return self._select(SecretOwner(kind.replace("_", "-"), project, name))

    @contextmanager
    def _select(self, owner: SecretOwner) -> Generator[Callable[[Any], object], None, None]:
        with self._session.interruptions.held_by_one_secret():
            yield deliver_to(self.rules.find(owner), self._session)

    def _find_owner(self, key: APIKey) -> SecretOwner:
        if key.project_id not in self._projects:
            self._projects[key.project_id] = self._session.admin.projects.describe(project_id=key.project_id).name
        return SecretOwner("api-key", self._projects[key.project_id], key.name)


def _describe_clash(owners: Sequence[SecretOwner]) -> str | None:
    """Return what is wrong if several secrets have one place; None if it has only one."""
    if len(owners) == 1:
        return None
    return (
        f"--store: the secrets of {owners[0]} and {owners[1]} have the same place, where one would replace the other "
        "(case does not count): tell them apart by {project} and {name}, or by patterns, or rename one of them"
    )


def check_rules(session: Session, makes: Secret) -> None:
    """Raise CLIError, before anything is sent, unless ``--store`` says where secrets go."""
    StoreRules(session, replaces=makes.replaces)
    if "store" not in session.settings and not session.is_dry_run:
        raise CLIError(f"this makes secrets, which are shown only once: give --store {STORE_FORMS}, with placeholders")


def _parse_rule(text: str) -> tuple[str, str]:
    """Return the pattern and the place of ``PATTERN=PLACE``, or of a place alone, which is for everything."""
    rule = _RULE.fullmatch(text)
    if _PLACE.match(text):
        pattern, place = "*", text
    elif rule is not None:
        pattern, place = rule[1], rule[2]
    else:
        # The text is not repeated: it may be a secret that was pasted in the wrong place.
        raise CLIError(f"--store: a place for secrets is given as {STORE_FORMS}, perhaps after PATTERN=")
    kind = pattern.partition("/")[0]
    if not any(fnmatchcase(each, kind) for each in KINDS):
        raise CLIError(f"--store: a pattern is for KIND/PROJECT/NAME, and {kind!r} is no kind: {suggest(kind, KINDS)}")
    for name in names_of([parse_word(place)]) - set(SecretOwner._fields):
        raise CLIError(f"--store: there is no placeholder {{{name}}}: {suggest(name, SecretOwner._fields)}")
    return pattern, place


def _fill(text: str, *, owner: SecretOwner) -> str:
    return "".join(part if isinstance(part, str) else _find_value(owner, part.name) for part in parse_word(text))


def _find_value(owner: SecretOwner, placeholder: str) -> str:
    """Return what a placeholder stands for, which must be one segment of a path, and no option of a command."""
    value: str = owner._asdict()[placeholder]
    is_segment = value not in {"", ".", ".."} and value.isprintable() and not set(value) & set("/\\")
    if not is_segment or value.startswith(("-", "~")):
        raise StoreError(
            f"its {placeholder}, {value!r}, cannot stand for {{{placeholder}}}: it is empty, . or .., begins with - or "
            "~, or contains a slash, a backslash or a character that cannot be printed; give it a pattern of its own"
        )
    return value
