#!/usr/bin/env python3
"""Measure what the largest response that the client accepts costs: processor time, and memory at its peak.

Usage: tests/benchmarks/large_body.py [--shape]

Each body has 4 MiB and goes through a client, from a scripted transport to a page or an error, in a process of its own.
Lists in lists are the costliest that was found: two bytes each make an object that the garbage collector visits.
Prints JSON, which scripts/evidence keeps; --shape prints what is measured, and measures nothing.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pinecone_admin import Admin
from pinecone_admin._http.call_state import MAX_RESPONSE_BYTES
from pinecone_admin.errors import ResponseParsingError
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

NUMBER = "000000000001"
"""Stands for the number of an item, because a list drops an id that it has read before."""
BINDING = {
    "id": f"9f000000-0000-4000-8000-{NUMBER}",
    "principal_type": "user",
    "principal_id": "9f000000-0000-4000-8000-000000000002",
    "resource_type": "project",
    "resource_id": "9f000000-0000-4000-8000-000000000003",
    "role": "ProjectEditor",
    "created_at": "2026-05-06T07:30:00Z",
}
ITEMS = {
    "role bindings": json.dumps(BINDING),
    "role bindings with dates for python-dateutil": json.dumps(BINDING | {"created_at": "2026-05-06T24:00:00Z"}),
    "empty objects": "{}",
    **{f"lists in lists, {depth} deep": "[" * depth + "]" * depth for depth in (1, 100)},
}
"""Items of a list of role bindings; those that are none follow one that is."""


def measure(name: str) -> dict[str, object]:
    """Return what a body of an item costs: processor time in seconds, memory in bytes, and what the client found."""
    item = ITEMS[name]
    # Piece by piece, so that the peak of the memory before the measurement hides nothing.
    body = bytearray(('{"data":[' + ITEMS["role bindings"].replace(NUMBER, "0" * len(NUMBER))).encode())
    for number in range(1, (MAX_RESPONSE_BYTES - len(body) - 2) // (len(item) + 1) + 1):
        body += f",{item.replace(NUMBER, f'{number:0{len(NUMBER)}}')}".encode()
    responses = [ScriptedResponse(body=bytes(body + b"]}"))] * 2
    admin = Admin(access_token="supplied", transport=ScriptedTransport(*responses))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    try:
        found = f"{len(next(iter(admin.role_bindings.list().pages())).items):,} items"
    except ResponseParsingError as error:
        found = f"error at {error.path}"
    seconds, peak = time.thread_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "memory": (peak - before) * 1024, "found": found}


if __name__ == "__main__":
    shape = {"bytes": MAX_RESPONSE_BYTES, "items": list(ITEMS)}
    if sys.argv[1:] == ["--shape"]:
        print(json.dumps({"shape": shape}))
    elif sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1])))
    else:
        commands = {name: [sys.executable, __file__, name] for name in ITEMS}
        figures = {name: json.loads(subprocess.check_output(command)) for name, command in commands.items()}
        print(json.dumps({"shape": shape, "figures": figures, "rounds": 1}))
