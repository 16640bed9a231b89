"""Tools that intercept httpx's transports see every request of a client, and decide what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import vcr  # type: ignore[import-untyped]
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock

from pinecone_admin import PineconeConnectionError
from pinecone_admin.testing import emulate
from tests.faults.cases import CLIENT_KINDS, PATH, ClientKind, make_operation
from tests.faults.clients import AnyClient
from tests.faults.random_creates import EMULATED_FAULTS
from tests.faults.server import Server, send_project

PROJECT = {"id": "x", "name": "x", "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
HOST = "https://api.example"


@pytest.fixture(params=CLIENT_KINDS)
def client(request: pytest.FixtureRequest) -> Iterator[AnyClient]:
    """Return a client of a host that does not exist."""
    with AnyClient(request.param, host=HOST, access_token="supplied") as client:
        yield client


def test_pytest_httpx_responds(client: AnyClient, httpx_mock: HTTPXMock) -> None:
    """A client gets the response of pytest-httpx, and a retry its next one."""
    httpx_mock.add_response(503, json={})
    httpx_mock.add_response(json=PROJECT)
    assert client.describe_project() == "x"
    assert [str(request.url) for request in httpx_mock.get_requests()] == [f"{HOST}/admin/projects/x"] * 2


def test_respx_responds(client: AnyClient) -> None:
    """A client gets the response of respx, which intercepts at the connections of httpcore."""
    with respx.mock as router:
        route = router.get(f"{HOST}/admin/projects/x").respond(json=PROJECT)
        assert client.describe_project() == "x"
        assert route.call_count == 1


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_vcr_records_and_replays(client_kind: ClientKind, tmp_path: Path) -> None:
    """A cassette of vcr replays a call that it recorded, without a server."""
    cassette = vcr.VCR(filter_headers=["authorization"]).use_cassette
    with Server() as server:
        with (
            cassette(str(tmp_path / "calls.yaml")),
            AnyClient(client_kind, host=server.url, access_token="supplied") as client,
        ):
            assert client.describe_project("recorded") == "recorded"
        assert len(server.requests) == 1
    with (
        cassette(str(tmp_path / "calls.yaml"), record_mode=vcr.mode.NONE),
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        assert client.describe_project("recorded") == "recorded"


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_opentelemetry_traces_attempts(client_kind: ClientKind) -> None:
    """The instrumentation of httpx makes a span of each attempt, and adds its header to the request."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with Server() as server, AnyClient(client_kind, host=server.url, access_token="supplied") as client:
            assert client.describe_project() == "x"
            (request,) = server.requests
    finally:
        instrumentor.uninstrument()
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["http.status_code"] == 200
    assert span.context is not None
    assert f"{span.context.span_id:016x}" in request.headers["traceparent"]


INTERRUPTED = [httpx.ReadError("reset"), httpx.WriteError("reset"), httpx.RemoteProtocolError("EOF"), OSError("x")]


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("error", INTERRUPTED, ids=lambda error: type(error).__name__)
def test_intercepted_create_is_sent_once(error: Exception, client_kind: ClientKind) -> None:
    """An open connection that saw nothing of an intercepted create does not make it count as not sent."""
    with (
        Server(api_actions=[send_project]) as server,
        AnyClient(client_kind, host=server.url, access_token="supplied") as client,
    ):
        assert client.describe_project() == "x"
        with respx.mock as router:
            route = router.post(server.url + PATH).mock(side_effect=error)
            result = client.run_call(lambda: client.admin.send(make_operation("POST")))
            assert isinstance(result, PineconeConnectionError)
            assert (result.outcome, result.attempts, route.call_count) == ("unknown", 1, 1)
        assert client.describe_project() == "x"


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
@pytest.mark.parametrize("fault", EMULATED_FAULTS, ids=str)
def test_emulated_create_is_processed_once(fault: dict[str, Any], client_kind: ClientKind) -> None:
    """For every fault within the emulator, a create is processed at most once."""
    with emulate() as emulator, AnyClient(client_kind) as client:
        for faults in (1, 2, None):
            emulator.faults.clear()
            emulator.faults.add("create_project", times=faults, **fault)
            before = len(emulator.state.projects)
            client.run_call(lambda: client.admin.projects.create(name=f"p-{faults}"))  # noqa: B023 - called at once
            assert len(emulator.state.projects) <= before + 1
