"""qPython's client, as qPython3: values in NumPy arrays that know their q type."""

from __future__ import annotations

import uuid
import warnings
from typing import Any

import numpy as np
from qpython import qconnection, qtype
from qpython.qcollection import QDictionary, qlist, qtable
from qpython.qconnection import MessageType, QAuthenticationException, QConnection
from qpython.qreader import QReader
from qpython.qtemporal import qtemporal
from qpython.qtype import QException, QLambda
from qpython.qwriter import QWriter

import check
import values

HEADER = 8

LIMITS = {
    "drops attributes": (
        "* vector, sorted",
        "longs, *",
        "symbols, grouped",
        "table, sorted",
    ),
    "writes a text of one char as a char, unless told single_char_strings": (
        "char vector of one",
        "list of texts",
        "table",
        "table in a list",
    ),
    "reads any null datetime as one, and no infinite one": (
        "datetime atom, null",
        "datetime atom, infinity",
        "datetime atom, minus infinity",
    ),
    "does not know the type 127": ("dictionary, sorted", "keyed table, sorted"),
    "drops the context of a lambda": ("lambda in a context",),
    "cannot write what it reads of other functions": (
        "unary function",
        "omitted argument",
        "binary function",
        "ternary function",
        "projection",
        "composition",
        "derived function",
        "list of functions",
    ),
}


def native() -> dict[str, Any]:
    """Values as its users make them."""
    return {
        "None": None,
        "bool": True,
        "int": -5,
        "float": 1.5,
        "str": "abc",
        "bytes": b"abc",
        "numpy.int16": np.int16(-5),
        "numpy.float32": np.float32(0.1),
        "numpy.bytes_": np.bytes_("abc"),
        "UUID": uuid.UUID(int=2**64 + 5),
        "list": [np.int64(1), "ab", [2.5, None]],
        "array of int64": np.array([-1, 0, 2**40]),
        "array of float64": np.array([-1.5, np.inf, np.nan]),
        "array of bool": np.array([True, False]),
        "array of numpy.bytes_": np.array([b"ab", b"", b"c"]),
        "array of datetime64[D]": np.array(["2026-11-22", "NaT"], dtype="datetime64[D]"),
        "array of datetime64[ns]": np.array(["2026-11-22T01:02", "NaT"], dtype="datetime64[ns]"),
        "array of timedelta64[ms]": np.array([-1, 2], dtype="timedelta64[ms]"),
        "qlist of dates": qlist([9822, qtype.qnull(qtype.QDATE)], qtype=qtype.QDATE_LIST),
        "qlist of symbols": qlist(["a", "bc"], qtype=qtype.QSYMBOL_LIST),
        "qtemporal": qtemporal(np.datetime64("2026-11-22", "D"), qtype=qtype.QDATE),
        "QDictionary": QDictionary(
            qlist([1, 2], qtype=qtype.QLONG_LIST), qlist(["a", "b"], qtype=qtype.QSYMBOL_LIST)
        ),
        "qtable": qtable(["s", "n"], [["a", "b"], [1, 2]], s=qtype.QSYMBOL, n=qtype.QLONG),
        "QLambda": QLambda("{x+y}"),
    }


def everything(host: str, port: int) -> int:
    checks = check.Checks(LIMITS)
    with connection(host, port, "ann", None) as q:
        client = check.Client(q.sendSync, q.sendAsync, body, QException, said)
        check.answers(checks, client)
        check.errors(checks, client)
        check.calls(checks, client, np.int64(1), np.int64(2))
        check.asyncs(checks, client)
        check.echoes(
            checks, client, lambda wire: QReader(None).read(source=values.message(wire)).data
        )
        for name, value in native().items():
            sent = body(value)
            checks.equal(f"echo {name}", lambda: body(q("echo", value)), sent)
            checks.equal(f"echo {name}, raw", lambda: q("echo", value, raw=True), sent)
        checks.equal("call by a symbol", lambda: int(q(np.bytes_("echo"), np.int64(5))), 5)
        checks.equal("pipelined", lambda: pipelined(q), list(range(100)))
    return checks.end()


def pipelined(q: QConnection) -> list[int]:
    for number in range(100):
        q.query(MessageType.SYNC, str(number))
    return [int(q.receive()) for _ in range(100)]


def logins(host: str, port: int, user: str, password: str) -> int:
    checks = check.Checks()

    def four(user: str | None, password: str | None) -> int:
        with connection(host, port, user, password) as q:
            return int(q("2+2"))

    checks.equal("the right password", lambda: four(user, password), 4)
    # Once refused it tries again as clients of q 2.5 did, without a capability.
    for name, credentials in (
        ("a wrong password", (user, password + "!")),
        ("an unknown user", (user + "!", password)),
        ("no password", (user, None)),
        ("nobody", (None, None)),
    ):
        checks.refuses(
            name, lambda: four(*credentials), QAuthenticationException, "Connection denied."
        )
    checks.equal("the right password again", lambda: four(user, password), 4)
    return checks.end()


def connection(host: str, port: int, user: str | None, password: str | None) -> QConnection:
    return qconnection.QConnection(
        host, port, user, password, timeout=60, reader_class=QReader, writer_class=QWriter
    )


def said(error: Exception) -> str:
    return error.args[0].decode()


def body(value: Any) -> bytes:
    return QWriter(None, protocol_version=3).write(value, MessageType.ASYNC)[HEADER:]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    check.run(everything, logins)
