//! A login as a server receives it, in chunks of any sizes: the capability that the server has, the
//! longest login that it takes, a field with the sizes, and what the client sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::server_handshake::look_at(input));
