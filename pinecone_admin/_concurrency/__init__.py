"""What has no twin in text between sync and async: time, waits, sockets, and what belongs to one event loop.

The client takes its time from ``current_clock``; only sockets live by the real one. What only async needs is imported
where it is used, so that the sync client loads no event loop.
"""

from pinecone_admin._concurrency.clock import Clock, Patience, SystemClock, async_pause, current_clock, pause, use_clock
from pinecone_admin._concurrency.fork import made_once, preload_before_fork
from pinecone_admin._concurrency.parallel import async_in_parallel, in_parallel
from pinecone_admin._concurrency.per_loop import PerLoop, PerProcess
from pinecone_admin._concurrency.sockets import (
    addresses,
    async_addresses,
    async_bound_reads,
    async_hang_up,
    bound_reads,
    hang_up,
)
from pinecone_admin._concurrency.waiting import (
    AsyncSlots,
    Slots,
    async_hand_over,
    async_shielded,
    async_wait_for,
    connect_later,
    connect_now,
    finish,
    hand_over,
    shielded,
    start_thread,
    wait_for,
)

__all__ = [
    "AsyncSlots",
    "Clock",
    "Patience",
    "PerLoop",
    "PerProcess",
    "Slots",
    "SystemClock",
    "addresses",
    "async_addresses",
    "async_bound_reads",
    "async_hand_over",
    "async_hang_up",
    "async_in_parallel",
    "async_pause",
    "async_shielded",
    "async_wait_for",
    "bound_reads",
    "connect_later",
    "connect_now",
    "current_clock",
    "finish",
    "hand_over",
    "hang_up",
    "in_parallel",
    "made_once",
    "pause",
    "preload_before_fork",
    "shielded",
    "start_thread",
    "use_clock",
    "wait_for",
]
