"""Values of every type, as the bytes of a message's body, little endian: what clients send around.

    a vector    TYPE ATTRIBUTE COUNT:4 ITEM…
    an atom     -TYPE ITEM
    a table     98 ATTRIBUTE DICTIONARY
    a message   1 KIND 0 0 LENGTH:4 BODY

They are made here and not by a library, so that no library decides what is tried.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from typing import NamedTuple

INT_NULL = -(2**31)
INT_INFINITY = 2**31 - 1
LONG_NULL = -(2**63)
LONG_INFINITY = 2**63 - 1
FLOAT_INFINITY = float("inf")

# A null real and float as q writes it on Linux, and as Java and Rust do.
REAL_NULLS = (bytes.fromhex("0000c0ff"), bytes.fromhex("0000c07f"))
FLOAT_NULLS = (bytes.fromhex("000000000000f8ff"), bytes.fromhex("000000000000f87f"))


class Basic(NamedTuple):
    """A basic type: some of its items, and those that are special, each as its bytes."""

    name: str
    code: int
    items: tuple[bytes, bytes, bytes]
    special: dict[str, bytes]


def message(body: bytes, kind: int = 0) -> bytes:
    return struct.pack("<BBHI", 1, kind, 0, 8 + len(body)) + body


def every_value() -> Iterator[tuple[str, bytes]]:
    """All of them by name. A name occurs once."""
    for basic in BASIC_TYPES:
        yield from _of(basic)
    yield from _texts()
    yield from _lists()
    yield from _dictionaries_and_tables()
    yield from _functions()
    yield from _large()


def atom(code: int, item: bytes) -> bytes:
    return struct.pack("<b", -code) + item


def vector(code: int, *items: bytes, attribute: int = 0) -> bytes:
    return struct.pack("<bBI", code, attribute, len(items)) + b"".join(items)


def longs(*values: int, attribute: int = 0) -> bytes:
    return vector(7, *(struct.pack("<q", value) for value in values), attribute=attribute)


def floats(*values: float) -> bytes:
    return vector(9, *(struct.pack("<d", value) for value in values))


def symbol(name: str) -> bytes:
    return atom(11, name.encode() + b"\0")


def symbols(*names: str, attribute: int = 0) -> bytes:
    return vector(11, *(name.encode() + b"\0" for name in names), attribute=attribute)


def chars(text: bytes) -> bytes:
    return struct.pack("<bBI", 10, 0, len(text)) + text


def items(*values: bytes) -> bytes:
    """A general list."""
    return vector(0, *values)


def dictionary(keys: bytes, values: bytes, code: int = 99) -> bytes:
    return bytes([code]) + keys + values


def table(names: bytes, columns: bytes, attribute: int = 0) -> bytes:
    return bytes([98, attribute]) + dictionary(names, columns)


def _of(basic: Basic) -> Iterator[tuple[str, bytes]]:
    name, code, some, special = basic
    yield f"{name} atom", atom(code, some[1])
    for what, item in special.items():
        yield f"{name} atom, {what}", atom(code, item)
    yield f"{name} vector, empty", vector(code)
    yield f"{name} vector of one", vector(code, some[1])
    yield f"{name} vector of three", vector(code, *some)
    yield f"{name} vector, special", vector(code, some[1], *special.values(), some[2])
    if name not in ("boolean", "guid", "char"):
        yield f"{name} vector, sorted", vector(code, *some, attribute=1)


def _texts() -> Iterator[tuple[str, bytes]]:
    yield "text in UTF-8", chars("für €".encode())
    yield "text in Latin-1", chars("für".encode("latin-1"))
    yield "text of all bytes", chars(bytes(range(256)))
    yield "symbol in UTF-8", symbol("für €")
    yield "symbol in Latin-1", atom(11, "für".encode("latin-1") + b"\0")
    yield "symbols in Latin-1", vector(11, "für".encode("latin-1") + b"\0", b"\0")
    yield "symbol with a space", symbol("a b")


def _lists() -> Iterator[tuple[str, bytes]]:
    long = atom(7, struct.pack("<q", 1))
    yield "list, empty", items()
    yield "list of one", items(long)
    yield "list of atoms", items(long, symbol("a"), atom(10, b"c"))
    yield "list of texts", items(chars(b"ab"), chars(b""), chars(b"c"))
    yield "list of vectors", items(longs(1, 2), symbols("a"), floats())
    yield "list of lists", items(items(long, items(longs(1), items())), items())
    yield "list nested 100 deep", bytes([0, 0, 1, 0, 0, 0]) * 100 + long
    yield "longs, unique", longs(3, 1, 2, attribute=2)
    yield "longs, parted", longs(3, 3, 1, attribute=3)
    yield "longs, grouped", longs(3, 1, 3, attribute=4)
    yield "symbols, grouped", symbols("b", "a", "b", attribute=4)


def _dictionaries_and_tables() -> Iterator[tuple[str, bytes]]:
    long = atom(7, struct.pack("<q", 1))
    columns = items(symbols("a", "b"), floats(1.5, 2), items(chars(b"x"), chars(b"yz")))
    rows = table(symbols("s", "p", "t"), columns)
    keys = table(symbols("k"), items(symbols("a", "b")))
    values = table(symbols("v"), items(longs(1, 2)))
    sorted_keys = table(symbols("k"), items(longs(1, 2, attribute=1)), attribute=1)
    yield "dictionary", dictionary(symbols("a", "b"), longs(1, 2))
    yield "dictionary, empty", dictionary(items(), items())
    yield "dictionary of a list", dictionary(symbols("a", "b"), items(long, chars(b"text")))
    yield "dictionary with list keys", dictionary(items(long, symbol("a")), longs(1, 2))
    yield "dictionary in a dictionary", dictionary(
        symbols("a", "b"), items(dictionary(symbols("x"), longs(1)), long)
    )
    yield "dictionary, sorted", dictionary(longs(1, 2, attribute=1), longs(3, 4), code=127)
    yield "table", rows
    yield "table without rows", table(symbols("a", "b"), items(longs(), symbols()))
    yield "table of one column", table(symbols("a"), items(longs(1, 2, 3)))
    yield "table, sorted", sorted_keys
    yield "table in a list", items(rows, long)
    yield "keyed table", dictionary(keys, values)
    yield "keyed table, sorted", dictionary(sorted_keys, values, code=127)


def _functions() -> Iterator[tuple[str, bytes]]:
    plus = bytes([102, 1])
    lambda_ = bytes([100]) + b"\0" + chars(b"{x+y}")
    projection = bytes([104]) + struct.pack("<I", 2) + plus + atom(7, struct.pack("<q", 1))
    yield "identity", bytes([101, 0])
    yield "unary function", bytes([101, 7])
    yield "omitted argument", bytes([101, 255])
    yield "binary function", plus
    yield "ternary function", bytes([103, 0])
    yield "lambda", lambda_
    yield "lambda in a context", bytes([100]) + b"ns\0" + chars(b"{x}")
    yield "projection", projection
    yield "composition", bytes([105]) + struct.pack("<I", 2) + plus + bytes([101, 1])
    yield "derived function", bytes([107]) + plus
    yield "list of functions", items(plus, bytes([101, 0]))


def _large() -> Iterator[tuple[str, bytes]]:
    count = 100_000
    for code, item in ((7, "q"), (9, "d"), (6, "i"), (4, "B"), (14, "i"), (12, "q")):
        name = next(basic.name for basic in BASIC_TYPES if basic.code == code)
        numbers = [number % 251 for number in range(count)]
        body = struct.pack("<bBI", code, 0, count) + struct.pack(f"<{count}{item}", *numbers)
        yield f"100,000 {name}s", body
    yield "100,000 symbols", symbols(*(f"s{number % 1000}" for number in range(count)))
    yield "1,000,000 longs", longs(*range(1_000_000))


def _shorts(*values: int) -> tuple[bytes, ...]:
    return tuple(struct.pack("<h", value) for value in values)


def _ints(*values: int) -> tuple[bytes, ...]:
    return tuple(struct.pack("<i", value) for value in values)


def _longs(*values: int) -> tuple[bytes, ...]:
    return tuple(struct.pack("<q", value) for value in values)


def _reals(*values: float) -> tuple[bytes, ...]:
    return tuple(struct.pack("<f", value) for value in values)


def _floats(*values: float) -> tuple[bytes, ...]:
    return tuple(struct.pack("<d", value) for value in values)


def _special(null: bytes, infinity: bytes, minus: bytes) -> dict[str, bytes]:
    return {"null": null, "infinity": infinity, "minus infinity": minus}


_OF_INTS = _special(*_ints(INT_NULL, INT_INFINITY, -INT_INFINITY))
_OF_LONGS = _special(*_longs(LONG_NULL, LONG_INFINITY, -LONG_INFINITY))
_OF_FLOATS = {
    "null": FLOAT_NULLS[0],
    "other null": FLOAT_NULLS[1],
    "infinity": struct.pack("<d", FLOAT_INFINITY),
    "minus infinity": struct.pack("<d", -FLOAT_INFINITY),
}
_GUIDS = tuple(uuid.UUID(int=number).bytes for number in (1, 2**64 + 5, 2**128 - 1))

BASIC_TYPES = (
    Basic("boolean", 1, (b"\0", b"\1", b"\1"), {"false": b"\0"}),
    Basic("guid", 2, _GUIDS, {"null": bytes(16)}),
    Basic("byte", 4, (b"\x01", b"\x80", b"\xff"), {"zero": b"\0"}),
    Basic("short", 5, _shorts(-2, 7, 300), _special(*_shorts(-(2**15), 2**15 - 1, 1 - 2**15))),
    Basic("int", 6, _ints(-2, 7, 100_000), _OF_INTS),
    Basic("long", 7, _longs(-2, 7, 2**40), _OF_LONGS),
    Basic(
        "real",
        8,
        _reals(-1.5, 0.1, 1e30),
        {
            "null": REAL_NULLS[0],
            "other null": REAL_NULLS[1],
            "infinity": struct.pack("<f", FLOAT_INFINITY),
            "minus infinity": struct.pack("<f", -FLOAT_INFINITY),
        },
    ),
    Basic("float", 9, _floats(-1.5, 0.1, 1e300), _OF_FLOATS),
    Basic("char", 10, (b"a", b"b", b"~"), {"null": b" ", "quote": b'"'}),
    Basic("symbol", 11, (b"a\0", b"bc\0", b"d\0"), {"null": b"\0"}),
    Basic("timestamp", 12, _longs(-5, 848_624_523_000_000_004, 10**18), _OF_LONGS),
    Basic("month", 13, _ints(-3, 322, 400), _OF_INTS),
    Basic("date", 14, _ints(-400, 9822, 20_000), _OF_INTS),
    Basic("datetime", 15, _floats(-1.25, 9822.5, 10_000.0), _OF_FLOATS),
    Basic("timespan", 16, _longs(-(10**9), 34_200_000_000_001, 10**15), _OF_LONGS),
    Basic("minute", 17, _ints(-1, 570, 1439), _OF_INTS),
    Basic("second", 18, _ints(-1, 34_200, 86_399), _OF_INTS),
    Basic("time", 19, _ints(-1, 34_200_123, 86_399_999), _OF_INTS),
)
