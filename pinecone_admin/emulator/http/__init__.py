"""How requests reach the emulator: an httpx transport in process, an ASGI application and server over sockets."""
