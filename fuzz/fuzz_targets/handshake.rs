//! Fuzzes `solent::testing::fuzz::handshake`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| solent::testing::fuzz::handshake(data));
