"""A large state: how it is written, and the other requests at the same time."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.__main__ import _EmulatorOfProcess, _paused_garbage_collection


def test_dumps_have_one_record_on_each_line(emulator: Emulator) -> None:
    """A dump is the JSON of the state, with a line for each record."""
    emulator.add_user("ada@example.com", name="Ada “Ü”")
    document = emulator.dump()
    pieces = list(emulator.dump_text())
    lines = "".join(pieces).splitlines()
    assert json.loads("".join(pieces)) == document
    users: Any = document["users"]
    assert all(f"  {json.dumps(user)}" in {line.rstrip(",") for line in lines} for user in users)
    assert max(len(piece) for piece in pieces) < 1000


def test_a_dump_has_the_state_of_its_beginning(emulator: Emulator) -> None:
    """A change during a dump is not in the dump, for every kind of record."""
    with emulator.admin() as admin:
        project = admin.projects.create(name="search")
        key = admin.api_keys.create(project_id=project.id, name="ci").key
        account = admin.service_accounts.create(name="reader").service_account
        emulator.hold(project.id, "indexes", "movies")
        before = emulator.dump()
        texts = emulator.dump_text()
        written = [next(texts)]
        admin.projects.update(project_id=project.id, name="chat")
        admin.api_keys.delete(api_key_id=key.id)
        admin.service_accounts.update(service_account_id=account.id, name="writer")
        emulator.release(project.id, "indexes", "movies")
        emulator.configure(plan="Free")
        emulator.add_user("ada@example.com")
    assert json.loads("".join([*written, *texts])) == before
    assert emulator.dump() != before


def test_other_requests_are_handled_during_a_dump(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a dump is written, other requests are handled."""
    dumping, finish = Event(), Event()
    dump_text = emulator.dump_text

    def dump_when_told() -> Iterator[str]:
        texts = dump_text()
        yield next(texts)
        dumping.set()
        assert finish.wait(60)
        yield from texts

    monkeypatch.setattr(emulator, "dump_text", dump_when_told)
    with serving(emulator) as url:
        responses: list[httpx.Response] = []
        thread = Thread(target=lambda: responses.append(httpx.get(f"{url}/_emulator/state", timeout=60)))
        thread.start()
        assert dumping.wait(60)
        assert httpx.get(f"{url}/_emulator/clock").status_code == 200
        assert httpx.get(f"{url}/admin/projects").status_code == 401
        finish.set()
        thread.join()
    assert responses[0].json()["organization"]["id"] == emulator.organization_id


def test_a_state_is_exempt_from_garbage_collection() -> None:
    """Later garbage collections skip the loaded state, because they would stop the server each time."""
    before = gc.get_freeze_count()
    with _paused_garbage_collection():
        assert not gc.isenabled()
        emulator = _EmulatorOfProcess()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before
    assert not any(each is emulator.state for each in gc.get_objects())
    emulator.load({})  # as over HTTP
    assert not any(each is emulator.state for each in gc.get_objects())
