//! A password file of any bytes: a field with a login, and the file.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hopen_fuzz::password_file::look_at(input));
