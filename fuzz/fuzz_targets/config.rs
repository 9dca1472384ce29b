//! Fuzzes `solent::testing::fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| solent::testing::fuzz::config(data));
