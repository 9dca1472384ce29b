"""Python's `websockets` as a client of the chat: connects, chats, is refused.

    python tests/site/clients.py ws://127.0.0.1:8000 ALICES_COOKIES CAROLS_COOKIES

Reports as tests/site/outside.rs reads it.
"""

import asyncio
import json
import sys
import traceback

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

BASE, ALICE, CAROL = sys.argv[1:]
ORIGIN = BASE.replace("ws", "http", 1)
PATIENCE = 10


def room(number, cookies=ALICE):
    return connect(f"{BASE}/ws/chat/room/{number}/", origin=ORIGIN, additional_headers={"Cookie": cookies})


async def hears(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))


async def chats():
    async with room(1) as one, room(1) as two, room(2, CAROL) as other:
        await one.send(json.dumps({"message": "gr\u00fc\u00dfe \U0001f30a"}))
        for socket in (one, two):
            event = await hears(socket)
            assert event["user"] == "alice", event
            assert event["type"] == "chat.message", event
            assert event["message"] == "gr\u00fc\u00dfe \U0001f30a", event
            assert set(event) == {"type", "message", "user", "time"}, event
        await other.send(json.dumps({"message": "over here"}))
        assert (await hears(other))["message"] == "over here"


async def answers_pings():
    async with room(1) as socket:
        await asyncio.wait_for(await socket.ping(), PATIENCE)


async def closes_in_good_order():
    async with room(1) as socket:
        await socket.close(1000, "bye")
        assert (socket.close_code, socket.protocol.close_rcvd.code) == (1000, 1000)


async def refused(path, status, origin=ORIGIN, cookies=ALICE):
    headers = {"Cookie": cookies} if cookies else {}
    try:
        async with connect(BASE + path, origin=origin, additional_headers=headers):
            raise AssertionError("the handshake was accepted")
    except InvalidStatus as error:
        assert error.response.status_code == status, error.response


async def is_refused_from_another_site():
    await refused("/ws/chat/room/1/", 403, origin="http://evil.example")


async def is_refused_where_it_is_no_member():
    await refused("/ws/chat/room/1/", 403, cookies=None)
    await refused("/ws/chat/room/1/", 403, cookies=CAROL)
    await refused("/ws/chat/room/999/", 403)
    await refused("/ws/chat/room/1/", 403, cookies="sessionid=" + "x" * 32)


async def is_refused_where_there_is_no_room():
    for path in ("/ws/chat/nothing/", "/ws/chat/room/x/", "/ws/chat/room/1", "/xx/ws/chat/room/1/"):
        await refused(path, 404)


async def main():
    for check in (chats, answers_pings, closes_in_good_order, is_refused_from_another_site,
                  is_refused_where_it_is_no_member, is_refused_where_there_is_no_room):
        name = check.__name__.replace("_", " ")
        try:
            await check()
        except Exception:
            print(f"not ok - {name}\n{traceback.format_exc()}", flush=True)
            sys.exit(1)
        print(f"ok - {name}", flush=True)
    print("done", flush=True)


asyncio.run(main())
