"""A small q whose every answer is bytes made by KX's own C library, found inside PyKX.

The sockets and the handshake are this script's, the messages are the library's: it makes the
answers of ANSWERS, and it checks (`okx`) and reads (`d9`) what a client sends. Any other text is an
error by its own name, as q says of an unknown name; what is no text is echoed, read and written
again by the library; what the library refuses is the error `badmsg`.

Prints `login CREDENTIALS CAPABILITY` for each login and `async TEXT` for each async message (the
whole message in hex if it is no text).
"""

from __future__ import annotations

import argparse
import asyncio
import struct
from functools import partial

import libe
import peer

SYNC = 1
SILENCE = b"never"
PUSHES_FIRST = b"push then 2+3"

ANSWERS: dict[bytes, bytes] = {
    b"til 5": libe.message(libe.longs(range(5))),
    b"2+3": libe.message(libe.K(libe.C.kj(5))),
    b"-2+3": libe.message(libe.K(libe.C.kj(1))),
    PUSHES_FIRST: libe.message(libe.K(libe.C.kj(5))),
    b"`abc": libe.message(libe.K(libe.C.ks(b"abc"))),
    b'"text"': libe.message(libe.chars(b"text")),
    b"::": libe.message(libe.identity()),
    b"1+`a": libe.error(b"type"),
    b"2026.11.22": libe.message(libe.K(libe.C.kd(9822))),
    b"2026.11.22D01:02:03.000000004": libe.message(libe.K(libe.C.ktj(-12, 848624523000000004))),
    b"(1;`a;2 3f)": libe.message(
        libe.items(libe.K(libe.C.kj(1)), libe.K(libe.C.ks(b"a")), libe.floats([2, 3]))
    ),
    b"`a`b!1 2": libe.message(libe.dictionary(libe.symbols(b"a", b"b"), libe.longs([1, 2]))),
    b"t": libe.message(
        libe.table(
            libe.dictionary(
                libe.symbols(b"s", b"p"),
                libe.items(libe.symbols(b"a", b"b"), libe.floats([1.5, 2])),
            )
        )
    ),
    b"til 100000": libe.message(libe.longs(range(100_000)), mode=3 | libe.COMPRESSED),
}


async def connection(
    options: argparse.Namespace, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        login = await reader.readuntil(b"\0")
        peer.say(f"login {login[:-2].decode('latin-1')} {login[-2]}")
        if options.silent:
            await reader.read()
        elif not options.refuse:
            writer.write(bytes([options.reply]))
            while True:
                await answer(*await receive(reader), writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has gone
    finally:
        writer.close()


async def receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The kind of the next message and all its bytes."""
    header = await reader.readexactly(8)
    order = "<" if header[0] else ">"
    (length,) = struct.unpack(f"{order}I", header[4:])
    return header[1], header + await reader.readexactly(length - len(header))


async def answer(kind: int, raw: bytes, writer: asyncio.StreamWriter) -> None:
    try:
        query = libe.read(raw)
        text = query.text()
    except libe.Invalid:
        query, text = None, None
    if kind != SYNC:
        peer.say(f"async {text.decode('latin-1') if text is not None else raw.hex()}")
        return
    if text == SILENCE:
        return
    if text == PUSHES_FIRST:
        writer.write(libe.message(libe.chars(b"news"), kind=0))
    if query is None:
        writer.write(libe.error(b"badmsg"))
    elif text is None:
        writer.write(libe.message(query))
    else:
        writer.write(ANSWERS.get(text) or libe.error(text))
    await writer.drain()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    login = arguments.add_mutually_exclusive_group()
    login.add_argument("--reply", type=int, default=3, help="the byte that answers a login")
    login.add_argument("--refuse", action="store_true", help="close without that byte")
    login.add_argument("--silent", action="store_true", help="never answer a login")
    peer.serve(partial(connection, arguments.parse_args()))


if __name__ == "__main__":
    main()
