"""Concurrent requests for a token, from threads, tasks and event loops, cause one token exchange."""

from __future__ import annotations

import pytest

from pinecone_admin import AccessToken, Admin, AsyncAdmin
from pinecone_admin.auth.token_provider import TokenProvider
from tests.faults.clients import flatten, make_loop_runner, run_in_tasks, run_in_threads
from tests.faults.clock import RunningClock
from tests.faults.server import Server, respond_after

SECONDS_UNTIL_EXPIRED = 1801.0
parametrize_repeats = pytest.mark.parametrize("repeats", [3, pytest.param(6, marks=pytest.mark.long)])


def check_tokens(tokens: list[AccessToken], count: int, server: Server, exchanges: int) -> None:
    """Check that every caller has the newest token, and the number of exchanges."""
    assert server.exchanges == exchanges
    assert [token.value for token in tokens] == [f"token-{exchanges}"] * count


@parametrize_repeats
def test_threads_share_one_exchange(repeats: int, clock: RunningClock) -> None:
    """A hundred threads without a valid token cause one exchange."""
    with Server(token_actions=[respond_after(0.005)]) as server:
        for repeat in range(repeats):
            with Admin(**server.client_options) as admin:
                check_tokens(run_in_threads(100, admin.token), 100, server, 2 * repeat + 1)
                clock.advance(SECONDS_UNTIL_EXPIRED)
                check_tokens(run_in_threads(100, admin.token), 100, server, 2 * repeat + 2)


@parametrize_repeats
@pytest.mark.anyio
async def test_tasks_share_one_exchange(repeats: int, clock: RunningClock) -> None:
    """A thousand tasks without a valid token cause one exchange."""
    with Server(token_actions=[respond_after(0.005)]) as server:
        for repeat in range((repeats + 1) // 2):
            async with AsyncAdmin(**server.client_options) as admin:
                check_tokens(await run_in_tasks(1000, admin.token), 1000, server, 2 * repeat + 1)
                clock.advance(SECONDS_UNTIL_EXPIRED)
                check_tokens(await run_in_tasks(1000, admin.token), 1000, server, 2 * repeat + 2)


@parametrize_repeats
def test_loops_and_threads_share_one_exchange(repeats: int, clock: RunningClock) -> None:
    """Four event loops and twenty threads with one provider cause one exchange."""
    with Server(token_actions=[respond_after(0.005)]) as server:
        for repeat in range(repeats):
            with Admin(**server.client_options) as admin:
                tokens = admin._shared.token_source
                assert isinstance(tokens, TokenProvider)
                check_tokens(fetch_everywhere(tokens, clock), 60, server, 2 * repeat + 1)
                clock.advance(SECONDS_UNTIL_EXPIRED)
                check_tokens(fetch_everywhere(tokens, clock), 60, server, 2 * repeat + 2)


def fetch_everywhere(tokens: TokenProvider, clock: RunningClock) -> list[AccessToken]:
    """Fetch tokens in four event loops and twenty threads."""
    deadline = clock.monotonic() + 30
    loops = [
        make_loop_runner(backend, 10, lambda: tokens.async_get_token(deadline=deadline))
        for backend in ("asyncio", "asyncio", "trio", "trio")
    ]
    return flatten(run_in_threads(20, lambda: [tokens.get_token(deadline=deadline)], *loops))
