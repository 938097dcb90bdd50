//! A compressed payload: its form and byte order, the limit, and the payload.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::decompress::look_at(input));
