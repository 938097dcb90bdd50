//! A login that a password file decides on: users, and what the client sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::login::look_at(input));
