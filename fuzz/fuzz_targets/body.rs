//! A body of any bytes, in the byte order that the first one says.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::body::look_at(input));
