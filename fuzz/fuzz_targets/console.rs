//! A value as the console shows it: the console's size, and a body or what makes a value.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::console::look_at(input));
