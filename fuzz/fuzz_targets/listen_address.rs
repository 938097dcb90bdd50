//! What a process listens on, as any text.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::listen_address::look_at(input));
