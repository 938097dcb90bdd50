"""A small q, answered by aiokdb: its own server reads, decodes, encodes and does the login.

Knows the queries of ANSWERS; any other is an error by its own text, as q says of an unknown name.
`--password WORD` refuses whoever does not know the word.
"""

from __future__ import annotations

import argparse
import logging
from functools import partial

import peer
from aiokdb import KException, KObj, MessageType, TypeEnum, cv, kj, kk, kNil, ks, xd, xt
from aiokdb.extras import ktni, ktns
from aiokdb.server import KdbWriter, ServerContext, handle_connection

ANSWERS: dict[str, KObj] = {
    "til 5": ktni(TypeEnum.KJ, *range(5)),
    "2+3": kj(5),
    "-2+3": kj(1),
    "::": kNil,
    "`abc": ks("abc"),
    '"text"': cv("text"),
    "t": xt(xd(ktns("s", "n"), kk(ktns("a", "b"), ktni(TypeEnum.KJ, 1, 2)))),
}
PUSHES_FIRST = "push then 2+3"
ANSWERS[PUSHES_FIRST] = ANSWERS["2+3"]


class Context(ServerContext):
    async def on_sync_request(self, cmd: KObj, dotzw: KdbWriter) -> KObj:
        if text(cmd) == PUSHES_FIRST:
            dotzw.write(cv("news"), MessageType.ASYNC)
        return answer(cmd)

    async def on_async_message(self, cmd: KObj, dotzw: KdbWriter) -> None:
        peer.say(f"async {text(cmd)}")


def answer(query: KObj) -> KObj:
    try:
        return ANSWERS[text(query)]
    except KeyError:
        raise KException(text(query)) from None


def text(query: KObj) -> str:
    """The query as text; a query of one letter may come as a char atom."""
    if query.t == TypeEnum.KC:
        return query.aS()
    if query.t == -TypeEnum.KC:
        return query.aC()
    raise KException("type")


def main() -> None:
    logging.basicConfig(level=logging.CRITICAL)  # it logs an error's traceback as a warning
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--password")
    options = arguments.parse_args()
    peer.serve(partial(handle_connection, Context(options.password)))


if __name__ == "__main__":
    main()
