"""The rows of the tests: what they create has its id, and a member that exists already keeps its own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support import resources
from tests.support.resources import ID, Argument, fill_ids, keep_id

GROUPS = {
    "groups.create": {"name": Argument("name", "body", "x")},
    "groups.add_user": {"group_id": ID, "user_id": Argument("id", "body", "u")},
    "groups.remove_user": {"group_id": ID, "user_id": ID},
}


def test_a_member_that_exists_already_keeps_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group has an id of its own, and a user in it the one that the user has outside."""
    monkeypatch.setattr(resources, "METHODS", GROUPS)
    ids = {"user_id": "ada"}
    keep_id("groups.create", SimpleNamespace(id="g"), ids)
    assert fill_ids("groups.add_user", ids) == {"group_id": "g", "user_id": "ada"}
    keep_id("groups.add_user", SimpleNamespace(user_id="ada"), ids)
    assert fill_ids("groups.remove_user", ids) == {"group_id": "g", "user_id": "ada"}


def test_an_id_that_nothing_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the method, the argument, and the file that lacks it."""
    monkeypatch.setattr(resources, "METHODS", GROUPS)
    with pytest.raises(LookupError, match=r"groups.remove_user takes group_id, .* of tests/support/resources.py$"):
        fill_ids("groups.remove_user", {"user_id": "ada"})
