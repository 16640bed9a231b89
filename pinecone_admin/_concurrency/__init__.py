"""Code that differs too much between sync and async to be derived: time, waits, sockets, values of an event loop.

The client reads the time from ``current_clock``; only sockets use the real time. Modules that only async code needs are
imported where they are used, so that the sync client loads no event loop.
"""

from pinecone_admin._concurrency.attempts import (
    AttemptProgress,
    current_progress,
    hide_details_in_logs,
    limit_attempt,
    time_left,
)
from pinecone_admin._concurrency.clock import (
    ClientClock,
    PollBackoff,
    SystemClock,
    async_pause_for,
    current_clock,
    pause_for,
    use_clock,
)
from pinecone_admin._concurrency.fork import lock_free_cached_property, preload_before_fork
from pinecone_admin._concurrency.parallel import async_run_in_parallel, run_in_parallel
from pinecone_admin._concurrency.per_loop import PerLoop, PerProcess
from pinecone_admin._concurrency.sockets import (
    async_make_backend,
    async_receive_size,
    async_resolve_addresses,
    async_shut_down_socket,
    make_backend,
    receive_size,
    resolve_addresses,
    shut_down_socket,
)
from pinecone_admin._concurrency.waiting import (
    AsyncFairSemaphore,
    FairSemaphore,
    async_call_store,
    async_shield_from_cancellation,
    async_wait_for_future,
    call_store,
    fetch_first_token,
    set_result_once,
    shield_from_cancellation,
    skip_first_token,
    start_daemon_thread,
    wait_for_future,
)

__all__ = [
    "AsyncFairSemaphore",
    "AttemptProgress",
    "ClientClock",
    "FairSemaphore",
    "PerLoop",
    "PerProcess",
    "PollBackoff",
    "SystemClock",
    "async_call_store",
    "async_make_backend",
    "async_pause_for",
    "async_receive_size",
    "async_resolve_addresses",
    "async_run_in_parallel",
    "async_shield_from_cancellation",
    "async_shut_down_socket",
    "async_wait_for_future",
    "call_store",
    "current_clock",
    "current_progress",
    "fetch_first_token",
    "hide_details_in_logs",
    "limit_attempt",
    "lock_free_cached_property",
    "make_backend",
    "pause_for",
    "preload_before_fork",
    "receive_size",
    "resolve_addresses",
    "run_in_parallel",
    "set_result_once",
    "shield_from_cancellation",
    "shut_down_socket",
    "skip_first_token",
    "start_daemon_thread",
    "time_left",
    "use_clock",
    "wait_for_future",
]
