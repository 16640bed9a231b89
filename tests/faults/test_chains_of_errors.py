"""The causes and contexts of the errors of every workflow, if its store fails and an interruption comes as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import anyio
import httpx
import pytest

from pinecone_admin._concurrency.clock import use_clock
from tests.faults.workflow_grid import Beside, GridTransport, prepare
from tests.faults.workflow_scenarios import SCENARIOS, World
from tests.support.clock import VirtualClock
from tests.support.errors import find_circle

HOWS = ("cancelled before", "cancelled after", "raised before", "raised after", "raised by store")


class InterruptionError(BaseException):
    """An interruption that ends the code at any place, as KeyboardInterrupt and SystemExit do."""


class InterruptedTransport(GridTransport):
    """Interrupts the call at one request, or in ``store`` once that many requests were sent.

    Args:
        world: The organization.
        number: The number of the request, from 1; 0 for none.
        how: How and when it is interrupted.
        can_delete: Whether deletions get a response.

    Attributes:
        interrupted: Whether the call was interrupted.
        raised: What was raised in the call, in order.
    """

    def __init__(self, world: World, number: int, how: str, *, can_delete: bool) -> None:
        super().__init__(world.emulator)
        self._number = number
        self._how = how
        self._can_delete = can_delete
        self.interrupted = False
        self.raised: list[BaseException] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and interrupt the call if this is its turn."""
        is_turn = len(self.sent) + 1 == self._number and not self.interrupted
        if is_turn and self._how.endswith("before"):
            await self._interrupt()
        response = await super().handle_async_request(request)
        if is_turn and self._how.endswith("after") and not self.interrupted:
            await self._interrupt()
        if request.method == "DELETE" and not self._can_delete:
            raise httpx.ReadError("the connection broke")
        return response

    async def _interrupt(self) -> None:
        self.interrupted = True
        if self._how.startswith("raised"):
            self.raised.append(InterruptionError())
            raise self.raised[-1]
        self.interrupt()
        await anyio.lowlevel.checkpoint()

    async def fail_to_store(self, made: object) -> None:  # noqa: ARG002 - the signature of a store
        """Fail, or interrupt the call."""
        await anyio.lowlevel.checkpoint()
        if self._how == "raised by store" and len(self.sent) >= self._number and not self.interrupted:
            await self._interrupt()
        self.raised.append(OSError("the vault is sealed"))
        raise self.raised[-1]


def list_linked(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all of its causes and contexts, each once."""
    pending, seen = [error], list[BaseException]()
    while pending:
        each = pending.pop()
        if not any(each is other for other in seen):
            seen.append(each)
            pending += filter(None, (each.__cause__, each.__context__))
            pending += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
            yield each


def find_wrong(error: BaseException, transport: InterruptedTransport) -> Iterator[str]:
    """Yield what is wrong with the errors that a workflow has ended with."""
    if (circle := find_circle(error)) is not None:
        yield f"circle: {circle}"
        return
    linked = [*list_linked(error)]
    for each in linked:
        notes = [*getattr(each, "__notes__", ())]
        if len(notes) > len({*notes}):
            yield f"doubled notes: {type(each).__name__}: {notes}"
    if not transport.interrupted:
        return
    interruptions = [each for each in transport.raised if isinstance(each, InterruptionError)]
    if interruptions and error not in interruptions:
        yield f"replaced interruption: {error!r}"
    said = "; ".join(text for each in linked for text in (str(each), *getattr(each, "__notes__", ())))
    for each in transport.raised:
        if not any(each is other for other in linked) and (not str(each) or str(each) not in said):
            yield f"lost: {each!r}"


async def run_scenario(
    name: str, number: int, how: str, *, can_delete: bool, monkeypatch: pytest.MonkeyPatch
) -> tuple[InterruptedTransport, BaseException | None]:
    """Return the transport of a workflow, and the error with which it has ended."""
    with use_clock(VirtualClock()):
        world = await prepare(SCENARIOS[name], Beside.NOTHING)
        transport = InterruptedTransport(world, number, how, can_delete=can_delete)
        monkeypatch.setattr(World, "store", lambda _, made: transport.fail_to_store(made))

        async def work() -> BaseException | None:
            try:
                await SCENARIOS[name].run(world, transport.make_client())
            except BaseException as error:  # noqa: BLE001 - asyncio would replace a CancelledError, without its links
                return error
            return None

        task = asyncio.ensure_future(work())
        transport.interrupt = task.cancel
        error = await task
        return transport, error


@pytest.mark.parametrize("can_delete", [True, False])
@pytest.mark.parametrize("name", SCENARIOS)
def test_who_follows_the_causes_of_an_error_comes_to_an_end(
    name: str, can_delete: bool, monkeypatch: pytest.MonkeyPatch, stride: Callable[[int], int]
) -> None:
    """No circle, no note twice, and what was raised is there; an interruption is never replaced."""
    run = partial(run_scenario, name, can_delete=can_delete, monkeypatch=monkeypatch)

    async def run_all() -> list[object]:
        first, failure = await run(0, "")
        found: list[object] = [] if failure is None else [*find_wrong(failure, first)]
        cells = [(number, how) for number in range(1, len(first.sent) + 1) for how in HOWS]
        for number, how in cells[:: stride(6)]:
            transport, error = await run(number, how)
            if failure is None:  # a report has the failures of store
                transport.raised = [each for each in transport.raised if not isinstance(each, OSError)]
            found += [] if error is None else [(number, how, each) for each in find_wrong(error, transport)]
        return found

    assert asyncio.run(run_all()) == []
