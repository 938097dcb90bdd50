//! A stream of messages, in chunks of any sizes: a field of sizes, and the stream.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::frames::look_at(input));
