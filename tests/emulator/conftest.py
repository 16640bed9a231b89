"""The emulator under test, and httpx clients connected to it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.model.records import ServiceAccountRecord
from tests.support.contract import record_breaches
from tests.support.driven import Driven, record_statuses, require_driven
from tests.support.sampling import leave_some_daily


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave some cases of tests that have many to the long tests."""
    leave_some_daily(items, Path(__file__).parent)


@pytest.fixture(autouse=True)
def check_contract(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check every response of every test here against the API documents, and which statuses each test drives."""
    breaches: list[str] = []
    driven: Driven = set()
    monkeypatch.setattr(dispatch, "handle", record_statuses(record_breaches(dispatch.handle, breaches), driven))
    yield
    assert breaches == []
    require_driven(request.node.nodeid, driven)


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with default settings."""
    return Emulator()


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    """Return a function that connects a client as a service account, by default the emulator's own."""
    with ExitStack() as clients:

        def log_in(emulator: Emulator, account: ServiceAccountRecord | None = None) -> httpx.Client:
            client = clients.enter_context(
                httpx.Client(transport=emulator.transport, base_url="https://api.pinecone.io")
            )
            credentials = {
                "client_id": account.client_id if account else emulator.client_id,
                "client_secret": account.client_secret if account else emulator.client_secret,
                "grant_type": "client_credentials",
                "audience": "https://api.pinecone.io/",
            }
            response = client.post("https://login.pinecone.io/oauth/token", json=credentials)
            token = response.raise_for_status().json()["access_token"]
            client.headers.update({"Authorization": f"Bearer {token}", "X-Pinecone-Api-Version": "2026-07"})
            return client

        yield log_in


@pytest.fixture
def api(emulator: Emulator, connect: Callable[[Emulator], httpx.Client]) -> httpx.Client:
    """Return a client connected as the owner."""
    return connect(emulator)


@pytest.fixture
def read_error() -> Callable[[httpx.Response], tuple[int, str]]:
    """Return a function that checks the form of an error response and returns its status and code."""

    def read(response: httpx.Response) -> tuple[int, str]:
        document = response.json()
        assert set(document) == {"status", "error"}
        assert set(document["error"]) - {"details"} == {"code", "message"}
        assert document["status"] == response.status_code
        return response.status_code, document["error"]["code"]

    return read
