//! Fuzzes `solent::testing::fuzz::redis_core`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| solent::testing::fuzz::redis_core(data));
