"""Code that differs too much between sync and async to be derived: time, waits, sockets, values of an event loop.

The client reads the time from ``current_clock``; only sockets use the real time. Modules that only async code needs are
imported where they are used, so that the sync client loads no event loop.
"""
