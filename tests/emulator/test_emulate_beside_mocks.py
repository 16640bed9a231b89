"""The fixture beside pytest-httpx, respx and vcr: the responder of each request, as in docs/emulator.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import httpx
import pytest
import respx
import vcr  # type: ignore[import-untyped]
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.testing import emulate
from pinecone_admin.testing._guard import ProductionOutOfReachError

OTHER = "https://other.example/"
PROJECTS = "https://api.pinecone.io/admin/projects"
TOKEN = "https://login.pinecone.io/oauth/token"


def use_clients(emulator: Emulator) -> None:
    """Require that a sync and an async client reach the emulator."""

    async def create() -> str:
        async with AsyncAdmin() as admin:
            return (await admin.projects.create(name="async")).id

    with Admin() as admin:
        created = {admin.projects.create(name="sync").id, asyncio.run(create())}
    assert created <= set(emulator.state.projects)


def test_emulator_after_pytest_httpx(httpx_mock: HTTPXMock, pinecone_emulator: Emulator) -> None:
    """If httpx_mock comes first, the emulator responds for Pinecone and httpx_mock for other hosts."""
    httpx_mock.add_response(text="mocked")
    use_clients(pinecone_emulator)
    assert httpx.get(OTHER).text == "mocked"
    assert [str(request.url) for request in httpx_mock.get_requests()] == [OTHER]


def test_pytest_httpx_after_emulator(pinecone_emulator: Emulator, httpx_mock: HTTPXMock) -> None:
    """If httpx_mock comes last, it responds for Pinecone, too."""
    httpx_mock.add_response(url=TOKEN, json={"access_token": "t", "token_type": "Bearer", "expires_in": 60})
    httpx_mock.add_response(url=PROJECTS, json={"data": []})
    with Admin() as admin:
        assert list(admin.projects.list()) == []
    assert len(pinecone_emulator.requests) == 0


@pytest.mark.parametrize("order", ["mock, outer, inner", "outer, mock, inner"])
def test_the_outermost_emulation_decides_the_order(order: str, request: pytest.FixtureRequest) -> None:
    """If httpx_mock comes after the outermost emulation, it responds for Pinecone, also in an inner emulation."""
    with ExitStack() as entered:
        for each in order.split(", "):
            if each == "mock":
                mock = request.getfixturevalue("httpx_mock")
                mock.add_response(
                    url=TOKEN, json={"access_token": "t", "token_type": "Bearer", "expires_in": 60}, is_optional=True
                )
                mock.add_response(url=PROJECTS, json={"data": []}, is_optional=True)
            else:
                emulator = entered.enter_context(emulate())
        with Admin() as admin:
            assert list(admin.projects.list()) == []
        assert bool(len(emulator.requests)) == (order == "mock, outer, inner")


@pytest.mark.httpx_mock(should_mock=lambda request: not request.url.host.endswith(".pinecone.io"))
def test_pytest_httpx_lets_pinecone_through(pinecone_emulator: Emulator, httpx_mock: HTTPXMock) -> None:
    """If httpx_mock comes last, its option should_mock lets requests through to the emulator."""
    httpx_mock.add_response(text="mocked")
    use_clients(pinecone_emulator)
    assert httpx.get(OTHER).text == "mocked"


@pytest.mark.parametrize("respx_first", [True, False])
def test_emulator_wins_over_respx(respx_first: bool) -> None:
    """In either order, the emulator responds for Pinecone and respx for other hosts."""
    emulator, router = Emulator(), respx.mock(assert_all_called=False)
    first: AbstractContextManager[object] = router if respx_first else emulate(emulator)
    second: AbstractContextManager[object] = emulate(emulator) if respx_first else router
    with first, second:
        route = router.route(host="api.pinecone.io").respond(500)
        router.get(OTHER).respond(text="mocked")
        use_clients(emulator)
        assert httpx.get(OTHER).text == "mocked"
    assert route.call_count == 0


def read_clock(url: str) -> httpx.Response:
    """Send a request to a host other than Pinecone's."""
    return httpx.get(f"{url}/_emulator/clock").raise_for_status()


def test_emulator_after_vcr(tmp_path: Path) -> None:
    """If the cassette is entered first, the emulator responds for Pinecone, and the cassette records other hosts."""
    with serving(Emulator()) as url:
        with vcr.use_cassette(str(tmp_path / "calls.yaml")) as cassette, emulate() as emulator:
            use_clients(emulator)
            recorded = read_clock(url).text
        assert [request.path for request in cassette.requests] == ["/_emulator/clock"]
    with vcr.use_cassette(str(tmp_path / "calls.yaml")), emulate():
        assert read_clock(url).text == recorded


RECORDED = f"""
version: 1
interactions:
- request: {{method: GET, uri: "{PROJECTS}", body: null, headers: {{}}}}
  response:
    status: {{code: 200, message: OK}}
    headers: {{}}
    body: {{string: recorded}}
"""


@pytest.mark.parametrize("ignore", [[], ["api.pinecone.io"]], ids=["recorded", "ignored"])
def test_vcr_after_emulator(ignore: list[str], tmp_path: Path) -> None:
    """If the cassette is entered last, it replays its responses of Pinecone, and other requests are refused."""
    (tmp_path / "calls.yaml").write_text(RECORDED)
    cassette = vcr.VCR(record_mode=vcr.mode.NEW_EPISODES, ignore_hosts=ignore).use_cassette
    refused: list[Callable[[], object]] = [lambda: httpx.get(f"{PROJECTS}/other")]
    with emulate() as emulator, cassette(str(tmp_path / "calls.yaml")):
        if ignore:
            refused.append(lambda: httpx.get(PROJECTS))
        else:
            assert httpx.get(PROJECTS).text == "recorded"
        for send in refused:
            with pytest.raises(ProductionOutOfReachError):
                send()
    assert len(emulator.requests) == 0


def test_fault_replaces_one_response(pinecone_emulator: Emulator) -> None:
    """A fault replaces one response of the emulator, with no mock at all."""
    pinecone_emulator.faults.add("list_projects", status=200, body={"data": []})
    with Admin() as admin:
        admin.projects.create(name="search")
        assert [len(list(admin.projects.list())) for _ in range(2)] == [0, 1]


def test_opentelemetry_makes_spans_if_it_instruments_httpx_inside_the_emulation() -> None:
    """Requests to the emulator make spans if httpx is instrumented inside the emulation, and none if before it."""
    exporter, provider, instrumentor = InMemorySpanExporter(), TracerProvider(), HTTPXClientInstrumentor()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def instrument(stack: ExitStack) -> None:
        instrumentor.instrument(tracer_provider=provider)
        stack.callback(instrumentor.uninstrument)

    with ExitStack() as stack:
        instrument(stack)
        with emulate(), Admin() as admin:
            admin.projects.list()
    assert exporter.get_finished_spans() == ()
    with emulate(), ExitStack() as stack:
        instrument(stack)
        stack.enter_context(Admin()).projects.list()
    assert [span.name for span in exporter.get_finished_spans()] == ["POST", "GET"]
