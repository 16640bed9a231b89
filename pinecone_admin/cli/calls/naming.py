"""Find the things that ids and names on the command line mean."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import RLock
from typing import Any, TypeVar, cast

from attrs import evolve, frozen

from pinecone_admin import Admin
from pinecone_admin._concurrency.locks import ensure_released
from pinecone_admin._http.argument_checks import is_key_value
from pinecone_admin._http.lookup import DIFFERS_IN_FORM, find_named, is_same_email
from pinecone_admin._text.counts import count_noun, pluralize
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.documents import KeyOfProject, NamedBinding
from pinecone_admin.cli.parameters import (
    Reference,
    WantedRole,
    find_nearest,
    is_id,
    parse_binding,
    spell_noun,
)
from pinecone_admin.cli.sentences import join_sentences, list_words, name_ids
from pinecone_admin.errors import AmbiguousNameError, NotFoundError, PineconeError
from pinecone_admin.models import RoleBinding
from pinecone_admin.workflows.sent_changes import SentChange

_T = TypeVar("_T")
_OWN_OR_OWNER = ("id", "project_id", "resource_id", "principal_id")
"""Fields with the id of a thing, or of one that it goes with."""


@frozen
class Thing:
    """A thing that was named on the command line.

    Attributes:
        noun: Its kind, such as ``project``.
        id: Its id.
        name: Its name or email address, or None if only the id was given and nothing was looked up.
    """

    noun: str
    id: str
    name: str | None = None

    @property
    def api_type(self) -> Any:
        """Its type in the API, such as ``service_account``."""
        return self.noun.replace("-", "_")

    def __str__(self) -> str:
        return describe_resource(spell_noun(self.noun), self.name or None, self.id)


_OTHER_STATES: Mapping[str, tuple[str, str]] = {
    "user": ("invite", "an invite"),
    "invite": ("user", "a user, since the person has joined"),
}
"""What a person can be instead of a user or an invite: the noun, and how messages call it."""


class NameLookup:
    """Finds things by id or name, reading each list once.

    Args:
        admin: The client.
        note: Function that is called with the id and the name of each thing that was found.

    Attributes:
        lists_users: Whether all users are read once, and not one for each address.
    """

    def __init__(self, admin: Admin, note: Callable[[str, str | None], object]) -> None:
        self._admin = admin
        self._note = note
        self.lists_users: bool = False
        self._lists: dict[tuple[str, str | None], list[Any]] = {}
        self._lock = RLock()  # rows look for names in threads

    def find(self, noun: str, text: str, *, project: str | None = None) -> Thing:
        """Return the thing that an id or an exact name means.

        Args:
            noun: Its kind.
            text: Id, name or email address.
            project: Id of the project to look for an API key in; None for all projects.

        Raises:
            CLIError: Nothing has the id or the name, several things have the name, or it is the value of an API key.
        """
        if is_id(text):
            return Thing(noun, text)
        if is_key_value(text):
            raise CLIError(
                "This is the value of an API key, which cannot be looked up. Give the id or the name of the key."
            )
        if noun == "role-binding" and ":" in text:
            return self._find_binding(text)
        items = self._candidates(noun, text, project)
        by_id = [item for item in items if item.id == text]
        if noun == "api-key":
            from pinecone_admin.workflows.retired_keys import find_keys_by_name  # noqa: PLC0415 - others have no tags

            by_name = find_keys_by_name(text, items)
        else:
            by_name = _matching(items, text)
        if noun in _OTHER_STATES and not (by_id or by_name):
            other, found_instead = _OTHER_STATES[noun]
            people: Mapping[str, list[Any]] = {}
            with suppress(PineconeError):
                people = self.list_people(text)
            by_name = people.get(noun, [])  # somebody may have joined meanwhile
            if not by_name and any(getattr(each, "status", "pending") == "pending" for each in people.get(other, [])):
                message = (
                    f"There is no {noun} {quote_name(text)} that this account can see, but {found_instead}. "
                    f"Use {other} in place of {noun}."
                )
                raise CLIError(message, cause=NotFoundError)
        describe = partial(self._describe_choice, noun)
        found = require_one(by_id or by_name, noun, text, names=map(_name_of, items), describe=describe)
        self._note(found.id, _name_of(found))
        return Thing(noun, found.id, _name_of(found))

    def list_people(self, email: str) -> dict[str, list[Any]]:
        """Return the users and the invites with an email address, by their nouns; there may be none.

        The users are read after the invites, so that nobody is missed who accepts an invite meanwhile.
        """
        from pinecone_admin._sync.workflows.read_people import PeopleList, read_people  # noqa: PLC0415 - as above

        def read(kind: PeopleList) -> list[Any]:
            if kind == "users" and "@" in email:  # not those that were read before the invites
                return _matching(self._admin.users.list(email=email), email)
            return _matching(self._candidates("user" if kind == "users" else "invite", email, None), email)

        invites, users = read_people(read)
        return {"user": cast("list[Any]", users), "invite": cast("list[Any]", invites)}

    def describe_namesakes(self, noun: str, name: str, *, project: str | None = None) -> list[str]:
        """Return the id of each thing that an ``ensure`` would find by a name, with its age.

        Nothing is found if the account may not read what there is.

        Args:
            noun: Their kind.
            name: The name.
            project: Id of the project of API keys.
        """
        from pinecone_admin.cli.identity.caller import read_if_allowed  # noqa: PLC0415 - a list needs no caller

        items = [*(read_if_allowed(partial(self._candidates, noun, name, project)) or [])]
        if noun == "api-key":
            from pinecone_admin.workflows.retired_keys import find_successors_to_rename  # noqa: PLC0415 - as above

            renamed = find_successors_to_rename(items)
            items[:] = [renamed.get(each.id, each) for each in items]
        return [
            _describe_age(each)
            + ("" if each.name == name else f", whose name {quote_name(each.name)} {DIFFERS_IN_FORM}")
            for each in find_named(items, name)
        ]

    def forget(self, changes: Iterable[SentChange]) -> None:
        """Forget what changes may have made wrong, so that a name never stands for what had it before."""
        for change in changes:
            if change.outcome in {"rejected", "not_sent"} and not change.is_api_404:
                continue
            if change.operation == "send" or (change.method == "DELETE" and change.outcome == "unknown"):
                self._lists.clear()
            elif change.method == "DELETE":
                for items in self._lists.values():  # what it is, or is in, or belongs to
                    items[:] = [
                        item
                        for item in items
                        if all(getattr(item, name, None) != change.target for name in _OWN_OR_OWNER)
                    ]
            else:
                # Every create or change may contain role bindings.
                changed = {change.kind.replace("_", "-"), "role-binding"}
                self._lists = {key: items for key, items in self._lists.items() if key[0] not in changed}

    def _find_binding(self, text: str) -> Thing:
        # Colons in names can leave several readings open. The one is meant whose names exist.
        readings = parse_binding("ROLE-BINDING", text)
        possible = readings if len(readings) == 1 else [each for each in readings if self._is_possible(*each)]
        if len(possible) > 1:
            raise CLIError(
                f"{quote_name(text)} can be read in several ways, because names have colons. Give the project by its "
                "id."
            )
        who, role = (possible or readings)[0]
        project = None if role.project is None else self.find("project", role.project).id
        principal = self.find(who.noun, who.text, project=project)
        found_bindings = self._admin.role_bindings.list(
            principal_type=principal.api_type,
            principal_id=principal.id,
            resource_type=None if project is None else "project",
            resource_id=project,
            role=cast("Any", role.role),
        )
        bindings = list(found_bindings)
        found = require_one(bindings, "role-binding", text, names=(), describe=lambda each: each.id)
        return Thing("role-binding", found.id, text)

    def _is_possible(self, who: Reference, role: WantedRole) -> bool:
        return all(
            is_id(text) or bool(_matching(self._candidates(noun, "", None), text))
            for noun, text in (("project", role.project), (who.noun, who.text))
            if text is not None
        )

    def _describe_choice(self, noun: str, item: Any) -> str:
        """Return the id of one of several things of a name, with what tells it from the others."""
        if noun == "api-key":
            names = {each.id: each.name for each in self._candidates("project", "", None)}
            return f"{item.id} (in project {quote_name(names.get(item.project_id, item.project_id))})"
        if noun == "user":
            return f"{item.id} ({quote_name(item.email)})"
        return _describe_age(item)

    def add_names(self, report: Any, found: Iterable[Thing]) -> None:
        """Add names to the steps and the differences of a report, beside ids of projects and of what was found."""
        from pinecone_admin.workflows.changes import with_known_names  # noqa: PLC0415 - a list has no steps

        steps, differences = getattr(report, "steps", []), getattr(report, "differences", [])
        names = {each.id: each.name for each in found if each.name}
        projects = [project for step in steps for project in step.change.projects]
        if None in {each.name for each in projects} or any(" on project " in str(each) for each in differences):
            with suppress(PineconeError):  # the work is done, and its report has the ids
                names |= {each.id: each.name for each in self._candidates("project", "", None)}
        steps[:] = [evolve(each, change=with_known_names(each.change, names)) for each in steps]

        def name_all(value: str | int | tuple[str, ...] | None) -> str | int | tuple[str, ...] | None:
            return tuple(name_ids(text, names) for text in value) if isinstance(value, tuple) else value

        differences[:] = [
            evolve(each, found=name_all(each.found), wanted=name_all(each.wanted)) for each in differences
        ]

    def describe_all(self, things: Iterable[Thing]) -> list[Thing]:
        """Return things with their names, which are fetched if they are not known."""
        return [self.describe(thing) for thing in things]

    def describe(self, thing: Thing) -> Thing:
        """Return the thing with its name, which is fetched if it is not known; that of a role binding has two names."""
        if thing.name is not None:
            return thing
        item = self.read(thing)
        if not isinstance(item, RoleBinding):
            return Thing(thing.noun, thing.id, _name_of(item))
        from pinecone_admin.cli.calls.binding_names import name_binding  # noqa: PLC0415 - only a question needs it

        return Thing(thing.noun, thing.id, name_binding(self._admin, item).spelling)

    def read(self, thing: Thing) -> Any:
        """Return the model of a thing."""
        return self._namespace_of(thing.noun).describe(**{f"{thing.api_type}_id": thing.id})

    def list_names(self, noun: str) -> list[str]:
        """Return the names of all things of a kind, each once."""
        return list(dict.fromkeys(filter(None, map(_name_of, self._candidates(noun, "", None)))))

    def _candidates(self, noun: str, text: str, project: str | None) -> list[Any]:
        if noun == "user" and "@" in text and not self.lists_users:
            return list(self._admin.users.list(email=text))
        with ensure_released(self._lock), self._lock:
            if (noun, project) not in self._lists:
                self._lists[noun, project] = list(self._list(noun, project))
            return self._lists[noun, project]

    def _list(self, noun: str, project: str | None) -> Iterable[Any]:
        if noun == "api-key":
            if project:
                return self._admin.api_keys.list(project_id=project)
            return self._list_all_keys()
        listed: Iterable[Any] = self._namespace_of(noun).list()
        return listed

    def _list_all_keys(self) -> Iterable[Any]:
        for each in list_all_keys(self._admin):
            self._note(each.key.project_id, each.project_name)
            yield each.key

    def _namespace_of(self, noun: str) -> Any:
        return getattr(self._admin, pluralize(noun.replace("-", "_")))


def list_all_keys(admin: Admin) -> Generator[KeyOfProject]:
    """Yield the keys of one project after the other; a project that was deleted since, as can be seen, has none."""
    for project in admin.projects.list():
        try:
            keys = admin.api_keys.list(project_id=project.id)
        except NotFoundError as error:
            from pinecone_admin._sync.workflows.absence import shows_deletion  # noqa: PLC0415 - only a 404 needs it
            from pinecone_admin.workflows.changes import Ref  # noqa: PLC0415 - as above

            if not shows_deletion(admin, error, Ref("project", project.name, project.id)):
                raise
            continue
        yield from (KeyOfProject(key, project.name) for key in keys)


def require_one(
    found: Sequence[_T], noun: str, text: str, *, names: Iterable[str | None], describe: Callable[[_T], str]
) -> _T:
    """Return the only thing that was found.

    Args:
        found: What has the id or the name.
        noun: What it is.
        text: The id or the name.
        names: The names that there are, of which the message has one that is spelt nearly like it.
        describe: Returns the id of one of several, with what tells it from the others.

    Raises:
        CLIError: There is none, or several have the name.
    """
    if not found:
        message = f"There is no {spell_noun(noun)} {quote_name(text)} that this account can see."
        nearest = find_nearest(text, filter(None, names))
        hint = f"Did you mean {quote_name(nearest)}?" if nearest else ""
        if noun == "role-binding" and ":" not in text:
            hint = "Give its id, or who has which role, such as user:ada@example.com:OrgMember."
        raise CLIError(join_sentences([message, hint]), cause=NotFoundError)
    if len(found) > 1:
        message = (
            f"{count_noun(len(found), spell_noun(noun))} are called {quote_name(text)}. Use an id instead: "
            f"{list_words(map(describe, found), 'or')}."
        )
        raise CLIError(message, cause=AmbiguousNameError)
    return found[0]


def _describe_age(item: Any) -> str:
    """Return the id of a thing, and when it was created if that is known."""
    created_at = getattr(item, "created_at", None)
    return str(item.id) if created_at is None else f"{item.id} (created {describe_minute(created_at)})"


def _name_of(item: Any) -> str | None:
    if isinstance(item, RoleBinding):
        return NamedBinding(item, principal_name=None, resource_name=None).spelling
    return getattr(item, "email", None) or getattr(item, "name", None)


def _matching(items: Iterable[Any], text: str) -> list[Any]:
    return [
        item
        for item in items
        if getattr(item, "name", None) == text or ("@" in text and is_same_email(getattr(item, "email", ""), text))
    ]
