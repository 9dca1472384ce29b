"""A Django project of one file, whose only command is the real `runworker`.

The arguments are the layer ("core" or "pubsub"), the host's URL, and the channels to work on: "python-async",
"python-sync". Each doubles a number and answers the channel that the message names.
"""

import sys

import django
from django.conf import settings

kind, host, *channels = sys.argv[1:]
backend = {"core": "core.RedisChannelLayer", "pubsub": "pubsub.RedisPubSubChannelLayer"}[kind]
settings.configure(
    SECRET_KEY="only for this test",
    INSTALLED_APPS=["channels"],
    ASGI_APPLICATION="__main__.application",
    CHANNEL_LAYERS={"default": {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [host]}}},
)
django.setup()

from asgiref.sync import async_to_sync  # noqa: E402
from channels.consumer import AsyncConsumer, SyncConsumer  # noqa: E402
from channels.routing import ChannelNameRouter, ProtocolTypeRouter  # noqa: E402
from django.core.management import call_command  # noqa: E402


def answer(message):
    return {"type": "number", "n": 2 * message["n"], "from": "python"}


class Async(AsyncConsumer):
    async def double(self, message):
        await self.channel_layer.send(message["reply"], answer(message))


class Sync(SyncConsumer):
    def double(self, message):
        async_to_sync(self.channel_layer.group_send)(message["group"], answer(message))


application = ProtocolTypeRouter(
    {"channel": ChannelNameRouter({"python-async": Async.as_asgi(), "python-sync": Sync.as_asgi()})}
)

call_command("runworker", *channels)
