//! Fuzzes `solent::testing::fuzz::cookies`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| solent::testing::fuzz::cookies(data));
