//! The Redis channel layers: their bytes against the vectors, their promises against a real Redis, and Python's
//! channels_redis on the other side.
#![cfg(feature = "redis")]

#[path = "../support/layer_suite/mod.rs"]
mod layer_suite;
#[path = "../support/redis.rs"]
mod redis_server;
#[path = "../support/tools.rs"]
mod tools;

#[cfg(feature = "gateway")]
#[path = "../gateway/binary.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses the parts that it needs")]
mod binary;
mod captures;
mod channels_rows;
#[cfg(feature = "gateway")]
mod chat;
mod cluster;
#[cfg(feature = "gateway")]
mod commands;
mod core;
#[cfg(feature = "gateway")]
mod crowd;
mod fallback;
mod formats;
#[cfg(feature = "gateway")]
mod growth;
mod hosts;
mod order;
#[cfg(feature = "gateway")]
#[path = "../site/outside.rs"]
#[allow(unreachable_pub, reason = "another test binary's")]
mod outside;
mod peer;
mod poison;
mod proxy;
mod pubsub;
mod python;
#[path = "../support/raw.rs"]
#[allow(unreachable_pub, reason = "each test binary uses the parts that it needs")]
mod raw;
#[cfg(feature = "gateway")]
mod readiness;
mod rights;
mod rigs;
mod rooms;
mod settling;
mod silence;
#[cfg(feature = "gateway")]
mod two;
mod vectors;
#[path = "../support/waiting.rs"]
mod waiting;
mod weather;
mod workers;

layer_suite!(core_layer, crate::rigs::core);
layer_suite!(core_layer_encrypted_on_three_hosts, crate::rigs::core_on_three_hosts);
layer_suite!(pubsub_layer, crate::rigs::pubsub);
layer_suite!(pubsub_layer_on_a_cluster, crate::cluster::rig);
layer_suite!(pubsub_layer_encrypted_on_three_hosts, crate::rigs::pubsub_on_three_hosts);
