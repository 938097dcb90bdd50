"""kola's client, in Rust under Python: values are Python's and those of Polars.

It shows how it writes a value, and not how it reads one: what it changes is stated here with what
comes back instead.
"""

from __future__ import annotations

import datetime
import math
import uuid
from typing import Any

import kola
import polars as pl
from kola import Operator

import check
import values

HEADER = 8

ANSWERS = {
    "2+2": 4,
    "til 5": pl.Series("long", range(5), dtype=pl.Int64),
    "til 0": pl.Series("long", [], dtype=pl.Int64),
    "1 0N 3": pl.Series("long", [1, None, 3], dtype=pl.Int64),
    "1%2 4": pl.Series("float", [0.5, 0.25]),
    '"abc"': "abc",
    "`abc": "abc",
    "`a`bc": pl.Series("symbol", ["a", "bc"], dtype=pl.Categorical),
    "(1;`a;2 3)": (1, "a", pl.Series("long", [2, 3])),
    "()": pl.Series("", [], dtype=pl.Null),
    "echo[]": (),
    "count trade": 6,
    "trade": pl.DataFrame(
        {
            "time": pl.Series(
                [minute * 60_000_000_000 for minute in (570, 570, 571, 573, 573, 575)],
                dtype=pl.Duration("ns"),
            ),
            "sym": pl.Series(["ibm", "msft", "ibm", "amd", "msft", "ibm"], dtype=pl.Categorical),
            "price": [101.25, 52.5, 101.5, 33.75, 52.25, 101.0],
            "size": [300, 200, 100, 500, 400, 250],
        }
    ),
}

ECHOED: dict[str, Any] = {
    "bool": True,
    "int": -5,
    "int, greatest": values.LONG_INFINITY,
    "float": 1.5,
    "float, null": math.nan,
    "float, infinity": math.inf,
    "str": "abc",
    "str, empty": "",
    "str in UTF-8": "für €",
    "date": datetime.date(2026, 11, 22),
    "time": datetime.time(1, 2, 3),
    "timedelta": datetime.timedelta(days=-1, seconds=5),
    "datetime": datetime.datetime(2026, 11, 22, 1, 2, 3, 4, tzinfo=datetime.UTC),
    "dict": {"a": 1, "b": "x", "c": True},
    "dict of vectors": {"a": pl.Series("long", [1, 2]), "b": pl.Series("float", [1.5])},
    "unary function": Operator.COUNT,
    "omitted argument": Operator.PROJECTION_NULL,
    "binary function": Operator.BINARY_PLUS,
    "booleans": pl.Series("boolean", [True, False]),
    "guids": pl.Series("guid", [bytes(16), bytes(range(16))], dtype=pl.Binary),
    "bytes": pl.Series("byte", [0, 128, 255], dtype=pl.UInt8),
    "symbols": pl.Series("symbol", ["a", "bc", ""], dtype=pl.Categorical),
    "texts": pl.Series("char", ["ab", "", "für"]),
    "lists of floats": pl.Series("float", [[1.5, 2.0], [], [0.1]], dtype=pl.List(pl.Float64)),
    "1,000,000 longs": pl.Series("long", range(1_000_000)),
    "table": pl.DataFrame({"n": [1, 2], "t": ["ab", "cd"], "f": [1.5, None]}),
    "table without rows": pl.DataFrame({"n": pl.Series([], dtype=pl.Int64)}),
    "table of symbols": pl.DataFrame({"s": pl.Series(["a", "b"], dtype=pl.Categorical)}),
    "table of 100,000 rows": pl.DataFrame({"n": range(100_000), "m": range(100_000)}),
} | {
    f"{name}s, {which}": pl.Series(name, items, dtype=dtype)
    for name, dtype, some in (
        ("short", pl.Int16, [-1, 0, 300]),
        ("int", pl.Int32, [-1, 0, 100_000]),
        ("long", pl.Int64, [-1, 0, 2**40]),
        ("real", pl.Float32, [-1.5, math.inf, -math.inf]),
        ("float", pl.Float64, [-1.5, math.inf, -math.inf]),
        ("timestamp", pl.Datetime("ns"), [-1, 0, 10**18]),
        ("date", pl.Date, [-1, 0, 20_000]),
        ("timespan", pl.Duration("ns"), [-1, 0, 10**15]),
        ("time", pl.Time, [0, 10**9, 86_399 * 10**9]),
    )
    for which, items in (
        ("empty", []),
        ("one", some[:1]),
        ("three", some),
        ("null", [some[0], None, some[2]]),
    )
}
"""What comes back as it was."""

CHANGED: dict[str, tuple[Any, Any]] = {
    "bytes as text": (b"abc", "abc"),
    "bytes, none": (pl.Series("byte", [], dtype=pl.UInt8), pl.Series("byte", [], dtype=pl.String)),
    "texts, none": (pl.Series("char", [], dtype=pl.String), pl.Series("", [], dtype=pl.Null)),
    "datetimes": (
        pl.Series("datetime", [0, 86_400_000], dtype=pl.Datetime("ms")),
        pl.Series("datetime", [0, 86_400 * 10**9], dtype=pl.Datetime("ns")),
    ),
    "None": (None, ()),
    "list": ([1, "a", b"xy"], (1, "a", "xy")),
}
"""What comes back as something else and what: LIMITS says why."""

NOT_WRITTEN: dict[str, Any] = {
    "uint64": pl.Series("", [1], dtype=pl.UInt64),
    "UUID": uuid.UUID(int=1),
    "a tuple": (1, 2),
    "a datetime without a zone": datetime.datetime(2026, 11, 22),
}

LIMITS = {
    "reads chars as str, which it writes as a symbol": ("bytes as text", "list"),
    "reads what is empty as a type of its own": ("bytes, none", "texts, none"),
    "reads datetimes as timestamps": ("datetimes",),
    "reads :: as ()": ("None",),
    "does not write it": ("uint64", "UUID", "a tuple", "a datetime without a zone"),
}


def everything(host: str, port: int) -> int:
    checks = check.Checks(LIMITS)
    q = connected(host, port, "ann", "")
    for text, expected in ANSWERS.items():
        checks.equal(f"answer {text}", lambda: Same(q.sync(text)), Same(expected))
    client = check.Client(q.sync, q.asyn, body, kola.KolaError, said)
    check.errors(checks, client)
    check.calls(checks, client, 1, 2)
    check.asyncs(checks, client)
    for name, value in ECHOED.items():
        checks.equal(f"echo {name}", lambda: Same(q.sync("echo", value)), Same(value))
        checks.equal(f"echo {name}, written", lambda: body(q.sync("echo", value)), body(value))
    for name, (value, expected) in CHANGED.items():
        checks.equal(f"echo {name}", lambda: Same(q.sync("echo", value)), Same(expected))
        checks.changes(name, lambda: Same(q.sync("echo", value)), Same(value))
    for name, value in NOT_WRITTEN.items():
        checks.changes(name, lambda: len(body(value)) > 0, True)
    q.disconnect()
    return checks.end()


def logins(host: str, port: int, user: str, password: str) -> int:
    checks = check.Checks()

    def four(user: str, password: str) -> int:
        q = connected(host, port, user, password)
        answer = q.sync("2+2")
        q.disconnect()
        return answer

    checks.equal("the right password", lambda: four(user, password), 4)
    for name, credentials in (
        ("a wrong password", (user, password + "!")),
        ("an unknown user", (user + "!", password)),
        ("no password", (user, "")),
    ):
        checks.refuses(name, lambda: four(*credentials), kola.KolaAuthError, "Wrong credential.")
    checks.equal("the right password again", lambda: four(user, password), 4)
    return checks.end()


class Same:
    """A value that is equal to another one only in every type."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and same(self._value, other._value)

    def __str__(self) -> str:
        return f"{type(self._value).__name__} {self._value!r}"


def same(x: Any, y: Any) -> bool:
    if type(x) is not type(y):
        return False
    match x:
        case pl.Series():
            return x.dtype == y.dtype and x.equals(y, null_equal=True)
        case pl.DataFrame():
            return x.schema == y.schema and x.equals(y, null_equal=True)
        case dict():
            return same(list(x), list(y)) and same(list(x.values()), list(y.values()))
        case list() | tuple():
            return len(x) == len(y) and all(map(same, x, y))
        case float() if math.isnan(x):
            return math.isnan(y)
        case _:
            return x == y


def connected(host: str, port: int, user: str, password: str) -> kola.Q:
    q = kola.Q(host, port, user=user, passwd=password)
    q.connect()
    return q


def said(error: Exception) -> str:
    """What the server signalled, out of `Internal Server Error - "type"`."""
    return str(error).removeprefix('Internal Server Error - "').removesuffix('"')


def body(value: Any) -> bytes:
    return bytes(kola.serialize_as_ipc_bytes6("async", False, value))[HEADER:]


if __name__ == "__main__":
    check.run(everything, logins)
