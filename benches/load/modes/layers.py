"""What benches/load/modes/layers.rs does, by Python's channels_redis: core or pubsub, URL, members, senders, sends."""

import asyncio
import sys
import time

from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

kind, url, members, senders, sends = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])


async def listen(layer, channel, back):
    while True:
        event = await layer.receive(channel)
        heard[0] += 1
        if back:
            back[event["sender"]].set()


async def send(layer, sender, back, each):
    message = {"type": "chat.message", "sender": sender, "message": "x" * 60}
    for _ in range(each):
        await layer.group_send("room", message)
        await back[sender].wait()
        back[sender].clear()


async def exchange(layer, back, count):
    heard[0] = 0
    each = count // senders
    await asyncio.gather(*(send(layer, sender, back, each) for sender in range(senders)))
    while heard[0] < each * senders * members:
        await asyncio.sleep(0)


async def main():
    layer = {"core": RedisChannelLayer, "pubsub": RedisPubSubChannelLayer}[kind](hosts=[url])
    back = [asyncio.Event() for _ in range(senders)]
    tasks = []
    for member in range(members):
        channel = await layer.new_channel()
        await layer.group_add("room", channel)
        tasks.append(asyncio.create_task(listen(layer, channel, back if member == 0 else None)))
    await asyncio.sleep(0.5)
    await exchange(layer, back, max(senders, sends // 10))
    print("ready", flush=True)
    await asyncio.sleep(0.2)
    start, cpu = time.perf_counter(), time.process_time()
    await exchange(layer, back, sends)
    print(time.perf_counter() - start, time.process_time() - cpu, flush=True)
    for task in tasks:
        task.cancel()


heard = [0]
asyncio.run(main())
