#!/usr/bin/env python3
"""Measure how long the client takes for large bodies of many shapes, and how much memory, beside json.loads.

Usage: tests/benchmarks/bodies.py [--size MiB] [--rounds 5] [--warm] [--check] [TEXT]

Each body goes through the client, from a scripted transport to a model or an error. The figures are ratios to
json.loads of ordinary role bindings of the same size, measured in turns: the median of the processor time of the
thread, each time in a forked child, and the peak of the memory that Python allocates. With --warm, all calls of a
shape run in one process, where json.loads uses the memory of the calls before it again: its time is shorter, so that
the ratios are higher. With TEXT, only shapes with that text in their names are measured. The goal is 3 times the time
and 6 times the memory; what misses it is marked, and with --check the exit status is then 1. Other work on the machine
can slow a few rounds down, so a shape that is beyond 90 % of the goal is measured again, in three times as many rounds;
these alone count. A run takes some minutes. Needs Linux.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import time
import traceback
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pinecone_admin import Admin, RetryPolicy
from pinecone_admin.errors import PineconeError
from tests.benchmarks.body_makers import ID, Shape, ordinary
from tests.benchmarks.body_shapes import SHAPES
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

MOST_TIME, MOST_MEMORY = 3.0, 6.0
CLEARLY_WITHIN = 0.9 * MOST_TIME


def call_client(shape: Shape, body: bytes) -> object:
    """Return what the client makes of a response: a page, a list, a model or an error."""
    transport = ScriptedTransport(ScriptedResponse(shape.status, body))
    admin = Admin(client_id="id", client_secret="secret", transport=transport, retry=RetryPolicy(max_attempts=1))
    try:
        if shape.call == "describe":
            return admin.projects.describe(project_id=ID.format(1))
        if shape.call == "api_keys":
            return admin.api_keys.list(project_id=ID.format(1))
        found = getattr(admin, shape.call).list()
        return next(iter(found.pages())) if hasattr(found, "pages") else found
    except PineconeError as exc:
        return exc


def measure_warm_time(function: Callable[[], object]) -> float:
    """Return the processor time of a call in seconds, without that of freeing its result."""
    gc.collect()  # else the counters of earlier calls decide how often this one collects garbage
    started = time.thread_time()
    result = function()
    taken = time.thread_time() - started
    del result
    return taken


def measure_cold_time(function: Callable[[], object]) -> float:
    """Return the processor time of a call in seconds, in a forked child, whose memory no earlier call has warmed up."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            started = time.thread_time()
            kept = function()
            taken = time.thread_time() - started
            os.write(sending, f"{taken} {id(kept)}".encode())
        finally:
            os._exit(0)
    os.close(sending)
    figures = os.read(receiving, 100)  # nothing if the child has failed, which then raises below
    os.close(receiving)
    os.waitpid(child, 0)
    return float(figures.split()[0])


def measure_memory(function: Callable[[], object]) -> int:
    """Return the largest number of bytes that were allocated at once."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def measure_shape(shape: Shape, usual: bytes, usual_memory: int, *, rounds: int, is_warm: bool) -> bool:
    """Print the line of a shape, for a body as large as the usual one, and return whether it misses the goal."""
    measure_time = measure_warm_time if is_warm else measure_cold_time
    body = shape.make(len(usual))
    call_client(shape, body[:100])  # the first call loads modules
    for count in (rounds, 3 * rounds):
        ratio = statistics.median(
            measure_time(lambda: call_client(shape, body)) / measure_time(lambda: json.loads(usual))
            for _ in range(count)
        )
        if ratio <= CLEARLY_WITHIN:
            break
    memory = measure_memory(lambda: call_client(shape, body)) / usual_memory
    result = call_client(shape, body)
    is_missed = ratio > MOST_TIME or memory > MOST_MEMORY
    outcome = str(result)[:70] if isinstance(result, PineconeError) else "accepted"
    mark = "!" if is_missed else " "
    print(f"{mark} {shape.name[:56]:56} time {ratio:5.2f}  memory {memory:5.2f}  {outcome!a}", flush=True)
    return is_missed


def run_in_child(function: Callable[[], bool]) -> bool:
    """Return what a function returns in a forked child: the memory of one shape must not change the time of another."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = int(function())
        except Exception:  # noqa: BLE001 - the parent has to know
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in {0, 1}:
        raise SystemExit(f"a child ended with status {status}")
    return bool(status)


def main() -> int:
    """Print a line for each shape."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("text", nargs="?", default="")
    options = parser.parse_args()
    usual = ordinary(int(options.size * 2**20))
    usual_memory = measure_memory(lambda: json.loads(usual))
    shapes = [shape for shape in SHAPES if options.text in shape.name]
    if not shapes:
        parser.error(f"no shape has {options.text!r} in its name")
    missed = sum(
        run_in_child(
            lambda: measure_shape(shape, usual, usual_memory, rounds=options.rounds, is_warm=options.warm)  # noqa: B023
        )
        for shape in shapes
    )
    print(f"{missed} beyond {MOST_TIME} times the time or {MOST_MEMORY} times the memory")
    return int(options.check and missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
