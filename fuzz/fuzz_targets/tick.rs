//! A body of any bytes, as what a tickerplant sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::tick::look_at(input));
