"""PyKX, KX's own client, without a licence: values are made and compared as `b9` writes them."""

from __future__ import annotations

import asyncio
import datetime
import os
import uuid
import warnings
from typing import Any

os.environ["PYKX_UNLICENSED"] = "1"
os.environ["PYKX_SUPPRESS_WARNINGS"] = "1"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402 – PyKX reads the environment as it is imported
import pandas as pd  # noqa: E402
import pykx as kx  # noqa: E402

import check  # noqa: E402
import values  # noqa: E402

REFUSED = "Authentication error"

LIMITS = {
    "libe reads a lambda as its text": ("lambda", "lambda in a context"),
    "asks a licensed q about a composition before it sends it": ("composition",),
    "has no q type for it": ("uint64",),
    "writes a time of day as a timespan": ("datetime.time",),
    "reads the greatest and the least long as infinity and null": ("int, greatest", "int, least"),
    "asks a q about its contexts when it connects, unless told no_ctx": ("no_ctx=False",),
}

PYTHON: dict[str, Any] = {
    "bool": True,
    "int": -5,
    "float": 1.5,
    "str": "abc",
    "str, empty": "",
    "str in UTF-8": "für €",
    "bytes": b"abc",
    "bytes of one": b"a",
    "bytes, empty": b"",
    "None": None,
    "list of ints": [1, 2, 3],
    "list, mixed": [1, "a", b"xy", 2.5, [True, None]],
    "list, empty": [],
    "dict": {"a": 1, "b": [1.5, 2.5]},
    "date": datetime.date(2026, 11, 22),
    "datetime": datetime.datetime(2026, 11, 22, 1, 2, 3, 4),
    "timedelta": datetime.timedelta(days=-1, seconds=5, microseconds=6),
    "UUID": uuid.UUID(int=2**64 + 5),
}
"""Python's own values, which come back as they were."""

def everything(host: str, port: int) -> int:
    checks = check.Checks(LIMITS)
    with kx.SyncQConnection(host, port, no_ctx=True) as q:
        client = check.Client(
            q, lambda text: q(text, wait=False), body, kx.QError, unable=kx.LicenseException
        )
        check.answers(checks, client)
        check.errors(checks, client)
        check.calls(checks, client, 1, 2)
        check.asyncs(checks, client)
        check.echoes(checks, client, lambda wire: kx.deserialize(values.message(wire)))
        conversions(checks, q)
        limits(checks, q, host, port)
        symbol = kx.SymbolAtom("echo")
        checks.equal("call by a symbol", lambda: q(symbol, 5).py(), 5)
    with kx.SyncQConnection(host, port, no_ctx=True, large_messages=False) as q:
        checks.equal("capability 3", lambda: q("2+2").py(), 4)
    with kx.SyncQConnection(host, port, username="ann", no_ctx=True) as q:
        checks.equal("a user without password", lambda: q("2+2").py(), 4)
    checks.equal("pipelined", lambda: asyncio.run(pipelined(host, port)), list(range(100)))
    return checks.end()


def conversions(checks: check.Checks, q: kx.SyncQConnection) -> None:
    for name, value in PYTHON.items():
        checks.equal(f"python {name}", lambda: q("echo", value).py(), value)
    for name, array in arrays().items():

        def same() -> bool:
            back = q("echo", array).np()
            return back.dtype == array.dtype and np.array_equal(back, array)

        checks.equal(f"numpy {name}", same, True)
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [1.5, -0.5]})
    checks.equal(
        "pandas DataFrame",
        lambda: pd.testing.assert_frame_equal(q("echo", frame).pd(), frame, check_exact=True),
        None,
    )


def limits(checks: check.Checks, q: kx.SyncQConnection, host: str, port: int) -> None:
    """What is no other value, and what there is no way to say."""
    clock = datetime.time(1, 2, 3)
    checks.changes("datetime.time", lambda: q("echo", clock).py(), clock)
    checks.changes("int, greatest", lambda: q("echo", values.LONG_INFINITY).py(), 2**63 - 1)
    checks.changes("int, least", lambda: q("echo", values.LONG_NULL).py(), -(2**63))
    checks.changes("uint64", lambda: q("echo", np.arange(3, dtype=np.uint64)).py(), [0, 1, 2])
    checks.changes("no_ctx=False", lambda: kx.SyncQConnection(host, port)("2+2").py(), 4)


def arrays() -> dict[str, np.ndarray]:
    """NumPy's arrays, which come back with their dtype.

    Not a global: PyKX takes NumPy's memory over, and a process crashes that ends with an array.
    """
    return {
        "bools": np.array([True, False]),
        "uint8": np.array([0, 128, 255], dtype=np.uint8),
        "int16": np.array([-1, 0, 300], dtype=np.int16),
        "int32": np.array([-1, 0, 100_000], dtype=np.int32),
        "int64": np.array([-1, 0, 2**40]),
        "int64, empty": np.array([], dtype=np.int64),
        "int64, a million": np.arange(1_000_000),
        "float32": np.array([-1.5, np.inf, 0.1], dtype=np.float32),
        "float64": np.array([-1.5, -np.inf, 0.1]),
        "bytes of one": np.array([b"a", b"b"]),
        "datetime64[ns]": np.array(["2026-11-22T01:02:03.000000004"], dtype="datetime64[ns]"),
        "datetime64[D]": np.array(["2026-11-22", "1999-12-31"], dtype="datetime64[D]"),
        "datetime64[M]": np.array(["2026-11", "1999-12"], dtype="datetime64[M]"),
        "timedelta64[ns]": np.array([-1, 2], dtype="timedelta64[ns]"),
        "timedelta64[ms]": np.array([-1, 2], dtype="timedelta64[ms]"),
        "timedelta64[s]": np.array([-1, 2], dtype="timedelta64[s]"),
        "timedelta64[m]": np.array([-1, 2], dtype="timedelta64[m]"),
    }


async def pipelined(host: str, port: int) -> list[int]:
    async with kx.AsyncQConnection(host, port, no_ctx=True) as q:
        return [answer.py() for answer in await asyncio.gather(*(q(f"{n}") for n in range(100)))]


def logins(host: str, port: int, user: str, password: str) -> int:
    checks = check.Checks()

    def four(user: str, password: str) -> int:
        with kx.SyncQConnection(
            host, port, username=user, password=password, no_ctx=True
        ) as q:
            return q("2+2").py()

    checks.equal("the right password", lambda: four(user, password), 4)
    for name, credentials in (
        ("a wrong password", (user, password + "!")),
        ("an unknown user", (user + "!", password)),
        ("no password", (user, "")),
        ("nobody", ("", "")),
    ):
        checks.refuses(name, lambda: four(*credentials), kx.PyKXException, REFUSED)
    checks.equal("the right password again", lambda: four(user, password), 4)
    return checks.end()


def body(value: kx.K) -> bytes:
    return kx.serialize(value).copy()[8:]


if __name__ == "__main__":
    check.run(everything, logins)
