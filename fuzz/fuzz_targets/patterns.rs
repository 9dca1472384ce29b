//! Fuzzes `solent::testing::fuzz::patterns`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| solent::testing::fuzz::patterns(data));
