//! A password file of any bytes: a field with a login, and the file.

use std::collections::HashMap;

use hopen_codec::auth::{Credentials, PasswordFile, PasswordFileError, PasswordKind};

use crate::take_field;

/// Looks at one input.
pub fn look_at(mut input: &[u8]) {
    let login = take_field(&mut input);
    let login = Credentials::parse(login).ok();
    check_plain(login.as_ref(), input);
    match PasswordFile::parse(input) {
        Ok(file) => {
            let again = PasswordFile::parse_as(file.kind(), input).expect("it was read before");
            for (credentials, password) in lines(input) {
                assert_eq!(looks(password), file.kind());
                let hashed = file.kind() != PasswordKind::Plain;
                // Nobody has found a password that is its own hash in hex.
                assert_eq!(file.check(&credentials), !hashed);
                assert_eq!(again.check(&credentials), !hashed);
            }
        }
        Err(error) => check_error(error, input),
    }
}

/// As plain passwords, exactly those in the file are let in.
fn check_plain(login: Option<&Credentials>, input: &[u8]) {
    let file = match PasswordFile::parse_as(PasswordKind::Plain, input) {
        Ok(file) => file,
        Err(error) => {
            assert!(!matches!(error, PasswordFileError::Mixed { .. }));
            return check_error(error, input);
        }
    };
    let mut users = HashMap::new();
    for (credentials, password) in lines(input) {
        assert!(file.check(&credentials));
        let user = credentials.user().to_vec();
        let longer = Credentials::new(&user[..], [password, b"x"].concat()).expect("no NUL in it");
        assert!(!file.check(&longer));
        let nobody = Credentials::user_only(&user[..]).expect("a user of the file");
        assert!(!file.check(&nobody));
        assert!(users.insert(user, password).is_none());
    }
    if let Some(login) = login {
        let password = login.password().map(|password| password.expose());
        let known = password.is_some() && users.get(login.user()).copied() == password;
        assert_eq!(file.check(login), known);
    }
}

/// The lines of a file that was read: a login, and its password.
fn lines(input: &[u8]) -> impl Iterator<Item = (Credentials, &[u8])> {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    input.split(|byte| *byte == b'\n').map(|line| {
        let colon = line.iter().position(|byte| *byte == b':');
        let password = &line[colon.expect("a user and a password") + 1..];
        assert!(!password.is_empty());
        (Credentials::parse(line).expect("no NUL in it"), password)
    })
}

fn looks(password: &[u8]) -> PasswordKind {
    match password.len() {
        _ if !password.iter().all(u8::is_ascii_hexdigit) => PasswordKind::Plain,
        32 => PasswordKind::Md5,
        40 => PasswordKind::Sha1,
        _ => PasswordKind::Plain,
    }
}

/// An error names a line that is there.
fn check_error(error: PasswordFileError, input: &[u8]) {
    let text = error.to_string();
    assert!(!text.contains(char::is_control));
    let line = match error {
        PasswordFileError::Empty => return assert!(input.is_empty() || input == b"\n"),
        PasswordFileError::ByteOrderMark => return assert!(input.starts_with(b"\xef\xbb\xbf")),
        PasswordFileError::Blank { line }
        | PasswordFileError::CarriageReturn { line }
        | PasswordFileError::NoColon { line }
        | PasswordFileError::Credentials { line, .. }
        | PasswordFileError::EmptyPassword { line }
        | PasswordFileError::Duplicate { line, .. }
        | PasswordFileError::Mixed { line, .. }
        | PasswordFileError::NoHash { line, .. } => line,
        other => panic!("an error that this does not know: {other:?}"),
    };
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    let count = input.split(|byte| *byte == b'\n').count();
    assert!((1..=count).contains(&line), "{text}: {count} lines");
    assert!(text.contains(&format!("line {line}")));
}
