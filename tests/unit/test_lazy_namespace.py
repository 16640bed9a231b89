"""A namespace that is made once, without a lock, and what a person sees of it at a prompt."""

from __future__ import annotations

import pydoc
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._concurrency.lazy import lazy_namespace
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator
from tests.support.concurrency import PATIENCE


class Slow:
    """A namespace that is slow to make the first time."""

    def __init__(self, owner: SlowOwner, _sender: object) -> None:
        if not owner.started.is_set():
            owner.started.set()
            assert owner.proceed.wait(PATIENCE)


class SlowOwner:
    """A client with such a namespace."""

    def __init__(self) -> None:
        self._sender = None
        self.started, self.proceed = threading.Event(), threading.Event()

    @lazy_namespace
    def value(self) -> type[Slow]:
        """Wait for the first one."""
        return Slow


def test_a_slow_namespace_blocks_no_other_thread() -> None:
    """While one thread makes the namespace, another returns its own, and the first one is kept."""
    owner, other = SlowOwner(), SlowOwner()
    other.started.set()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(lambda: owner.value)
        assert owner.started.wait(PATIENCE)
        first = owner.value
        assert other.value is not first
        owner.proceed.set()
        assert slow.result(PATIENCE) is first is owner.value


@pytest.mark.parametrize("client", [Admin, AsyncAdmin])
def test_help_of_a_namespace_shows_its_methods(client: type[Admin | AsyncAdmin]) -> None:
    """On the class of a client, a namespace is its class, so that help shows each method with its arguments."""
    page = pydoc.plain(pydoc.render_doc(client.projects))
    words = re.sub(r"[\s|]+", " ", page)  # since 3.14, each argument has a line, and types have no quotes
    assert re.search(r"create\( ?self, \*, name: '?str'?, max_pods: '?int None'? = None", words)
    assert "Every method also raises the errors of" in page
    listed = pydoc.plain(pydoc.render_doc(client))
    assert all(f"\n |  {name} = <class '" in listed for name in NAMESPACES)
    assert "Create, list, describe, update, provision and delete projects, as" in listed


def test_a_prompt_shows_what_a_client_can_do() -> None:
    """The representation of a namespace lists its methods, and dir() has no private names."""
    emulator = Emulator()
    with emulator.admin() as admin:
        assert repr(admin.organizations) == "<Organizations: list, describe, update, delete>"
        assert dir(admin.organizations) == ["delete", "describe", "list", "update"]
        assert {"projects", "send", "with_options"} < set(dir(admin))
        assert [name for name in dir(admin) if name.startswith("_")] == []
        assert repr(admin.users.list()) == "<Paginator of list_users: iterate over it, or call to_list()>"
        assert emulator.organization_id in repr(emulator)
    lazy = emulator.async_admin()
    assert repr(lazy.projects).startswith("<AsyncProjects: list, create, ")
    assert repr(lazy.projects.list()) == "<AsyncCompleteList of list_projects: await it, or iterate over it>"
