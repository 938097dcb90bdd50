//! Handles, as text, as q values, and as the strategy makes them: what the first byte says.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::address::look_at(input));
