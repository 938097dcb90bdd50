"""What the servers of this folder share: where they listen, what they print, when they end.

A peer listens on 127.0.0.1 and a free port, says `listening on 127.0.0.1:PORT` on standard output
once it does, and ends when its standard input closes or on SIGTERM. Whoever started it can
therefore neither miss the port nor leave it behind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable

Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def say(line: str) -> None:
    """Prints a line for whoever started this peer, at once."""
    print(line, flush=True)


def serve(connection: Connection) -> None:
    """Hands every connection to `connection` until the peer is told to end."""
    asyncio.run(_serve(connection))


async def _serve(connection: Connection) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, end.set)

    def wait_for_stdin() -> None:
        while os.read(0, 4096):
            pass
        try:
            loop.call_soon_threadsafe(end.set)
        except RuntimeError:
            pass  # SIGTERM came first: the loop is closed

    threading.Thread(target=wait_for_stdin, daemon=True).start()

    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connection(reader, writer)
        except asyncio.CancelledError:
            pass  # the peer ends with a connection open: nothing to complain of

    server = await asyncio.start_server(until_the_end, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    say(f"listening on {host}:{port}")
    await end.wait()
    server.close()
