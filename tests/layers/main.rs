//! The channel layers room: values, names, events, mailboxes, and the in-memory layer.

#[path = "../support/layer_suite/mod.rs"]
mod layer_suite;

mod capacities;
mod channels_rows;
mod events;
mod gaps;
mod handles;
mod history;
mod mailboxes;
mod memory;
mod names;
mod values;
#[path = "../support/waiting.rs"]
mod waiting;

async fn memory_rig() -> layer_suite::Rig {
    layer_suite::Rig::of(solent::layers::MemoryChannelLayer::new())
}

layer_suite!(memory_layer, crate::memory_rig);
