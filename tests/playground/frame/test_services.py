"""What all visitors of an app share, and what tells them apart."""

from __future__ import annotations

import asyncio
import socket

import pytest
from streamlit.testing.v1 import AppTest

from playground.frame import services

pytestmark = pytest.mark.usefixtures("idle_trainer")


def _script() -> None:
    import streamlit as st

    from playground.frame import services

    st.text(services.visitor())


def test_a_visitor_is_the_same_in_one_session_and_another_in_the_next() -> None:
    one, other = AppTest.from_function(_script).run(), AppTest.from_function(_script).run()
    first = one.text[0].value
    assert one.run().text[0].value == first != other.text[0].value


def test_a_text_is_given_back_by_its_hash() -> None:
    digest = services.store().put_text("Frogs sing.")
    assert services.own_text(digest) == "Frogs sing."


def test_a_missing_text_is_said_as_the_engine_expects_it() -> None:
    with pytest.raises(LookupError):
        services.own_text("0" * 64)


def test_everyone_shares_one_store_and_one_reader() -> None:
    assert services.store() is services.store()
    assert services.reader().store is services.store()


def test_what_is_small_leaves_at_once_on_every_connection_from_then_on() -> None:
    async def accepted_with() -> int:
        listening = socket.socket()  # as Streamlit makes it: without the protocol, by which asyncio goes
        listening.bind(("127.0.0.1", 0))
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(accept, sock=listening):
            services._answer_without_delay()
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.close()
            return await found

    assert asyncio.run(accepted_with()) == 1
