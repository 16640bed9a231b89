"""A transport that is neither ours nor httpx's sends the requests of both clients."""

from __future__ import annotations

import asyncio

from pyreqwest.client import ClientBuilder, SyncClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport, SyncHttpxTransport

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin.emulator import Emulator, serving


def test_pyreqwest_sends_requests_of_the_sync_client() -> None:
    """A GET without a body, a POST with one and a token exchange pass through pyreqwest's transport of httpx."""
    emulator = Emulator()
    with serving(emulator) as url, SyncHttpxTransport(SyncClientBuilder().build()) as transport:
        with Admin(
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            host=url,
            oauth_url=f"{url}/oauth/token",
            transport=transport,
        ) as admin:
            created = admin.projects.create(name="search")
            assert admin.projects.list() == [created]
            admin.projects.delete(project_id=created.id)
        assert [each.method for each in emulator.requests] == ["POST", "POST", "GET", "DELETE"]


def test_pyreqwest_sends_requests_of_the_async_client() -> None:
    """Its asynchronous transport sends what the async client asks for, beside a synchronous one for the token."""
    emulator = Emulator()

    async def call(url: str, exchange: SyncHttpxTransport) -> None:
        async with (
            HttpxTransport(ClientBuilder().build()) as transport,
            AsyncAdmin(
                client_id=emulator.client_id,
                client_secret=emulator.client_secret,
                host=url,
                oauth_url=f"{url}/oauth/token",
                transport=transport,
                oauth_transport=exchange,
            ) as admin,
        ):
            created = await admin.projects.create(name="search")
            assert await admin.projects.list() == [created]
            await admin.projects.delete(project_id=created.id)

    with serving(emulator) as url, SyncHttpxTransport(SyncClientBuilder().build()) as exchange:
        asyncio.run(call(url, exchange))
    assert [each.method for each in emulator.requests] == ["POST", "POST", "GET", "DELETE"]
