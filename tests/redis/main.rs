//! The Redis channel layers: their bytes against the vectors, their promises against a real Redis, and Python's
//! channels_redis on the other side.
#![cfg(feature = "redis")]

#[path = "../support/layer_suite.rs"]
mod layer_suite;
#[path = "../support/redis.rs"]
mod redis_server;
#[path = "../support/tools.rs"]
mod tools;

mod channels_rows;
#[cfg(feature = "gateway")]
mod commands;
mod core;
mod formats;
mod hosts;
mod peer;
mod proxy;
mod pubsub;
mod python;
mod rigs;
mod rooms;
mod vectors;
mod weather;
mod workers;

layer_suite!(core_layer, crate::rigs::core);
layer_suite!(core_layer_encrypted_on_three_hosts, crate::rigs::core_on_three_hosts);
layer_suite!(pubsub_layer, crate::rigs::pubsub);
layer_suite!(pubsub_layer_encrypted_on_three_hosts, crate::rigs::pubsub_on_three_hosts);
