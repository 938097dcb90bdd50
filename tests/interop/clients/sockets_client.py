"""KX's C library, by itself and in PyKX, and kola, over one kind of socket: what `2+3` comes to.

    sockets_client.py libe|pykx|kola tcp|unix|tls|unixs PORT USER:PASSWORD

Prints the answer, or `refused` and the library's reason. What TLS is told stands in the environment,
which the library reads once, so that each attempt is a process of its own.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

UNIX = "0.0.0.0"
"""The host by which the library means the Unix domain socket."""
TLS = 2
TIMEOUT = 30_000


def main(library: str, socket: str, port: str, credentials: str) -> None:
    ask = {"libe": ask_by_libe, "pykx": ask_by_pykx, "kola": ask_by_kola}[library]
    print(ask(socket, int(port), credentials))


def ask_by_libe(socket: str, port: int, credentials: str) -> str:
    import libe

    connect = libe.C.khpunc
    connect.restype = ctypes.c_int
    connect.argtypes = (ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_int)
    host = UNIX if socket in ("unix", "unixs") else "127.0.0.1"
    capability = 1 | (TLS if socket in ("tls", "unixs") else 0)
    handle = connect(host.encode(), port, credentials.encode(), TIMEOUT, capability)
    if handle <= 0:
        return f"refused {handle}"
    answer = libe.K(libe.C.k(handle, b"2+3", None))
    number = ctypes.c_longlong.from_address(answer.pointer + 8).value
    libe.C.kclose(handle)
    return str(number)


def ask_by_pykx(socket: str, port: int, credentials: str) -> str:
    import os

    os.environ["PYKX_UNLICENSED"] = "1"
    os.environ["PYKX_SUPPRESS_WARNINGS"] = "1"
    import pykx

    user, password = credentials.split(":")
    options = {
        "tcp": {"host": "127.0.0.1", "port": port},
        "unix": {"port": port, "unix": True},
        "tls": {"host": "127.0.0.1", "port": port, "tls": True},
    }[socket]
    try:
        with pykx.SyncQConnection(username=user, password=password, no_ctx=True, **options) as q:
            return str(q("2+3").py())
    except (pykx.QError, pykx.PyKXException) as error:
        return f"refused {error}"


def ask_by_kola(socket: str, port: int, credentials: str) -> str:
    import kola
    from kola.exceptions import KolaAuthError

    user, password = credentials.split(":")
    q = kola.Q("localhost", port, user, password, enable_tls=socket == "tls")
    try:
        q.connect()
    except KolaAuthError as error:
        return f"refused {error}"
    return str(q.sync("2+3"))


main(*sys.argv[1:])
