"""KX's own C library, `libe`, as it ships inside PyKX: what makes and checks the bytes of a message.

Values are made with the functions of KX's k.h, serialised with `b9`, checked with `okx` and read
with `d9`. No licence and no q is needed: PyKX itself is not even imported. All of it belongs to one
thread, as the library's memory does.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_double, c_int, c_int8, c_longlong, c_void_p
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RESPONSE = 2
COMPRESSED = 8
"""The bit of b9's mode that compresses, by KX's rule, whatever the peer."""

# Where in a K object its parts begin, after k.h.
_KIND = 2
_ATOM = 8
_COUNT = 8
_ITEMS = 16


def _library() -> ctypes.CDLL:
    package = find_spec("pykx")
    if package is None or package.origin is None:
        raise SystemExit("PyKX is not installed: see requirements.txt")
    library = ctypes.CDLL(str(Path(package.origin).parent / "lib" / "l64" / "libe.so"))
    for name, result, *arguments in (
        ("khp", c_int, c_char_p, c_int),
        ("khpu", c_int, c_char_p, c_int, c_char_p),
        ("k", c_void_p, c_int, c_char_p),  # and K objects, and NULL
        ("kclose", None, c_int),
        ("b9", c_void_p, c_int, c_void_p),
        ("d9", c_void_p, c_void_p),
        ("okx", c_int, c_void_p),
        ("r0", None, c_void_p),
        ("r1", c_void_p, c_void_p),
        ("ka", c_void_p, c_int),
        ("kd", c_void_p, c_int),
        ("kj", c_void_p, c_longlong),
        ("kpn", c_void_p, c_char_p, c_longlong),
        ("ks", c_void_p, c_char_p),
        ("ktj", c_void_p, c_int, c_longlong),
        ("ktn", c_void_p, c_int, c_longlong),
        ("ss", c_void_p, c_char_p),
        ("xD", c_void_p, c_void_p, c_void_p),
        ("xT", c_void_p, c_void_p),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.khp(b"", -1)  # starts the library's memory
    return library


C = _library()


class Invalid(Exception):
    """These bytes are no message with a value in it."""


class K:
    """A K object. What is made from it takes it over."""

    def __init__(self, pointer: int | None) -> None:
        self._pointer = pointer
        if not pointer:
            raise MemoryError("the library made nothing")

    def __del__(self) -> None:
        if self._pointer:
            C.r0(self._pointer)

    def take(self) -> int:
        pointer, self._pointer = self.pointer, None
        return pointer

    @property
    def pointer(self) -> int:
        assert self._pointer, "taken over by another object"
        return self._pointer

    @property
    def kind(self) -> int:
        return c_int8.from_address(self.pointer + _KIND).value

    def items(self) -> bytes:
        """The items of a vector whose items are single bytes."""
        count = c_longlong.from_address(self.pointer + _COUNT).value
        return ctypes.string_at(self.pointer + _ITEMS, count)

    def name(self) -> bytes:
        """What a symbol or an error says."""
        return ctypes.string_at(c_void_p.from_address(self.pointer + _ATOM).value)

    def text(self) -> bytes | None:
        """What a char vector or a single char says; nothing else is text."""
        match self.kind:
            case 10:
                return self.items()
            case -10:
                return ctypes.string_at(self.pointer + _ATOM, 1)
            case _:
                return None


def vector(kind: int, item: type[ctypes._SimpleCData[Any]], values: list[Any]) -> K:
    k = C.ktn(kind, len(values))
    (item * len(values)).from_address(k + _ITEMS)[:] = values
    return K(k)


def longs(values: range | list[int]) -> K:
    return vector(7, c_longlong, list(values))


def floats(values: list[float]) -> K:
    return vector(9, c_double, values)


def symbols(*names: bytes) -> K:
    return vector(11, c_void_p, [C.ss(name) for name in names])


def chars(text: bytes) -> K:
    return K(C.kpn(text, len(text)))


def items(*values: K) -> K:
    """A general list."""
    return vector(0, c_void_p, [value.take() for value in values])


def dictionary(keys: K, values: K) -> K:
    return K(C.xD(keys.take(), values.take()))


def table(columns: K) -> K:
    return K(C.xT(columns.take()))


def identity() -> K:
    """`::`, what q answers when there is nothing to say."""
    k = C.ka(101)
    c_longlong.from_address(k + _ATOM).value = 0
    return K(k)


def message(value: K, kind: int = RESPONSE, mode: int = 3) -> bytes:
    """The whole message as b9 writes it, but for the one byte of the header that says its kind."""
    written = K(C.b9(mode, value.pointer)).items()
    return written[:1] + bytes([kind]) + written[2:]


def error(text: bytes) -> bytes:
    """An error as a response, made as PyKX makes it: b9's symbol under the error's type byte."""
    symbol = message(K(C.ks(text)))
    return symbol[:8] + b"\x80" + symbol[9:]


def is_valid(raw: bytes) -> bool:
    """Whether the library's own validator accepts these bytes as one message."""
    argument = _bytes(raw)
    return bool(C.okx(argument.pointer))


def read(raw: bytes) -> K:
    """The value in a message; raises Invalid for what the validator refuses and for an error."""
    if not is_valid(raw):
        raise Invalid
    argument = _bytes(raw)
    value = C.d9(argument.pointer)
    if not value:
        raise Invalid
    return K(value)


def _bytes(raw: bytes) -> K:
    k = C.ktn(4, len(raw))
    ctypes.memmove(k + _ITEMS, raw, len(raw))
    return K(k)
