"""aiokdb's client: it reads and writes values itself, in Python."""

from __future__ import annotations

import asyncio
from typing import Any

import aiokdb
from aiokdb import KException, KObj, MessageType, cv, kj, kk, ks
from aiokdb.client import ClientContext, open_qipc_connection
from aiokdb.server import CredentialsException

import check
import values

HEADER = 8

_INTS = ("short", "int", "month", "date", "minute", "second", "time")

LIMITS = {
    "reads a vector of shorts or ints that has a negative one, and cannot write it": tuple(
        f"{name} vector{which}"
        for name in _INTS
        for which in (" of three", ", special", ", sorted")
    ),
    "takes all text for UTF-8": (
        "text in Latin-1",
        "text of all bytes",
        "symbol in Latin-1",
        "symbols in Latin-1",
    ),
    "drops the attribute of a table": ("table, sorted", "keyed table, sorted"),
    "knows lambdas of the root context, and of the other functions only 101 and 102": (
        "ternary function",
        "lambda in a context",
        "projection",
        "composition",
        "derived function",
    ),
}


class Connection:
    """aiokdb's reader and writer, for callers that wait."""

    def __init__(self, host: str, port: int, user: str | None, password: str | None) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            _, self._writer = self._wait(
                open_qipc_connection(host, port, user, password, context=ClientContext())
            )
        except BaseException:
            self._loop.close()
            raise

    def ask(self, text: str, *arguments: KObj) -> KObj:
        query = kk(cv(text), *arguments) if arguments else cv(text)
        return self.ask_value(query)

    def ask_value(self, query: KObj) -> KObj:
        return self._wait(self._writer.sync_req(query))

    def tell(self, text: str) -> None:
        self._writer.write(cv(text), MessageType.ASYNC)

    def pipelined(self, texts: list[str]) -> list[KObj]:
        async def answers() -> list[KObj]:
            return await asyncio.gather(*(self._writer.sync_req(cv(text)) for text in texts))

        return self._wait(answers())

    def close(self) -> None:
        async def closed() -> None:
            self._writer.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)

        self._wait(closed())
        self._loop.close()

    def _wait(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(coroutine)


def everything(host: str, port: int) -> int:
    checks = check.Checks(LIMITS)
    connection = Connection(host, port, "ann", None)
    client = check.Client(connection.ask, connection.tell, body, KException)
    check.answers(checks, client)
    check.errors(checks, client)
    check.calls(checks, client, kj(1), kj(2))
    check.asyncs(checks, client)
    check.echoes(checks, client, lambda wire: aiokdb.d9(values.message(wire)))
    five = kk(ks("echo"), kj(5))
    checks.equal("call by a symbol", lambda: connection.ask_value(five).aJ(), 5)
    texts = [str(number) for number in range(100)]
    checks.equal(
        "pipelined",
        lambda: [answer.aJ() for answer in connection.pipelined(texts)],
        list(range(100)),
    )
    connection.close()
    return checks.end()


def logins(host: str, port: int, user: str, password: str) -> int:
    checks = check.Checks()

    def four(user: str | None, password: str | None) -> int:
        connection = Connection(host, port, user, password)
        answer = connection.ask("2+2")
        connection.close()
        return answer.aJ()

    checks.equal("the right password", lambda: four(user, password), 4)
    for name, credentials in (
        ("a wrong password", (user, password + "!")),
        ("an unknown user", (user + "!", password)),
        ("no password", (user, None)),
        ("nobody", (None, None)),
    ):
        checks.refuses(
            name,
            lambda: four(*credentials),
            CredentialsException,
            "0 bytes read on a total of 1 expected bytes",
        )
    checks.equal("the right password again", lambda: four(user, password), 4)
    return checks.end()


def body(value: KObj) -> bytes:
    return aiokdb.b9(value)[HEADER:]


if __name__ == "__main__":
    check.run(everything, logins)
