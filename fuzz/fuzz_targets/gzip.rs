//! A gzip stream, in chunks of any sizes and to rooms of any sizes: a field with the sizes of the
//! chunks, a field with those of the rooms, and the stream.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::gzip::look_at(input));
