"""The clients that the emulator makes: their arguments, and the clock they run on."""

import asyncio
import inspect
from functools import partial

import pytest

from pinecone_admin import Admin, AsyncAdmin, UnauthorizedError
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.client_arguments import AdminArguments, AsyncAdminArguments
from pinecone_admin.emulator.control.configuration import SettingArguments
from pinecone_admin.testing import emulate


def test_declared_arguments_are_those_that_are_accepted() -> None:
    """The types of `configure`, `admin` and `async_admin` declare each argument that these accept, with its type."""
    settings = inspect.signature(Emulator).parameters
    assert SettingArguments.__annotations__ == {
        name: each.annotation for name, each in settings.items() if name not in {"seed", "clock"}
    }
    for kind, declared in ((Admin, AdminArguments), (AsyncAdmin, AsyncAdminArguments)):
        accepted = {name: str(each.annotation) for name, each in inspect.signature(kind).parameters.items()}
        # The client names this class by its module.
        accepted["token_cache"] = accepted["token_cache"].removeprefix("auth.")
        assert {name: each.__forward_arg__ for name, each in declared.__annotations__.items()} == accepted


def test_options_replace_what_the_emulator_passes() -> None:
    """In both kinds of client, the credentials and transports that the caller gives are used."""
    emulator, other = Emulator(), Emulator(seed=1)

    async def create_with_both() -> None:
        with emulator.admin(
            client_id=other.client_id, client_secret=other.client_secret, transport=other.transport
        ) as admin:
            admin.projects.create(name="sync")
        async with emulator.async_admin(
            client_id=other.client_id,
            client_secret=other.client_secret,
            transport=other.transport,
            oauth_transport=other.transport,
        ) as async_admin:
            await async_admin.projects.create(name="async")

    asyncio.run(create_with_both())
    assert (len(emulator.requests), len(other.state.projects)) == (0, 2)


def test_clients_use_the_clock_of_the_emulator_inside_an_emulation_only() -> None:
    """Outside, a token that expires just after it replaced another is rejected, as the page on the emulator says."""
    emulator = Emulator()
    with serving(emulator) as host:
        over_http = partial(
            Admin,
            host=host,
            oauth_url=emulator.oauth_url,
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
        )
        for connect in (emulator.admin, over_http):
            with connect() as admin:
                for _ in range(2):
                    admin.projects.list()
                    emulator.clock.advance(3600)
                with pytest.raises(UnauthorizedError):
                    admin.projects.list()

    async def expire_tokens() -> None:
        with emulate(emulator):
            with emulator.admin() as admin:
                for _ in range(3):
                    admin.projects.list()
                    emulator.clock.advance(3600)
            async with emulator.async_admin() as async_admin:
                for _ in range(3):
                    await async_admin.projects.list()
                    emulator.clock.advance(3600)

    asyncio.run(expire_tokens())
