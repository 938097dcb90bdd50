//! A login and what the server says to it, in chunks of any sizes: the capability that is offered,
//! a field with the credentials, a field with the sizes, and what the server says.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::client_handshake::look_at(input));
