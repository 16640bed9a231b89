"""docs/observability.md: each recipe runs, and records what the page says."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Generator
from contextvars import ContextVar
from pathlib import Path
from threading import current_thread, main_thread
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pinecone_admin import Admin, AttemptEvent, BadRequestError, PineconeConnectionError
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.testing import emulate

PAGE = (Path(__file__).resolve().parent.parent / "docs/observability.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## ([\w ]+)\n.*?^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


class Metric:
    """Stands for a Counter and a Histogram of prometheus_client, as far as the recipe uses them."""

    recorded: dict[tuple[str, ...], float]

    def __init__(self, name: str, documentation: str, labelnames: list[str]) -> None:
        assert name.startswith("pinecone_admin_")
        assert documentation.endswith(".")
        self.recorded = {}
        self._labels = labelnames
        self._key: tuple[str, ...] = ()

    def labels(self, *values: str) -> Metric:
        """Select the values of the labels."""
        assert len(values) == len(self._labels)
        self._key = values
        return self

    def inc(self) -> None:
        """Count one."""
        self.recorded[self._key] = self.recorded.get(self._key, 0) + 1

    def observe(self, value: float) -> None:
        """Record a value."""
        assert value >= 0
        self.recorded[self._key] = value


def run_recipe(name: str) -> dict[str, Any]:
    """Run a recipe, and return its variables."""
    variables: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(RECIPES[name], "observability.md", "exec"), variables)
    return variables


@pytest.fixture(autouse=True)
def emulator() -> Generator[Emulator, None, None]:
    """Put the emulator in the place of the service; the first list of projects fails once."""
    with emulate() as emulator:
        emulator.faults.add("list_projects", status=503)
        yield emulator


def test_prometheus_counts_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metrics have every attempt, by operation and result."""
    module: Any = ModuleType("prometheus_client")
    module.Counter = module.Histogram = Metric
    monkeypatch.setitem(sys.modules, "prometheus_client", module)
    variables = run_recipe("Prometheus")
    assert variables["ATTEMPTS"].recorded == {
        ("get_token", "200"): 1,
        ("list_projects", "503"): 1,
        ("list_projects", "200"): 1,
    }
    assert variables["SECONDS"].recorded.keys() == {("get_token",), ("list_projects",)}


def test_opentelemetry_has_a_span_for_each_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe makes a span of each attempt, below the caller's own span."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr("opentelemetry.sdk.trace.export.ConsoleSpanExporter", lambda: exporter)
    try:
        run_recipe("OpenTelemetry")
    finally:
        HTTPXClientInstrumentor().uninstrument()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["POST", "GET", "GET", "report"]
    parent = spans[-1].context
    assert parent is not None
    assert [span.parent and span.parent.span_id for span in spans[1:3]] == [parent.span_id] * 2


def test_a_token_exchange_has_no_context_variables_of_the_call() -> None:
    """The attempts of a call have its context variables; those of an exchange, which calls share, have none.

    An exchange runs in another thread than the call, except in an emulation.
    """
    variable = ContextVar("request", default="none")
    seen: dict[str | None, tuple[str, bool]] = {}

    def record(event: AttemptEvent) -> None:
        seen[event.operation] = variable.get(), current_thread() is main_thread()

    variable.set("r-1")
    with emulate(), Admin(on_attempt=record) as admin:
        admin.projects.list()
    assert seen == {"get_token": ("none", True), "list_projects": ("r-1", True)}
    emulator = Emulator()
    with (
        serving(emulator) as host,
        Admin(
            host=host,
            oauth_url=emulator.oauth_url,
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            on_attempt=record,
        ) as admin,
    ):
        admin.projects.list()
    assert seen == {"get_token": ("none", False), "list_projects": ("r-1", True)}


def test_log_records_have_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """The records of the logger have the fields of the event; a warning has none, and its call goes on."""
    logger = logging.getLogger("pinecone_admin")
    handlers, level = list(logger.handlers), logger.level
    try:
        run_recipe("Logs")
        with Admin(on_attempt=lambda event: [][event.attempt]) as admin:  # what it raises is a warning
            admin.projects.list()
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
    lines = [line.rsplit(" ", 1)[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["get_token 200", "list_projects 503", "list_projects 200", "get_token 200", "list_projects 200"]


class FailingHandler(logging.Handler):
    """A handler that fails for the records of one operation."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def emit(self, record: logging.LogRecord) -> None:
        """Raise for the creation of a project."""
        if vars(record).get("operation") == "create_project":
            raise self._error


@pytest.mark.parametrize(
    ("error", "unreachable", "message", "outcome"),
    [
        (
            KeyError("no such field"),
            False,
            "other code failed in the call to api.pinecone.io: KeyError; the request was processed",
            "done",
        ),
        (KeyError("no such field"), True, "other code failed in the call to api.pinecone.io: KeyError", "not_sent"),
        (
            OSError("no space left"),
            False,
            "incomplete response from api.pinecone.io: OSError; the request was processed",
            "done",
        ),
        (OSError("no space left"), True, "no response from api.pinecone.io: OSError", "not_sent"),
    ],
)
def test_an_exception_of_a_log_handler_does_not_hide_the_outcome(
    error: Exception, unreachable: bool, message: str, outcome: str
) -> None:
    """The call raises an error that names the class of the exception, and shows whether the request took effect."""
    logger, handler = logging.getLogger("pinecone_admin"), FailingHandler(error)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with emulate() as emulator, Admin() as admin:
            if unreachable:
                emulator.faults.add("create_project", unreachable=True)
            with pytest.raises(PineconeConnectionError) as caught:
                admin.projects.create(name="search")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert str(caught.value) == f"create_project: {message}"
    assert (caught.value.outcome, caught.value.safe_to_retry) == (outcome, outcome == "not_sent")
    assert len(emulator.state.projects) == (outcome == "done")


def test_the_page_shows_messages_of_log_handlers_that_failed() -> None:
    """The page shows the messages that the test above gets."""
    for message in (
        "`other code failed in the call to api.pinecone.io: KeyError`",
        "`no response from api.pinecone.io: OSError`",
        "`…; the request was processed`",
    ):
        assert message in PAGE


def test_a_record_shows_what_a_failed_run_did(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The record has each change, also the undo, and the notes of the error, but no secret and no end."""
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    emulator.faults.add("api_keys.update", status=400)
    with pytest.raises(BadRequestError) as caught:
        run_recipe("Keep a record of changes")
    text = (tmp_path / "changes.jsonl").read_text(encoding="utf-8")
    first, *between, last = map(json.loads, text.splitlines())
    (key,) = emulator.state.api_keys.values()
    assert (first["begin"], first["name"]) == ("provision", "shop")
    assert [line.get("operation") for line in between] == ["create_project", "create_api_key", None, "update_api_key"]
    assert between[2]["storing"]["key"]["id"] == key.id
    assert key.value not in text
    assert (last["error"], last["notes"]) == ("BadRequestError", caught.value.__notes__)
