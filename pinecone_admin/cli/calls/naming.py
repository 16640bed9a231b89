"""Find the things that ids and names on the command line mean."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any

from attrs import frozen

from pinecone_admin import Admin
from pinecone_admin._http.argument_checks import is_key_value
from pinecone_admin._http.lookup import is_same_email
from pinecone_admin._text.counts import count_noun, pluralize
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.documents import KeyOfProject
from pinecone_admin.cli.parameters import BindingReading, Reference, WantedRole, find_nearest, is_id, parse_binding
from pinecone_admin.errors import AmbiguousNameError, NotFoundError
from pinecone_admin.models import RoleBinding


@frozen
class Thing:
    """A thing that was named on the command line.

    Attributes:
        noun: What it is, such as ``project``.
        id: Its id.
        name: Its name or email address, or None if only the id was given and nothing was looked up.
    """

    noun: str
    id: str
    name: str | None = None

    @property
    def api_type(self) -> Any:
        """What the API calls its type, such as ``service_account``."""
        return self.noun.replace("-", "_")

    def __str__(self) -> str:
        noun = spell_noun(self.noun)
        return f"{noun} {self.name!r} ({self.id})" if self.name else f"{noun} {self.id}"


def spell_noun(noun: str) -> str:
    """Return what a sentence calls the things of a group of commands, such as ``API key`` for ``api-key``."""
    return noun.replace("-", " ").replace("api", "API")


class NameLookup:
    """Finds things by id or name, reading each list once.

    Args:
        admin: The client.
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._lists: dict[str, list[Any]] = {}

    def find(self, noun: str, text: str, *, project: str | None = None) -> Thing:
        """Return the thing that an id or an exact name means.

        Args:
            noun: What it is.
            text: Id, name or email address.
            project: Id of the project to look for an API key in; None for all projects.

        Raises:
            CLIError: Nothing has the id or the name, several things have the name, or it is the value of an API key.
        """
        if is_id(text):
            return Thing(noun, text)
        if is_key_value(text):
            raise CLIError("this is the value of an API key, which cannot be looked up: give the id or the name")
        if noun == "role-binding" and ":" in text:
            return self._find_binding(text)
        items = self._candidates(noun, text, project)
        by_id = [item for item in items if item.id == text]
        by_name = _find_holders(text, items) if noun == "api-key" else _matching(items, text)
        found = _require_one(by_id or by_name, noun, text, known=items, describe=partial(self._describe_choice, noun))
        return Thing(noun, found.id, _name_of(found))

    def _find_binding(self, text: str) -> Thing:
        who, role = self._choose_reading(parse_binding("ROLE-BINDING", text), text)
        project = None if role.project is None else self.find("project", role.project).id
        principal = self.find(who.noun, who.text, project=project)
        filters: dict[str, Any] = {"principal_type": principal.api_type, "principal_id": principal.id}
        if project is not None:
            filters |= {"resource_type": "project", "resource_id": project}
        filters["role"] = role.role
        bindings = list(self._admin.role_bindings.list(**filters))
        found = _require_one(bindings, "role-binding", text, known=(), describe=lambda each: each.id)
        return Thing("role-binding", found.id, text)

    def _choose_reading(self, readings: Sequence[BindingReading], text: str) -> BindingReading:
        """Return the reading of a role binding whose names exist, of those that colons in names leave open."""
        possible = readings if len(readings) == 1 else [each for each in readings if self._is_possible(*each)]
        if len(possible) > 1:
            raise CLIError(f"{text!r} can be read in several ways, since names have colons: give the project by its id")
        return possible[0] if possible else readings[0]

    def _is_possible(self, who: Reference, role: WantedRole) -> bool:
        return all(
            is_id(text) or bool(_matching(self._candidates(noun, "", None), text))
            for noun, text in (("project", role.project or ""), (who.noun, who.text))
        )

    def _describe_choice(self, noun: str, item: Any) -> str:
        """Return the id of one of several things of a name, with what tells it from the others."""
        if noun == "api-key":
            names = {each.id: each.name for each in self._candidates("project", "", None)}
            return f"{item.id} in project {names.get(item.project_id, item.project_id)!r}"
        return f"{item.id} ({item.email})" if noun == "user" else str(item.id)

    def describe(self, thing: Thing) -> Thing:
        """Return the thing with its name, which is fetched if it is not known."""
        namespace = self._namespace_of(thing.noun)
        if thing.name is not None or not hasattr(namespace, "describe"):
            return thing
        found = namespace.describe(**{f"{thing.api_type}_id": thing.id})
        return Thing(thing.noun, thing.id, _name_of(found))

    def _candidates(self, noun: str, text: str, project: str | None) -> list[Any]:
        key = f"{noun} {project or ''}"
        if noun == "user" and "@" in text:
            return list(self._admin.users.list(email=text))
        if key not in self._lists:
            self._lists[key] = list(self._list(noun, project))
        return self._lists[key]

    def _list(self, noun: str, project: str | None) -> Iterable[Any]:
        if noun == "api-key":
            if project:
                return self._admin.api_keys.list(project_id=project)
            return (each.key for each in list_all_keys(self._admin))
        listed: Iterable[Any] = self._namespace_of(noun).list()
        return listed

    def _namespace_of(self, noun: str) -> Any:
        return getattr(self._admin, pluralize(noun.replace("-", "_")))


def list_all_keys(admin: Admin) -> Generator[KeyOfProject]:
    """Yield the keys of one project after the other; a project that is deleted meanwhile has none."""
    for project in admin.projects.list():
        try:
            keys = admin.api_keys.list(project_id=project.id)
        except NotFoundError:
            continue
        yield from (KeyOfProject(key, project.name) for key in keys)


def _require_one(
    found: Sequence[Any], noun: str, text: str, *, known: Iterable[Any], describe: Callable[[Any], str]
) -> Any:
    if not found:
        raise missing_thing(noun, text, filter(None, map(_name_of, known)))
    if len(found) > 1:
        ids = ", ".join(map(describe, found))
        message = f"there are {count_noun(len(found), spell_noun(noun))} {text!r}: give the id of one, {ids}"
        raise CLIError(message, exit=exit_codes.CONFLICT, help_code=AmbiguousNameError.help_code)
    return found[0]


def missing_thing(noun: str, text: str, names: Iterable[str]) -> CLIError:
    """Return the error for an id or name that nothing has, with the name that is spelt nearly like it."""
    nearest = find_nearest(text, names)
    message = f"there is no {spell_noun(noun)} {text!r}" + (f": did you mean {nearest!r}?" if nearest else "")
    return CLIError(message, exit=exit_codes.NOT_FOUND, help_code=NotFoundError.help_code)


def _name_of(item: Any) -> str | None:
    if isinstance(item, RoleBinding):  # as it is written on the command line
        project = [item.resource_id] if item.resource_type == "project" else []
        return ":".join([item.principal_type.replace("_", "-"), item.principal_id, *project, item.role])
    return getattr(item, "email", None) or getattr(item, "name", None)


def _find_holders(name: str, keys: Sequence[Any]) -> list[Any]:
    from pinecone_admin.workflows.retired_keys import find_holders  # noqa: PLC0415 - other lists need no tags

    return find_holders(name, keys)


def _matching(items: Iterable[Any], text: str) -> list[Any]:
    return [
        item
        for item in items
        if getattr(item, "name", None) == text or ("@" in text and is_same_email(getattr(item, "email", ""), text))
    ]
