"""A Django Channels site of one consumer, which is a member of the course chat's first room; served by daphne."""

import json
import os
from datetime import UTC, datetime

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for this test",
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

ROOM = "chat_1"


class Member(AsyncWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add(ROOM, self.channel_name)
        await self.accept()

    async def receive(self, text_data):
        message = json.loads(text_data)["message"]
        time = datetime.now(UTC).isoformat()
        await self.channel_layer.group_send(
            ROOM, {"type": "chat_message", "message": message, "user": "dora", "time": time}
        )

    async def chat_message(self, event):
        await self.send(text_data=json.dumps(event))

    async def disconnect(self, code):
        await self.channel_layer.group_discard(ROOM, self.channel_name)


application = ProtocolTypeRouter({"websocket": Member.as_asgi()})
