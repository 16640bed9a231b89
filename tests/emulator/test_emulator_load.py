"""A large state: how it is written, and what else goes on meanwhile."""

from __future__ import annotations

import gc
import json
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.__main__ import _paused_garbage_collection


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


def test_other_requests_are_handled_during_a_dump(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a dump is made, other requests are handled."""
    dumping, finish = Event(), Event()
    dump = emulator.dump

    def dump_when_told() -> dict[str, object]:
        dumping.set()
        assert finish.wait(60)
        return dump()

    monkeypatch.setattr(emulator, "dump", dump_when_told)
    with serving(emulator) as url:
        responses: list[httpx.Response] = []
        thread = Thread(target=lambda: responses.append(httpx.get(f"{url}/_emulator/state", timeout=60)))
        thread.start()
        assert dumping.wait(60)
        assert httpx.get(f"{url}/_emulator/clock").status_code == 200
        assert httpx.get(f"{url}/admin/projects").status_code == 400
        finish.set()
        thread.join()
    assert responses[0].json()["organization"]["id"] == emulator.organization_id


def test_a_state_is_exempt_from_garbage_collection() -> None:
    """What is loaded at the start is not traversed by later collections, which would stop the server each time."""
    before = gc.get_freeze_count()
    try:
        with _paused_garbage_collection():
            assert not gc.isenabled()
            emulator = Emulator()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
        assert not any(each is emulator.state for each in gc.get_objects())
    finally:
        gc.unfreeze()
