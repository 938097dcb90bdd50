use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::auth::CredentialsError;
use crate::auth::steps::{self, Steps};

const KINDS: [PasswordKind; 3] = [PasswordKind::Plain, PasswordKind::Md5, PasswordKind::Sha1];

fn lets_in(file: &PasswordFile, login: &[u8]) -> bool {
    file.check(&Credentials::parse(login).unwrap())
}

#[test]
fn passwords_are_plain_or_hashes() {
    for (file, kind, login) in [
        (
            &b"ann:secret\nbob:pa:ss\n"[..],
            PasswordKind::Plain,
            &b"bob:pa:ss"[..],
        ),
        (
            b"\xff\x01:\x80 # \t",
            PasswordKind::Plain,
            b"\xff\x01:\x80 # \t",
        ),
        (b":\r \n", PasswordKind::Plain, b":\r "),
        (b"a:b\rc", PasswordKind::Plain, b"a:b\rc"),
        (b"#a:b:\nc:d", PasswordKind::Plain, b"#a:b:"),
        // One digit short of an MD5 hash.
        (
            b"a:0123456789abcdef0123456789abcde",
            PasswordKind::Plain,
            b"a:0123456789abcdef0123456789abcde",
        ),
        (
            b"a:0123456789abcdef0123456789abcdeg",
            PasswordKind::Plain,
            b"a:0123456789abcdef0123456789abcdeg",
        ),
        // RFC 1321, A.5.
        (
            b"a:900150983cd24fb0d6963f7d28e17f72\nb:0cc175b9c0f1b6a831c399e269772661\n",
            PasswordKind::Md5,
            b"a:abc",
        ),
        (
            b"a:900150983CD24FB0D6963F7D28E17F72\n",
            PasswordKind::Md5,
            b"a:abc",
        ),
        // KX, command line: raze string md5 "this is my password".
        (
            b"a:210d53992dff432ec1b1a9698af9da16",
            PasswordKind::Md5,
            b"a:this is my password",
        ),
        // FIPS 180-2, A.1.
        (
            b"a:a9993e364706816aba3e25717850c26c9cd0d89d\n",
            PasswordKind::Sha1,
            b"a:abc",
        ),
        // FIPS 180-2, A.2: more than a block.
        (
            b"a:84983e441c3bd26ebaae4aa1f95129e5e54670f1\n",
            PasswordKind::Sha1,
            b"a:abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        ),
        // KX, command line: raze string -33!"mypassword".
        (
            b"a:91dfd9ddb4198affc5c194cd8ce6d338fde470e2",
            PasswordKind::Sha1,
            b"a:mypassword",
        ),
    ] {
        let shown = file.escape_ascii();
        let users = PasswordFile::parse(file).unwrap();
        assert_eq!(users.kind(), kind, "{shown}");
        assert!(lets_in(&users, login), "{shown}");
        let same = PasswordFile::parse_as(kind, file).unwrap();
        assert_eq!(same.kind(), kind);
        assert!(lets_in(&same, login), "{shown}");

        for other in [
            &[login, b" "].concat(),
            &login[..login.len() - 1],
            &[b"x", login].concat(),
            b"",
            b":",
            b"x:y",
            b"a",
            b"a:",
            b"b",
            // A hash is not the password.
            b"a:900150983cd24fb0d6963f7d28e17f72",
            b"a:a9993e364706816aba3e25717850c26c9cd0d89d",
        ] {
            assert!(!lets_in(&users, other), "{shown}: {}", other.escape_ascii());
        }
    }
}

#[test]
fn what_is_no_password_file_is_refused_with_its_line() {
    use PasswordFileError::*;
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    for (file, error, says) in [
        ("", Empty, "nobody is in the password file"),
        ("\n", Empty, "nobody is in the password file"),
        (
            "\u{feff}a:b",
            ByteOrderMark,
            "the password file starts with a byte order mark",
        ),
        ("a:b\n\n", Blank { line: 2 }, "line 2 is blank"),
        ("\na:b", Blank { line: 1 }, "line 1 is blank"),
        ("a:b\n\nc:d", Blank { line: 2 }, "line 2 is blank"),
        (
            "a:b\r\nc:d\r\n",
            CarriageReturn { line: 1 },
            "line 1 ends in CR LF, not in LF alone",
        ),
        (
            "a:b\n\r\n",
            CarriageReturn { line: 2 },
            "line 2 ends in CR LF, not in LF alone",
        ),
        ("a:b\nc", NoColon { line: 2 }, "line 2 is not USER:PASSWORD"),
        (
            "a:b\n \n",
            NoColon { line: 2 },
            "line 2 is not USER:PASSWORD",
        ),
        (
            "a:b\nc:d\0e",
            Credentials {
                line: 2,
                error: CredentialsError::NulInPassword { offset: 1 },
            },
            "in line 2 the password has a NUL at byte 1",
        ),
        (
            "ab\0:b",
            Credentials {
                line: 1,
                error: CredentialsError::NulInUser { offset: 2 },
            },
            "in line 1 the user has a NUL at byte 2",
        ),
        (
            "a:b\nc:\n",
            EmptyPassword { line: 2 },
            "in line 2 the password is empty",
        ),
        (
            ":",
            EmptyPassword { line: 1 },
            "in line 1 the password is empty",
        ),
        (
            &format!("a:{MD5}\nb:d41d8cd98f00b204e9800998ecf8427e"),
            EmptyPassword { line: 2 },
            "in line 2 the password is empty",
        ),
        (
            "a:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            EmptyPassword { line: 1 },
            "in line 1 the password is empty",
        ),
        (
            "a:b\nc:d\na:b",
            Duplicate { line: 3, first: 1 },
            "line 3 has the user of line 1 again",
        ),
        (
            &format!("a:b\nb:c\nc:{MD5}\n"),
            Mixed {
                line: 3,
                kind: PasswordKind::Md5,
                first: PasswordKind::Plain,
            },
            "in line 3 the password is an MD5 hash by its looks, in line 1 it is plain: \
             all are to be of one kind",
        ),
        (
            &format!("a:{SHA1}\nb:{MD5}\nc:d"),
            Mixed {
                line: 2,
                kind: PasswordKind::Md5,
                first: PasswordKind::Sha1,
            },
            "in line 2 the password is an MD5 hash by its looks, in line 1 it is a SHA-1 hash: \
             all are to be of one kind",
        ),
    ] {
        let found = PasswordFile::parse(file.as_bytes()).unwrap_err();
        assert_eq!((found, found.to_string().as_str()), (error, says), "{file}");
        let mixed = matches!(error, Mixed { .. });
        let hashed_nothing = file.len() > 30 && matches!(error, EmptyPassword { .. });
        if !mixed && !hashed_nothing {
            let again = PasswordFile::parse_as(PasswordKind::Plain, file.as_bytes());
            assert_eq!(again.unwrap_err(), error, "{file}");
        }
    }
}

#[test]
fn the_kind_can_be_said() {
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let mixed = format!("a:{md5}\nb:c\n");
    let plain = PasswordFile::parse_as(PasswordKind::Plain, mixed.as_bytes()).unwrap();
    assert_eq!(plain.kind(), PasswordKind::Plain);
    assert!(lets_in(&plain, format!("a:{md5}").as_bytes()) && lets_in(&plain, b"b:c"));
    assert!(!lets_in(&plain, b"a:abc"));

    for (kind, line, says) in [
        (
            PasswordKind::Md5,
            2,
            "in line 2 the password is not an MD5 hash",
        ),
        (
            PasswordKind::Sha1,
            1,
            "in line 1 the password is not a SHA-1 hash",
        ),
    ] {
        let error = PasswordFile::parse_as(kind, mixed.as_bytes()).unwrap_err();
        assert_eq!(error, PasswordFileError::NoHash { line, kind });
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn an_unknown_user_takes_the_same_steps_as_a_wrong_password() {
    let names = ["ann", "bob", "eve-of-destruction", "a"];
    for kind in KINDS {
        let file = print(kind, names.map(|name| (name.as_bytes(), &b"secret"[..])));
        let users = PasswordFile::parse(&file).unwrap();
        let steps = |login: &str, outcome: bool| {
            steps::take();
            assert_eq!(lets_in(&users, login.as_bytes()), outcome, "{login}");
            steps::take()
        };
        let hash_length = if kind == PasswordKind::Md5 { 16 } else { 20 };
        let expected = |user: usize, password: usize| Steps {
            hashes: 1,
            hashed_bytes: password,
            compared_bytes: names
                .iter()
                .map(|name| name.len().min(user) + hash_length)
                .sum(),
        };
        for user in ["ann", "bob", "anx", "xnn", "zoe"] {
            let known = user == "ann" || user == "bob";
            assert_eq!(steps(&format!("{user}:secret"), known), expected(3, 6));
            for password in ["secreT", "Secret", "xxxxxx"] {
                let login = format!("{user}:{password}");
                assert_eq!(steps(&login, false), expected(3, 6));
            }
            // Without a password nothing is skipped either.
            assert_eq!(steps(user, false), expected(3, 0));
            assert_eq!(steps(&format!("{user}:"), false), expected(3, 0));
        }
        assert_eq!(steps("eve-of-destruction:secret", true), expected(18, 6));
        assert_eq!(steps("eve-of-destructioN:secret", false), expected(18, 6));
    }
}

#[test]
fn nothing_of_a_file_is_printed() {
    let users = PasswordFile::parse(b"ann:hidden\nbob:hidden too\n").unwrap();
    assert_eq!(
        format!("{users:?}"),
        "PasswordFile { kind: Plain, users: 2 }"
    );
}

/// Prints a file of a kind.
fn print<'a>(kind: PasswordKind, users: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut file = Vec::new();
    for (user, password) in users {
        let password = match kind {
            PasswordKind::Plain => password.to_vec(),
            PasswordKind::Md5 => hex::encode(Md5::digest(password)).into(),
            PasswordKind::Sha1 => hex::encode(Sha1::digest(password)).into(),
        };
        file.extend([user, b":", &password, b"\n"].concat());
    }
    file
}

/// Bytes that no line and no login ends at.
fn bytes(least: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("it ends something", |byte| !b"\0\n\r".contains(byte));
    prop::collection::vec(byte, least..24)
}

fn users() -> impl Strategy<Value = BTreeMap<Vec<u8>, Vec<u8>>> {
    let name = bytes(0).prop_filter("it is no user", |name| {
        !name.contains(&b':') && !name.starts_with(BYTE_ORDER_MARK)
    });
    prop::collection::btree_map(name, bytes(1), 1..12)
}

proptest! {
    #[test]
    fn those_in_a_file_are_let_in_and_nobody_else(
        users in users(),
        other_user in bytes(0),
        other_password in bytes(0),
        last_newline in any::<bool>(),
    ) {
        for kind in KINDS {
            let mut file = print(kind, users.iter().map(|(name, word)| (&name[..], &word[..])));
            if !last_newline {
                file.pop();
            }
            let found = PasswordFile::parse(&file).unwrap();
            prop_assert_eq!(found.kind(), kind);
            for user in users.keys() {
                for password in users.values().chain([&other_password]) {
                    let credentials = Credentials::new(&user[..], &password[..]).unwrap();
                    prop_assert_eq!(found.check(&credentials), users[user] == *password);
                }
                prop_assert!(!found.check(&Credentials::user_only(&user[..]).unwrap()));
            }
            if let Ok(stranger) = Credentials::new(&other_user[..], &other_password[..]) {
                let known = users.get(&other_user) == Some(&other_password);
                prop_assert_eq!(found.check(&stranger), known);
            }
        }
    }

    #[test]
    fn bytes_are_a_file_or_an_error_with_a_line_of_it(file in "([ab:\n\r]|[0-9a-f]{32}){0,12}") {
        let lines = file.lines().count();
        if let Err(error) = PasswordFile::parse(file.as_bytes()) {
            let line = match error {
                PasswordFileError::Empty | PasswordFileError::ByteOrderMark => 1,
                PasswordFileError::Blank { line }
                | PasswordFileError::CarriageReturn { line }
                | PasswordFileError::NoColon { line }
                | PasswordFileError::Credentials { line, .. }
                | PasswordFileError::EmptyPassword { line }
                | PasswordFileError::Duplicate { line, .. }
                | PasswordFileError::Mixed { line, .. }
                | PasswordFileError::NoHash { line, .. } => line,
            };
            prop_assert!((1..=lines.max(1)).contains(&line));
        }
    }
}
