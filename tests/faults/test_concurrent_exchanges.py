"""Suite 1: however many ask at once, and from wherever, there is one exchange."""

from __future__ import annotations

import pytest

from pinecone_admin import AccessToken, Admin, AsyncAdmin
from pinecone_admin.auth.provider import TokenProvider
from tests.faults.clients import flatten, make_loop_runner, run_in_tasks, run_in_threads
from tests.faults.clock import RunningClock
from tests.faults.server import Server, respond_after

EXPIRED = 1801.0
parametrize_repeats = pytest.mark.parametrize("repeats", [5, pytest.param(50, marks=pytest.mark.long)])


def check_tokens(tokens: list[AccessToken], count: int, server: Server, exchanges: int) -> None:
    """Expect that all have the same token, the newest."""
    assert server.exchanges == exchanges
    assert [token.value for token in tokens] == [f"token-{exchanges}"] * count


@parametrize_repeats
def test_threads(repeats: int, clock: RunningClock) -> None:
    """A hundred threads that find no token, and then an expired one, cause one exchange each time, however often."""
    with Server(token_actions=[respond_after(0.005)]) as server:
        for repeat in range(repeats):
            with Admin(**server.client_options) as admin:
                check_tokens(run_in_threads(100, admin.token), 100, server, 2 * repeat + 1)
                clock.advance(EXPIRED)
                check_tokens(run_in_threads(100, admin.token), 100, server, 2 * repeat + 2)


@parametrize_repeats
@pytest.mark.anyio
async def test_tasks(repeats: int, clock: RunningClock) -> None:
    """A thousand tasks do the same."""
    with Server(token_actions=[respond_after(0.005)]) as server:
        for repeat in range((repeats + 1) // 2):
            async with AsyncAdmin(**server.client_options) as admin:
                check_tokens(await run_in_tasks(1000, admin.token), 1000, server, 2 * repeat + 1)
                clock.advance(EXPIRED)
                check_tokens(await run_in_tasks(1000, admin.token), 1000, server, 2 * repeat + 2)


@parametrize_repeats
def test_loops_and_threads(repeats: int, clock: RunningClock) -> None:
    """Four loops of both kinds and twenty threads on one provider do the same."""
    with Server(token_actions=[respond_after(0.005)]) as server:
        for repeat in range(repeats):
            with Admin(**server.client_options) as admin:
                tokens = admin._shared.token_source
                assert isinstance(tokens, TokenProvider)
                check_tokens(fetch_everywhere(tokens, clock), 60, server, 2 * repeat + 1)
                clock.advance(EXPIRED)
                check_tokens(fetch_everywhere(tokens, clock), 60, server, 2 * repeat + 2)


def fetch_everywhere(tokens: TokenProvider, clock: RunningClock) -> list[AccessToken]:
    """Ask in four loops and twenty threads."""
    deadline = clock.monotonic() + 30
    loops = [
        make_loop_runner(backend, 10, lambda: tokens.async_get(deadline=deadline))
        for backend in ("asyncio", "asyncio", "trio", "trio")
    ]
    return flatten(run_in_threads(20, lambda: [tokens.get(deadline=deadline)], *loops))
