//! What runs inside Redis: each step that Python takes in several round trips, in one.

use bytes::Bytes;
use redis::Cmd;

/// Adds a message unless the key is full, and purges what is too old. 1 when it was added. Adding comes first, since only
/// a script's first write is refused by a Redis without memory.
/// KEYS: the channel. ARGV: now, cutoff, capacity, expiry, message.
const SEND: &str = "
local waiting = redis.call('ZCARD', KEYS[1]) - redis.call('ZCOUNT', KEYS[1], 0, ARGV[2])
local added = 0
if waiting < tonumber(ARGV[3]) then
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[5])
    redis.call('EXPIRE', KEYS[1], ARGV[4])
    added = 1
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, ARGV[2])
return added";

/// The same for many keys; says how many were full.
/// KEYS: the channels. ARGV: now, cutoff, expiry, then a message for each key, then a capacity for each.
const SEND_EACH: &str = "
local full = 0
for i = 1, #KEYS do
    local waiting = redis.call('ZCARD', KEYS[i]) - redis.call('ZCOUNT', KEYS[i], 0, ARGV[2])
    if waiting < tonumber(ARGV[3 + #KEYS + i]) then
        redis.call('ZADD', KEYS[i], ARGV[1], ARGV[3 + i])
        redis.call('EXPIRE', KEYS[i], ARGV[3])
    else
        full = full + 1
    end
end
for i = 1, #KEYS do redis.call('ZREMRANGEBYSCORE', KEYS[i], 0, ARGV[2]) end
return full";

/// Confirms what was handed over, takes back what else was popped and lost on its way, then pops the oldest messages
/// into the back-up: for a channel that only one process reads.
/// KEYS: the channel, its back-up. ARGV: how many, the back-up's life, then the confirmed messages, or `*` for all.
const FETCH: &str = "
if ARGV[3] == '*' then
    redis.call('DEL', KEYS[2])
else
    for i = 3, #ARGV do redis.call('ZREM', KEYS[2], ARGV[i]) end
    local left = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
    for i = 1, #left, 2 do redis.call('ZADD', KEYS[1], left[i + 1], left[i]) end
    if #left > 0 then redis.call('DEL', KEYS[2]) end
end
local found = redis.call('ZPOPMIN', KEYS[1], ARGV[1])
for i = 1, #found, 2 do redis.call('ZADD', KEYS[2], found[i + 1], found[i]) end
if #found > 0 then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
return found";

/// Confirms what was handed over, then pops the oldest message into the back-up, where others may have theirs.
/// KEYS: the channel, its back-up. ARGV: the confirmed messages.
const TAKE: &str = "
for i = 1, #ARGV do redis.call('ZREM', KEYS[2], ARGV[i]) end
local found = redis.call('ZPOPMIN', KEYS[1])
if #found > 0 then redis.call('ZADD', KEYS[2], found[2], found[1]) end
return found";

/// Takes messages back that are still in the back-up.
/// KEYS: the channel, its back-up. ARGV: the messages.
const RESTORE: &str = "
for i = 1, #ARGV do
    local score = redis.call('ZSCORE', KEYS[2], ARGV[i])
    if score then
        redis.call('ZADD', KEYS[1], score, ARGV[i])
        redis.call('ZREM', KEYS[2], ARGV[i])
    end
end";

/// One message for one key.
pub(super) struct Framed {
    pub(super) key: String,
    pub(super) message: Vec<u8>,
    pub(super) capacity: usize,
}

/// When something is sent, and what is too old by then.
pub(super) struct Clock {
    pub(super) now: String,
    pub(super) cutoff: String,
    pub(super) expiry: u64,
}

pub(super) fn send(clock: &Clock, to: &Framed) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(SEND).arg(1).arg(&to.key).arg(&clock.now).arg(&clock.cutoff);
    command.arg(to.capacity).arg(clock.expiry).arg(&to.message);
    command
}

pub(super) fn send_each(clock: &Clock, to: &[Framed]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(SEND_EACH).arg(to.len());
    for to in to {
        command.arg(&to.key);
    }
    command.arg(&clock.now).arg(&clock.cutoff).arg(clock.expiry);
    for to in to {
        command.arg(&to.message);
    }
    for to in to {
        command.arg(to.capacity);
    }
    command
}

/// What of the back-up was handed over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Handed<'a> {
    /// These messages; the back-up may hold others, which were lost on their way.
    These(&'a [Bytes]),
    /// All of it.
    All,
}

/// Pops messages of a channel that only this process reads. `life` bounds the back-up's: when the process dies, nobody
/// would ever take it back.
pub(super) fn fetch(key: &str, messages: usize, life: u64, handed: Handed<'_>) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(FETCH).arg(2).arg(key).arg(backup(key)).arg(messages).arg(life);
    match handed {
        Handed::These(messages) => with_messages(command, messages),
        Handed::All => {
            command.arg("*");
            command
        }
    }
}

/// Pops one message of a channel that others read too.
pub(super) fn take(key: &str, handed: &[Bytes]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(TAKE).arg(2).arg(key).arg(backup(key));
    with_messages(command, handed)
}

/// Takes back what a dead reader had popped.
pub(super) fn restore(key: &str, messages: &[Bytes]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(RESTORE).arg(2).arg(key).arg(backup(key));
    with_messages(command, messages)
}

fn with_messages(mut command: Cmd, messages: &[Bytes]) -> Cmd {
    for message in messages {
        command.arg(&message[..]);
    }
    command
}

/// The key of what was popped and not yet handed over.
pub(super) fn backup(key: &str) -> String {
    format!("{key}$inflight")
}
