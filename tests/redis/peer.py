"""Python's channels_redis, driven over standard input and output: one JSON command per line, one JSON answer per line.

The only argument is {"layer": "core" or "pubsub", "options": {...}}; bytes are written {"$bytes": base64}.
"""

import asyncio
import base64
import json
import sys

from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer


def marked(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: marked(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked(inner) for inner in value]
    return value


def unmarked(value):
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            return base64.b64decode(value["$bytes"])
        return {key: unmarked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unmarked(inner) for inner in value]
    return value


async def run(layer, command):
    name, arguments = command["do"], [unmarked(argument) for argument in command.get("with", [])]
    if name == "receive":
        return marked(await asyncio.wait_for(layer.receive(*arguments), 30))
    if name == "send_many":
        channel, message, times = arguments
        for number in range(times):
            await layer.send(channel, {**message, "n": number})
        return None
    if name == "group_send_many":
        group, message, times = arguments
        for number in range(times):
            await layer.group_send(group, {**message, "n": number})
        return None
    return marked(await getattr(layer, name)(*arguments))


async def main():
    settings = json.loads(sys.argv[1])
    kind = {"core": RedisChannelLayer, "pubsub": RedisPubSubChannelLayer}[settings["layer"]]
    layer = kind(**settings["options"])
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = {"ok": await run(layer, json.loads(line))}
        except ChannelFull:
            answer = {"error": "ChannelFull"}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
