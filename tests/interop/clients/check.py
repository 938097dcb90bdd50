"""What the clients of this folder share: what they try, how they report it, how they are started.

    CLIENT.py HOST:PORT                 all but logins, where everybody is let in
    CLIENT.py HOST:PORT USER:PASSWORD   logins, where only this user is let in

Each check is a line: `ok NAME`, or `FAIL NAME: …` and exit 1 at the end. `limit NAMES: REASON` says
what the library itself cannot do. Limits are stated and checked: one that is not stated, and one
that is there no more, fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import values

ANSWERS: dict[str, bytes] = {
    "2+2": values.atom(7, (4).to_bytes(8, "little")),
    "til 5": values.longs(*range(5)),
    "til 0": values.longs(),
    "1 0N 3": values.longs(1, values.LONG_NULL, 3),
    "1%2 4": values.floats(0.5, 0.25),
    '"abc"': values.chars(b"abc"),
    '""': values.chars(b""),
    '"a"': values.atom(10, b"a"),
    "`abc": values.symbol("abc"),
    "`a`bc": values.symbols("a", "bc"),
    "(1;`a;2 3)": values.items(
        values.atom(7, (1).to_bytes(8, "little")), values.symbol("a"), values.longs(2, 3)
    ),
    "()": values.items(),
    "echo[]": bytes([101, 0]),
    "count trade": values.atom(7, (6).to_bytes(8, "little")),
    "trade": values.table(
        values.symbols("time", "sym", "price", "size"),
        values.items(
            values.vector(
                16,
                *(
                    (minute * 60_000_000_000).to_bytes(8, "little")
                    for minute in (570, 570, 571, 573, 573, 575)
                ),
            ),
            values.symbols("ibm", "msft", "ibm", "amd", "msft", "ibm"),
            values.floats(101.25, 52.5, 101.5, 33.75, 52.25, 101.0),
            values.longs(300, 200, 100, 500, 400, 250),
        ),
    ),
}
"""What is asked, and the body of the answer."""

ERRORS = {"1+`a": "type", "nosuch": "nosuch", "1 2+1 2 3": "length", "til -1": "domain"}
"""What is asked, and the error that it signals."""

ASYNCS = 1000
"""How many async messages are sent in a row."""


@dataclass(frozen=True)
class Client:
    """A connection of a library, and how the library turns bodies into values and back."""

    ask: Callable[..., Any]
    """Asks a text, or calls a function by its name with arguments."""
    tell: Callable[[str], None]
    """Sends a text without waiting for an answer."""
    write: Callable[[Any], bytes]
    """The body that the library makes of a value."""
    error: type[Exception]
    """What it raises where the server signals an error."""
    text: Callable[[Exception], str] = str
    """What the server signalled."""
    unable: type[Exception] | tuple[()] = ()
    """What it raises, before it sends anything, where it cannot send a value."""


@dataclass
class Limits:
    """What a library cannot do: reasons, and patterns of the names that each is about."""

    reasons: dict[str, tuple[str, ...]]
    seen: dict[str, list[str]] = field(default_factory=dict)

    def reason(self, name: str) -> str | None:
        for reason, patterns in self.reasons.items():
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return reason
        return None


class Checks:
    def __init__(self, limits: dict[str, tuple[str, ...]] | None = None) -> None:
        self._limits = Limits(limits or {})
        self._done = 0
        self._failed = 0

    def equal(self, name: str, act: Callable[[], Any], expected: Any) -> None:
        """Whether something is what it should be, in type and value."""
        try:
            found = act()
        except Exception as error:  # the library's, of whatever kind
            self.fail(name, f"expected {_short(expected)} got {_named(error)}")
            return
        if type(found) is type(expected) and found == expected:
            self._ok(name)
        else:
            self.fail(name, f"expected {_short(expected)} got {_short(found)}")

    def refuses(
        self,
        name: str,
        act: Callable[[], Any],
        error: type[Exception],
        says: str,
        text: Callable[[Exception], str] = str,
    ) -> None:
        """Whether something raises this very error."""
        wanted = f"{error.__name__}({says!r})"
        try:
            found = act()
        except error as raised:
            if text(raised) == says:
                self._ok(name)
            else:
                self.fail(name, f"expected {wanted} got {_named(raised)}")
        except Exception as raised:  # the library's, of whatever kind
            self.fail(name, f"expected {wanted} got {_named(raised)}")
        else:
            self.fail(name, f"expected {wanted} got {_short(found)}")

    def limit(self, name: str, what: str) -> None:
        """The library itself cannot do something. That has to be known."""
        reason = self._limits.reason(name)
        if reason is None:
            self.fail(name, f"expected no limit of the library got {what}")
        else:
            self._limits.seen.setdefault(reason, []).append(name)

    def changes(self, name: str, act: Callable[[], Any], value: Any) -> None:
        """A limit that is no matter of reading and writing: the value does not come back."""
        try:
            found = act()
        except Exception as error:  # the library's, of whatever kind
            self.limit(name, _named(error))
        else:
            if type(found) is type(value) and found == value:
                self.no_limit(name)
            else:
                self.limit(name, f"{_short(found)} for {_short(value)}")

    def no_limit(self, name: str) -> None:
        """The library can do something. A limit that says otherwise is out of date."""
        reason = self._limits.reason(name)
        if reason is not None:
            self.fail(name, f"expected the limit “{reason}” got none")

    def end(self) -> int:
        """Prints the limits and the sum; returns the exit status."""
        for reason in self._limits.reasons:
            names = self._limits.seen.get(reason)
            if names:
                print(f"limit {'; '.join(names)}: {reason}")
            else:
                self.fail(reason, "expected this limit got nothing that it is about")
        print(f"{self._done} checks, {self._failed} failed", flush=True)
        return 1 if self._failed or not self._done else 0

    def _ok(self, name: str) -> None:
        self._done += 1
        print(f"ok {name}")

    def fail(self, name: str, what: str) -> None:
        """Something is not what it should be."""
        self._done += 1
        self._failed += 1
        print(f"FAIL {name}: {what}")


def answers(checks: Checks, client: Client) -> None:
    """Texts and their values."""
    for text, body in ANSWERS.items():
        checks.equal(f"answer {text}", lambda: client.write(client.ask(text)), body)


def errors(checks: Checks, client: Client) -> None:
    """What the server signals, as the error of the library, and q's word for it."""
    for text, says in ERRORS.items():
        checks.refuses(f"error {text}", lambda: client.ask(text), client.error, says, client.text)
    after = "the connection goes on after errors"
    checks.equal(after, lambda: client.write(client.ask("2+2")), ANSWERS["2+2"])


def calls(checks: Checks, client: Client, one: Any, two: Any) -> None:
    """Functions with the arguments 1 and 2, by names long and short."""
    three = values.atom(7, (3).to_bytes(8, "little"))
    checks.equal("call +", lambda: client.write(client.ask("+", one, two)), three)
    checks.equal(
        "call til", lambda: client.write(client.ask("til", two)), values.longs(0, 1)
    )
    client.tell("f:til")
    checks.equal("call f", lambda: client.write(client.ask("f", two)), values.longs(0, 1))
    checks.refuses(
        "call nosuch", lambda: client.ask("nosuch", one), client.error, "nosuch", client.text
    )


def asyncs(checks: Checks, client: Client) -> None:
    """Async messages are evaluated in order, before what is asked afterwards."""

    def told(number: int) -> bytes:
        return values.atom(7, number.to_bytes(8, "little"))

    client.tell("n:3")
    checks.equal("async, then a sync of one char", lambda: client.write(client.ask("n")), told(3))
    for number in range(ASYNCS):
        client.tell(f"n:n+{number}")
    total = 3 + sum(range(ASYNCS))
    checks.equal(f"{ASYNCS} asyncs", lambda: client.write(client.ask("n")), told(total))
    client.tell("nosuch")
    checks.equal("async error", lambda: client.write(client.ask("n")), told(total))


def echoes(checks: Checks, client: Client, read: Callable[[bytes], Any]) -> None:
    """Every value that the library reads and writes comes back from the server as it was sent.

    What the library changes when it reads and writes a value, with no server between, is a limit of
    the library; what it then writes is echoed all the same.
    """
    for name, body in values.every_value():
        try:
            value = read(body)
            sent = client.write(value)
        except Exception as error:  # the library's, of whatever kind
            checks.limit(name, _named(error))
            continue
        if sent != body:
            checks.limit(name, f"{_short(sent)} for {_short(body)}")
        try:
            answer = client.ask("echo", value)
        except client.unable as error:
            checks.limit(name, _named(error))
        except Exception as error:
            checks.fail(f"echo {name}", _named(error))
        else:
            if sent == body:
                checks.no_limit(name)
            checks.equal(f"echo {name}", lambda: client.write(answer), sent)


def run(
    everything: Callable[[str, int], int], logins: Callable[[str, int, str, str], int]
) -> None:
    """Runs what the command line asks for, and ends with the exit status."""
    match sys.argv[1:]:
        case [address]:
            host, _, port = address.rpartition(":")
            sys.exit(everything(host, int(port)))
        case [address, credentials]:
            host, _, port = address.rpartition(":")
            user, _, password = credentials.partition(":")
            sys.exit(logins(host, int(port), user, password))
        case _:
            sys.exit(f"usage: {sys.argv[0]} HOST:PORT [USER:PASSWORD]")


def _named(error: Exception) -> str:
    return _short(f"{type(error).__name__}: {error}")


def _short(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)})"


_LONGEST = 200
