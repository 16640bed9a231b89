"""The retry budget: an outage does not multiply the requests, and everything else is retried as without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    AsyncAdmin,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    RetryPolicy,
    ServiceError,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.errors import ApiError
from pinecone_admin.retry import AsyncRetryTransport
from tests.support.errors import check_promises, raises
from tests.support.fault_injection import FailTwiceTransport
from tests.support.organizations import populate_organization
from tests.support.scripted_transport import ScriptedFailure, ScriptedResponse, ScriptedTransport, Step, token_response

pytestmark = pytest.mark.anyio

OUTAGES: list[Step] = [ScriptedResponse(503), ScriptedFailure(httpx.ConnectError("refused")), ScriptedResponse(429)]
USED_UP = ["not sent again: the retry budget has too few points left"]


async def count_attempts(admin: AsyncAdmin, calls: int = 1) -> list[int]:
    """Make calls that fail, and return the attempts of each."""
    attempts: list[int] = []
    for _ in range(calls):
        with pytest.raises(PineconeError) as caught:
            await admin.projects.list()
        attempts.append(caught.value.attempts)
    return attempts


@pytest.mark.parametrize(("failure", "calls"), list(zip(OUTAGES, (1000, 50, 50), strict=True)), ids=str)
async def test_an_outage_does_not_multiply_the_requests(
    failure: Step, calls: int, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Of the calls that fail, the first 33 have all attempts, and 100 retries are sent altogether."""
    script = ScriptedTransport(failure)
    attempts = await count_attempts(make_client(script), calls)
    assert attempts == [4] * 33 + [2] + [1] * (calls - 34)
    assert len(script.requests) == calls + 100


async def test_the_error_says_that_the_budget_is_used_up(make_client: Callable[..., AsyncAdmin]) -> None:
    """An error without a retry has a note of the reason; an error after the last attempt has none."""
    for failure in OUTAGES:
        admin = make_client(ScriptedTransport(failure), retry=RetryPolicy(budget=15))
        notes: list[list[str]] = []
        for _ in range(2):
            with pytest.raises(PineconeError) as caught:
                await admin.projects.list()
            check_promises(caught.value)
            notes.append(getattr(caught.value, "__notes__", []))
        assert notes == [[], USED_UP]


async def test_a_success_refunds_the_retries_of_its_call(make_client: Callable[..., AsyncAdmin]) -> None:
    """A call that succeeds at last costs nothing, however often it was sent."""
    steps = [*OUTAGES, ScriptedResponse(body={"data": []})] * 20
    admin = make_client(ScriptedTransport(*steps, ScriptedResponse(503)), retry=RetryPolicy(budget=15))
    for _ in range(20):
        await admin.projects.list()
    assert await count_attempts(admin, 2) == [4, 1]


async def test_a_success_without_a_retry_refunds_one_token(make_client: Callable[..., AsyncAdmin]) -> None:
    """Five successes refill the tokens of one retry; those of an unspent budget add nothing."""
    script = ScriptedTransport(ScriptedResponse(body={"data": []}))
    admin = make_client(script, retry=RetryPolicy(budget=15))
    for _ in range(10):
        await admin.projects.list()
    script._steps = [ScriptedResponse(503)]
    assert await count_attempts(admin, 2) == [4, 1]
    for successes, attempts in ((4, 1), (1, 2), (10, 3), (100, 4)):
        script._steps = [ScriptedResponse(body={"data": []})]
        for _ in range(successes):
            await admin.projects.list()
        script._steps = [ScriptedResponse(503)]
        assert await count_attempts(admin) == [attempts]


async def test_a_refusal_refunds_nothing(make_client: Callable[..., AsyncAdmin]) -> None:
    """Only a success shows that the server has recovered."""
    script = ScriptedTransport(*[ScriptedResponse(503)] * 3, ScriptedResponse(404))
    admin = make_client(script, retry=RetryPolicy(budget=15))
    assert await count_attempts(admin, 3) == [4, 1, 1]
    script._steps = [ScriptedResponse(503)]
    assert await count_attempts(admin) == [1]


async def test_a_429_with_retry_after_costs_nothing(make_client: Callable[..., AsyncAdmin]) -> None:
    """Where the server says when to come back, it is retried with an empty budget, too."""
    script = ScriptedTransport(ScriptedResponse(503))
    admin = make_client(script, retry=RetryPolicy(budget=15))
    assert await count_attempts(admin, 2) == [4, 1]
    script._steps = [ScriptedResponse(429, headers={"retry-after": "1"})]
    with raises(RateLimitError) as caught:
        await admin.projects.list()
    assert caught.value.attempts == 4
    script._steps = [ScriptedResponse(503, headers={"retry-after": "1"})]
    assert await count_attempts(admin) == [1]


async def test_copies_of_a_client_share_the_budget(make_client: Callable[..., AsyncAdmin]) -> None:
    """Copies share the points of their client, each within its own budget. Another client has other points."""
    script = ScriptedTransport(ScriptedResponse(503))
    admin = make_client(script, retry=RetryPolicy(budget=20))
    assert await count_attempts(admin.with_options(timeout=5)) == [4]
    assert await count_attempts(admin) == [2]
    assert await count_attempts(admin.with_options(retry=RetryPolicy(budget=25))) == [2]
    assert await count_attempts(admin.with_options(retry=RetryPolicy(budget=10))) == [1]
    assert await count_attempts(make_client(script)) == [4]


async def test_a_policy_without_a_budget_has_no_limit(make_client: Callable[..., AsyncAdmin]) -> None:
    """With None, every call has all attempts, and the tokens of copies with a budget are untouched."""
    script = ScriptedTransport(ScriptedResponse(503))
    admin = make_client(script, retry=RetryPolicy(budget=None))
    assert await count_attempts(admin, 200) == [4] * 200
    assert await count_attempts(admin.with_options(retry=RetryPolicy(budget=15)), 2) == [4, 1]
    script._steps = [ScriptedResponse(body={"data": []})]
    for _ in range(100):
        await admin.projects.list()
    script._steps = [ScriptedResponse(503)]
    assert await count_attempts(admin.with_options(retry=RetryPolicy(budget=15))) == [1]


async def test_token_exchanges_spend_nothing(make_client: Callable[..., AsyncAdmin]) -> None:
    """A token endpoint that fails takes no retry from the API, and its retries need no tokens."""
    tokens = [ScriptedResponse(503)] * 2 + [token_response(1)]
    script = ScriptedTransport(ScriptedResponse(503), tokens=tokens)
    admin = make_client(script, lazy=True, retry=RetryPolicy(budget=0))
    assert await count_attempts(admin) == [1]
    assert len(script.exchanges) == 3
    script = ScriptedTransport(ScriptedResponse(503), tokens=tokens)
    admin = make_client(script, lazy=True, retry=RetryPolicy(budget=15))
    assert await count_attempts(admin, 2) == [4, 1]


async def test_a_retry_transport_has_a_budget_for_each_host() -> None:
    """A host that is down takes no retry from another; the budget is the transport's own."""
    script = ScriptedTransport(ScriptedResponse(503))
    policy = RetryPolicy(budget=15)

    async def count_requests(client: httpx.AsyncClient, host: str) -> int:
        before = len(script.requests)
        await client.get(f"https://{host}/")
        return len(script.requests) - before

    async with httpx.AsyncClient(transport=AsyncRetryTransport(script, retry=policy)) as client:
        hosts = ("a.example", "a.example", "b.example", "b.example", "a.example:444", "a.example")
        assert [await count_requests(client, host) for host in hosts] == [4, 1, 4, 1, 4, 1]
    async with httpx.AsyncClient(transport=AsyncRetryTransport(script, retry=policy)) as client:
        assert await count_requests(client, "a.example") == 4


async def test_an_inventory_is_complete_though_each_request_fails_twice() -> None:
    """The refunds of 60 projects are enough, since each call succeeds at its third attempt."""
    emulator = Emulator(seed=1)
    populate_organization(emulator, projects=60, users=3)
    transport = FailTwiceTransport(emulator)
    admin = AsyncAdmin(
        client_id=emulator.client_id,
        client_secret=emulator.client_secret,
        transport=transport,
        oauth_transport=emulator.transport,
    )
    inventory = await admin.inventory()
    assert (len(inventory.projects), inventory.unread) == (60, [])
    assert set(transport.attempts.values()) == {3}
    assert len(transport.attempts) > 60


@pytest.mark.parametrize(
    ("budget", "kind"), [(-1, PineconeValueError), (1.5, PineconeTypeError), (True, PineconeTypeError)]
)
async def test_an_invalid_budget_is_refused(budget: Any, kind: type[PineconeError]) -> None:
    """The error names the argument."""
    with raises(kind, match="budget"):
        RetryPolicy(budget=budget)


async def test_creates_use_the_budget_too(make_client: Callable[..., AsyncAdmin]) -> None:
    """A create that was surely not processed is retried as long as there are tokens, and its outcome stays the same."""
    admin = make_client(ScriptedTransport(ScriptedResponse(429)), retry=RetryPolicy(budget=15))
    errors: list[ApiError] = []
    for _ in range(2):
        with pytest.raises(RateLimitError) as caught:
            await admin.projects.create(name="x")
        errors.append(caught.value)
    assert [(error.attempts, error.outcome, error.worth_retrying) for error in errors] == [
        (4, "rejected", True),
        (1, "rejected", True),
    ]
    with raises(ServiceError):
        await make_client(ScriptedTransport(ScriptedResponse(503))).projects.create(name="x")
