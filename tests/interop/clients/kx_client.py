"""KX's own C library, `libe`, as PyKX ships it: `khpu` logs in, `k` asks, `b9` writes what came."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

import check  # noqa: E402 – libe is in the folder above
import libe  # noqa: E402
import values  # noqa: E402

HEADER = 8
ERROR = -128

LIMITS = {
    "libe reads a lambda as its text": ("lambda", "lambda in a context"),
}


class Refused(Exception):
    """`khpu` says that the login was refused."""


class Signal(Exception):
    """The server signalled an error."""


class Handle:
    def __init__(self, host: str, port: int, credentials: str) -> None:
        self._handle = libe.C.khpu(host.encode(), port, credentials.encode())
        if self._handle == 0:
            raise Refused
        if self._handle < 0:
            raise ConnectionError(f"khpu returned {self._handle}")

    def ask(self, text: str, *arguments: libe.K) -> libe.K:
        """Asks a text, or calls a function; the arguments stay the caller's."""
        given = [ctypes.c_void_p(libe.C.r1(argument.pointer)) for argument in arguments]
        answer = libe.C.k(self._handle, text.encode(), *given, ctypes.c_void_p())
        if not answer:
            raise ConnectionError("k returned NULL")
        answer = libe.K(answer)
        if answer.kind == ERROR:
            raise Signal(answer.name().decode())
        return answer

    def tell(self, text: str) -> None:
        if not libe.C.k(-self._handle, text.encode(), ctypes.c_void_p()):
            raise ConnectionError("k returned NULL")

    def close(self) -> None:
        libe.C.kclose(self._handle)


def everything(host: str, port: int) -> int:
    checks = check.Checks(LIMITS)
    handle = Handle(host, port, "ann")
    client = check.Client(handle.ask, handle.tell, body, Signal)
    check.answers(checks, client)
    check.errors(checks, client)
    check.calls(checks, client, libe.K(libe.C.kj(1)), libe.K(libe.C.kj(2)))
    check.asyncs(checks, client)
    check.echoes(checks, client, lambda wire: libe.read(values.message(wire)))
    handle.close()
    return checks.end()


def logins(host: str, port: int, user: str, password: str) -> int:
    checks = check.Checks()

    def kind_of_four(credentials: str) -> int:
        handle = Handle(host, port, credentials)
        kind = handle.ask("2+2").kind
        handle.close()
        return kind

    checks.equal("the right password", lambda: kind_of_four(f"{user}:{password}"), -7)
    for name, credentials in (
        ("a wrong password", f"{user}:{password}!"),
        ("an unknown user", f"{user}!:{password}"),
        ("an empty password", f"{user}:"),
        ("no password", user),
        ("nobody", ""),
    ):
        checks.refuses(name, lambda: kind_of_four(credentials), Refused, "")
    checks.equal("the right password again", lambda: kind_of_four(f"{user}:{password}"), -7)
    return checks.end()


def body(value: libe.K) -> bytes:
    return libe.message(value)[HEADER:]


if __name__ == "__main__":
    check.run(everything, logins)
