"""Clients in Python, for bench/src/sockets/clients/python.rs, which starts this as a process.

    clients.py kola|pykx|qpython

Each line that comes is a command, each line that goes is its answer. The first says whether the
library is there.

    prepare MEDIUM PORT WORK WORKLOAD SUM   "ok", or "no" where the library does not do this
    run WORK WORKLOAD TIMES                 nanoseconds, of all times together
    close                                   "ok"

If something is wrong, the answer says what.
"""

from __future__ import annotations

import datetime
import os
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy

WORDS = 2**64
NANOSECONDS_BEFORE_2000 = 946_684_800 * 10**9
MIDNIGHTS = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
OPEN = datetime.datetime(2026, 11, 20, 9, 30, tzinfo=datetime.timezone.utc)


class Kola:
    def __init__(self, medium: str, port: int) -> None:
        import kola

        if medium == "unix":
            raise NotImplementedError
        self._q = kola.Q("127.0.0.1", port, "u", "p")
        self._q.connect()
        self.get = self._q.sync
        self.close = self._q.disconnect

    def set(self) -> None:
        self._q.asyn("upd", "trade", [OPEN, "AAPL", 187.25, 100])


class PyKX:
    def __init__(self, medium: str, port: int) -> None:
        os.environ["PYKX_UNLICENSED"] = "1"
        os.environ["PYKX_SUPPRESS_WARNINGS"] = "1"
        import pykx

        to: dict[str, Any] = {"unix": True} if medium == "unix" else {"host": "127.0.0.1"}
        self._q = pykx.SyncQConnection(port=port, username="u", password="p", no_ctx=True, **to)
        self._row = [OPEN.replace(tzinfo=None), "AAPL", 187.25, 100]
        self.get = self._q
        self.close = self._q.close

    def set(self) -> None:
        self._q("upd", "trade", self._row, wait=False)


class QPython:
    def __init__(self, medium: str, port: int) -> None:
        from qpython.qconnection import QConnection

        if medium == "unix":
            raise NotImplementedError
        self._q = QConnection("127.0.0.1", port, "u", "p", numpy_temporals=True)
        self._q.open()
        at = numpy.datetime64("2026-11-20T09:30:00", "ns")
        self._row = [at, numpy.bytes_("AAPL"), 187.25, 100]
        self._table = numpy.bytes_("trade")
        self.get = self._q.sendSync
        self.close = self._q.close

    def set(self) -> None:
        self._q.sendAsync("upd", self._table, self._row)


CLIENTS: dict[str, Callable[[str, int], Any]] = {"kola": Kola, "pykx": PyKX, "qpython": QPython}


def main(library: str) -> None:
    # What a library prints is not for who asks.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    client = None
    try:
        __import__(library)
        answers.write("ok\n")
    except ImportError as error:
        answers.write(f"{error}\n")
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            if command == "prepare":
                client = prepare(CLIENTS[library], *arguments)
                answer = "ok" if client else "no"
            elif command == "run":
                answer = str(run(client, *arguments))
            else:
                client.close()
                client, answer = None, "ok"
        except Exception as error:
            answer = f"{error!r}".replace("\n", " ")
        answers.write(f"{answer}\n")


def prepare(
    connect: Callable[[str, int], Any],
    medium: str,
    port: str,
    work: str,
    workload: str,
    expected: str,
) -> Any:
    if workload == "W5":  # not all of them write a column of chars
        return None
    try:
        client = connect(medium, int(port))
    except NotImplementedError:
        return None
    client.get(f"expect {workload}")
    if work.startswith(("publish", "async")):
        publish(client, 3)
    else:
        same(total(client.get(workload)), int(expected))
    return client


def run(client: Any, work: str, workload: str, times: str) -> int:
    count = int(times)
    if work == "receive-decode":
        return receive(client, workload, count)
    start = time.perf_counter_ns()
    if work == "round-trip":
        for _ in range(count):
            same(number(client.get(workload)), 42)
    elif work == "async-and-sync-in-turn":
        for _ in range(count):
            client.set()
            same(number(client.get("count")), 1)
    else:
        publish(client, count)
    return time.perf_counter_ns() - start


def publish(client: Any, count: int) -> None:
    for _ in range(count):
        client.set()
    same(number(client.get("count")), count)


def receive(client: Any, workload: str, count: int) -> int:
    spent = 0
    for _ in range(count):
        start = time.perf_counter_ns()
        value = client.get(workload)
        spent += time.perf_counter_ns() - start
        del value
    return spent


def same(found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"{found} where {expected} is right")


def number(value: Any) -> int:
    return value.py() if hasattr(value, "py") else int(value)


def total(value: Any) -> int:
    """The sum over all items, as src/workloads.rs defines it, by way of numpy and Python."""
    if hasattr(value, "py"):  # PyKX
        value = value.pd() if type(value).__name__ == "Table" else value.py()
    if hasattr(value, "to_pandas") and hasattr(value, "columns"):  # Polars
        value = value.to_pandas()
    elif hasattr(value, "to_list"):
        value = value.to_list()
    if hasattr(value, "columns"):
        columns = [(str(name), value[name].to_numpy()) for name in value.columns]
        return sum(total(name) + total(column) for name, column in columns) % WORDS
    names = getattr(getattr(value, "dtype", None), "names", None)
    if names:  # a table of qPython's
        return sum(total(name) + total(numpy.asarray(value[name])) for name in names) % WORDS
    match value:
        case str() | bytes():
            letters = value.encode() if isinstance(value, str) else value
            # One letter is a char: no symbol of a workload is that short.
            return letters[0] + (len(letters) if len(letters) > 1 else 0)
        case bool():
            raise ValueError("a boolean is in no workload")
        case int() | numpy.int64():
            return int(value) % WORDS
        case float():
            return int(struct.unpack("<Q", struct.pack("<d", value))[0])
        case numpy.datetime64():
            return (int(value.astype("M8[ns]").astype(int)) - NANOSECONDS_BEFORE_2000) % WORDS
        case datetime.datetime():
            since = value.replace(tzinfo=datetime.timezone.utc) - MIDNIGHTS
            microseconds = since // datetime.timedelta(microseconds=1)
            return (microseconds * 1000 - NANOSECONDS_BEFORE_2000) % WORDS
        case numpy.ndarray() if value.dtype.kind == "M":
            words = value.astype("M8[ns]").astype(numpy.int64) - NANOSECONDS_BEFORE_2000
            return int(words.view(numpy.uint64).sum(dtype=numpy.uint64))
        case numpy.ndarray() if value.dtype.kind in "if":
            return int(value.view(numpy.uint64).sum(dtype=numpy.uint64))
        case numpy.ndarray() | list() | tuple():
            return sum(total(item) for item in value) % WORDS
        case _:
            raise ValueError(f"{type(value)} is in no workload")


main(*sys.argv[1:])
