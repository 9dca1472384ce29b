"""A Django project of one file whose only command is the real `runworker`: it answers the clients of `worker` routes.

The arguments are the layer ("core" or "pubsub"), the host's URL, and the channels to work on.
"""

import json
import sys

import django
from django.conf import settings

kind, host, *channels = sys.argv[1:]
backend = {"core": "core.RedisChannelLayer", "pubsub": "pubsub.RedisPubSubChannelLayer"}[kind]
# channels_redis waits 5 s for a message, which is as long as redis-py waits for any answer, unless it is told otherwise:
# an idle worker would end by its own time-out.
hosts = [{"address": host, "socket_timeout": 60}]
settings.configure(
    SECRET_KEY="only for this test",
    INSTALLED_APPS=["channels"],
    ASGI_APPLICATION="__main__.application",
    CHANNEL_LAYERS={"default": {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": hosts}}},
)
django.setup()

from channels.consumer import AsyncConsumer  # noqa: E402
from channels.routing import ChannelNameRouter, ProtocolTypeRouter  # noqa: E402
from django.core.management import call_command  # noqa: E402


class Rooms(AsyncConsumer):
    """Tells clients what it was told of them, and does what they ask for."""

    async def answer(self, message, **answer):
        await self.channel_layer.send(message["reply_channel"], answer)

    async def websocket_connect(self, message):
        if message["kwargs"].get("room") == "closed":
            return await self.answer(message, type="websocket.close")
        offered = message["subprotocols"]
        await self.answer(message, type="websocket.accept", subprotocol=offered[-1] if offered else None)
        await self.tell(message)

    async def websocket_receive(self, message):
        if message.get("bytes") is not None:
            return await self.answer(message, type="websocket.send", bytes=message["bytes"][::-1])
        word, _, rest = message["text"].partition(" ")
        if word == "join":
            await self.answer(message, type="group.add", group=rest)
        elif word == "leave":
            await self.answer(message, type="group.discard", group=rest)
        elif word == "group_add":
            await self.channel_layer.group_add(rest, message["reply_channel"])
        elif word == "all":
            await self.channel_layer.group_send(rest, {"type": "websocket.send", "text": f"to all of {rest}"})
        elif word == "event":
            await self.channel_layer.group_send(rest, {"type": "chat.message", "room": rest})
        elif word == "close":
            return await self.answer(message, type="websocket.close", code=int(rest), reason="as asked")
        await self.tell(message)

    async def websocket_disconnect(self, message):
        told = {"type": "websocket.send", "text": json.dumps(self.told(message))}
        await self.channel_layer.group_send("watchers", told)

    async def tell(self, message):
        await self.answer(message, type="websocket.send", text=json.dumps(self.told(message)))

    def told(self, message):
        return {**message, "channel": self.scope["channel"]}


rooms = Rooms.as_asgi()
application = ProtocolTypeRouter({"channel": ChannelNameRouter({channel: rooms for channel in channels})})

call_command("runworker", *channels)
