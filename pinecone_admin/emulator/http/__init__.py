"""Ways into the emulator: an httpx transport in process; an ASGI application and a server over HTTP."""
