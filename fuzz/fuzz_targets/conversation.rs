//! Two ends of a connection and a program for them, beside a model of what must arrive.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::conversation::look_at(input));
