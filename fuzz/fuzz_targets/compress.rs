//! A body that is compressed: as it is, made of pieces that repeat, or a value's.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::compress::look_at(input));
