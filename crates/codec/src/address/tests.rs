use proptest::prelude::*;

use super::*;
use crate::auth::Secret;
use crate::strategy;
use crate::value::{Symbol, Value};

#[test]
fn handles_of_processes_are_read() {
    let tcp = |host: &str, port| Endpoint::Tcp {
        host: host.into(),
        port,
    };
    let tcps = |host: &str, port| Endpoint::Tcps {
        host: host.into(),
        port,
    };
    let unix = |port| Endpoint::Unix { port };
    for (text, endpoint, user, password) in [
        ("5010", tcp("", 5010), "", None),
        ("::5010", tcp("", 5010), "", None),
        (":localhost:5010", tcp("localhost", 5010), "", None),
        ("`:localhost:5010", tcp("localhost", 5010), "", None),
        ("`::5010", tcp("", 5010), "", None),
        ("::5010:ann", tcp("", 5010), "ann", None),
        (":h:1:ann:", tcp("h", 1), "ann", Some("")),
        (":h:65535::pw", tcp("h", 65535), "", Some("pw")),
        (":h:1:ann:p:w://x:@", tcp("h", 1), "ann", Some("p:w://x:@")),
        (":h:1:a@b/c:pw", tcp("h", 1), "a@b/c", Some("pw")),
        (":[::1]:5010:ann:pw", tcp("::1", 5010), "ann", Some("pw")),
        (":[fe80::1%eth0]:1", tcp("fe80::1%eth0", 1), "", None),
        (":bücher.example:1", tcp("bücher.example", 1), "", None),
        (":10.43.23.198:5010", tcp("10.43.23.198", 5010), "", None),
        (":unix://5010", unix(5010), "", None),
        ("`:unix://5010:ann:p:w", unix(5010), "ann", Some("p:w")),
        (
            ":unixs://5010:ann",
            Endpoint::Unixs { port: 5010 },
            "ann",
            None,
        ),
        (
            ":tcps://mydb.us.com:5010",
            tcps("mydb.us.com", 5010),
            "",
            None,
        ),
        (":tcps://h:1:ann:p:w", tcps("h", 1), "ann", Some("p:w")),
        (":tcps://:5010", tcps("", 5010), "", None),
        (":tcps://[::1]:5010", tcps("::1", 5010), "", None),
        (":unix:1", tcp("unix", 1), "", None),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.endpoint, endpoint, "{text}");
        assert_eq!(address.credentials.user(), user.as_bytes(), "{text}");
        let found = address.credentials.password().map(Secret::expose);
        assert_eq!(found, password.map(str::as_bytes), "{text}");
    }
}

#[test]
fn handles_of_files_and_pipes_are_read() {
    let file = |path: &str| Target::File { path: path.into() };
    let pipe = |path: &str| Target::Pipe { path: path.into() };
    for (text, target) in [
        (":path/to/file.txt", file("path/to/file.txt")),
        ("`:f.dat", file("f.dat")),
        (":/a b", file("/a b")),
        (":./5010", file("./5010")),
        (":c:/q/test.txt", file("c:/q/test.txt")),
        (":C:\\q\\test.txt", file("C:\\q\\test.txt")),
        (":localhost", file("localhost")),
        (":fifo://file", pipe("file")),
        (":fifo:///dev/urandom", pipe("/dev/urandom")),
    ] {
        assert_eq!(text.parse(), Ok(target.clone()), "{text}");
        assert_eq!(target.to_string(), text.trim_start_matches('`'));
    }
}

#[test]
fn what_was_meant_is_said() {
    for (text, says) in [
        (
            "localhost:5010",
            "a handle starts with a colon: write :localhost:5010",
        ),
        (
            "localhost:5010:ann:secret",
            "a handle starts with a colon: write :localhost:5010",
        ),
        (
            "5010:ann:secret",
            "a handle starts with a colon: write ::5010",
        ),
        (
            "localhost",
            "a handle starts with a colon: write :localhost:PORT",
        ),
        ("", "a handle starts with a colon: write :HOST:PORT"),
        (
            "ann:secret@h:5010",
            "a handle starts with a colon: write :HOST:PORT",
        ),
        (
            "unix://5010",
            "a handle starts with a colon: write :unix://5010",
        ),
        (
            "tcps://h:5010:ann:secret",
            "a handle starts with a colon: write :tcps://h:5010",
        ),
        (
            ":5010",
            ":5010 names a file in q: for the port write ::5010, for the file :./5010",
        ),
        (
            "::localhost:5010",
            "two colons stand before the host: write :localhost:5010",
        ),
        (
            ":tcps://:localhost:5010:ann:secret",
            "two colons stand before the host: write :tcps://localhost:5010",
        ),
        (
            "::localhost:secret",
            "two colons stand before the host: write :HOST:PORT",
        ),
        (
            ":tcp://h:5010",
            "tcp:// is no kind of handle: write :HOST:PORT",
        ),
        (
            ":tls://h:5010",
            "tls:// is no kind of handle: write :tcps://HOST:PORT",
        ),
        ("file://a", "file:// is no kind of handle: write :PATH"),
        (
            ":ws://h:5010",
            "ws:// is no kind of handle: write :HOST:PORT, or a scheme of tcps, unix, unixs and fifo",
        ),
        (
            ":unix:///tmp/kx.5010",
            "unix:// takes the port of a process on this host: write :unix://PORT",
        ),
        (
            ":unixs://localhost:5010",
            "unixs:// takes the port of a process on this host: write :unixs://PORT",
        ),
        (
            ":unix://0.0.0.0:5010",
            "unix:// takes the port of a process on this host: write :unix://PORT",
        ),
        (
            ":ann:secret@h:5010",
            "user and password stand behind the port: write :HOST:PORT:USER:PASSWORD",
        ),
        (
            ":ann@h:5010",
            "user and password stand behind the port: write :HOST:PORT:USER:PASSWORD",
        ),
        (
            ":a b:5010",
            "the host is no name or address (an IPv6 address stands in brackets): write :HOST:PORT",
        ),
        (
            ":[h]:5010",
            "the host is no name or address (an IPv6 address stands in brackets): write :HOST:PORT",
        ),
        (
            ":tcps://h",
            "there is no port behind the host: write :tcps://h:PORT",
        ),
        (":h:", "there is no port behind the host: write :h:PORT"),
        (
            ":[::1]",
            "there is no port behind the host: write :[::1]:PORT",
        ),
        (
            ":a/b:c",
            "a colon follows a/b: q takes no path with a colon, which looks like a process",
        ),
        (":", "there is no path: write :PATH or :fifo://PATH"),
        (":fifo://", "there is no path: write :PATH or :fifo://PATH"),
        (":a\0b", "the path has a NUL"),
        (":h:0", "the port is 0, not a number from 1 to 65535"),
        (
            ":h:65536",
            "the port is 65536, not a number from 1 to 65535",
        ),
        (":h:+1", "the port is +1, not a number from 1 to 65535"),
        (
            ":h:5010 ",
            "the port is 5010 , not a number from 1 to 65535",
        ),
        (
            ":unix://65536",
            "the port is 65536, not a number from 1 to 65535",
        ),
        ("70000", "the port is 70000, not a number from 1 to 65535"),
        (":ann:secret", "the port is no number from 1 to 65535"),
        ("::", "two colons stand before the host: write :HOST:PORT"),
        (":h:1:a\0", "the user has a NUL at byte 1"),
    ] {
        let error = text.parse::<Target>().unwrap_err().to_string();
        assert_eq!(error, says, "{text}");
    }
}

#[test]
fn what_names_something_else_says_what_opens_it() {
    let target = |text: &str| text.parse::<Target>().unwrap();
    for (error, says) in [
        (
            target(":data/log").into_process().unwrap_err(),
            ":data/log names a file, which open_file opens: for a process write :HOST:PORT",
        ),
        (
            target(":fifo://p").into_process().unwrap_err(),
            ":fifo://p names a pipe, which open_pipe opens: for a process write :HOST:PORT",
        ),
        (
            target(":h:5010:ann:secret").into_file().unwrap_err(),
            ":h:5010:ann names a process, which hopen opens: for a file write :PATH",
        ),
        (
            target(":data\x1b/log").into_pipe().unwrap_err(),
            ":data\\033/log names a file, which open_file opens: for a pipe write :fifo://PATH",
        ),
        // Behind a colon of a path may stand a password: it was meant for a process.
        (
            target(":fifo://h:5010:ann:secret")
                .into_process()
                .unwrap_err(),
            ":fifo://h names a pipe, which open_pipe opens: for a process write :HOST:PORT",
        ),
        (
            target(":fifo://h:/secret").into_process().unwrap_err(),
            ":fifo://h names a pipe, which open_pipe opens: for a process write :HOST:PORT",
        ),
        (
            target(":c:/q:5010:ann:secret").into_process().unwrap_err(),
            ":c:/q names a file, which open_file opens: for a process write :HOST:PORT",
        ),
    ] {
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn a_time_out_may_stand_beside_a_handle() {
    let expected = HopenArgument {
        target: ":h:1:ann:a\"b\\;1)".parse().unwrap(),
        timeout: Some(Duration::from_millis(500)),
    };
    for text in [
        "(`:h:1:ann:a\"b\\;1);500)",
        r#"(":h:1:ann:a\"b\\;1)";500)"#,
        "( `:h:1:ann:a\"b\\;1) ; 500 )",
    ] {
        assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
    }
    let port: HopenArgument = "(5010;0)".parse().unwrap();
    assert_eq!(port.target, "5010".parse().unwrap());
    assert_eq!(port.timeout, Some(Duration::ZERO));
    for text in [
        "(`:h:1;)",
        "(`:h:1)",
        "(`:h:1;secret)",
        "(`:h:1;-1)",
        "(`:h:1;4294967296)",
    ] {
        let error = text.parse::<HopenArgument>().unwrap_err();
        assert_eq!(error, AddressError::Timeout, "{text}");
    }
    assert_eq!(
        "(h:1;500)".parse::<HopenArgument>().unwrap_err(),
        "h:1".parse::<Target>().unwrap_err()
    );
}

#[test]
fn a_pipe_or_a_file_has_no_time_out() {
    let argument = |text: &str| HopenArgument::try_from(text).unwrap();
    assert_eq!(argument(":fifo://p").into_pipe(), Ok("p".into()));
    assert_eq!(argument(":data/log").into_file(), Ok("data/log".into()));
    for (error, says) in [
        (
            argument("(`:fifo://p;500)").into_pipe().unwrap_err(),
            "a time-out is for a process, and the handle names a pipe",
        ),
        (
            argument("(`:data/log;500)").into_file().unwrap_err(),
            "a time-out is for a process, and the handle names a file",
        ),
        (
            argument("(`:data/log;500)").into_pipe().unwrap_err(),
            ":data/log names a file, which open_file opens: for a pipe write :fifo://PATH",
        ),
    ] {
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn q_values_are_handles_too() {
    let read = |value: Value| HopenArgument::try_from(value.as_ref());
    let symbol = |name: &str| Value::from(Symbol::new(name).unwrap());
    let with_timeout = |text: &str, milliseconds| {
        Ok(HopenArgument {
            target: text.parse().unwrap(),
            timeout: Some(Duration::from_millis(milliseconds)),
        })
    };
    // As on KX's page of hopen.
    for (value, expected) in [
        (symbol(":mysymbol"), ":mysymbol".parse()),
        (":mycharvector".into(), ":mycharvector".parse()),
        (symbol(":localhost:5000"), ":localhost:5000".parse()),
        (":localhost:5000".into(), ":localhost:5000".parse()),
        (
            (Symbol::new(":localhost:5000").unwrap(), 1000_i64).into(),
            with_timeout(":localhost:5000", 1000),
        ),
        (
            (":localhost:5000", 1000_i32).into(),
            with_timeout(":localhost:5000", 1000),
        ),
        (5010_i64.into(), "5010".parse()),
        (5010_i16.into(), "5010".parse()),
        (vec![5010_i64, 1000].into(), with_timeout("5010", 1000)),
        (1.5.into(), Err(AddressError::Type)),
        (vec![1_i64, 2, 3].into(), Err(AddressError::Type)),
        ((":h:1", "secret").into(), Err(AddressError::Timeout)),
        (b"\xff"[..].into(), Err(AddressError::NotUtf8)),
        (0_i64.into(), "0".parse()),
    ] {
        assert_eq!(read(value.clone()), expected, "{value}");
    }
}

#[test]
fn the_password_is_printed_by_one_function_only() {
    let address: Address = ":h:5010:ann:secret".parse().unwrap();
    assert_eq!(address.to_string(), ":h:5010:ann");
    assert_eq!(address.with_password().expose(), b":h:5010:ann:secret");
    let argument: HopenArgument = "(`:h:5010:ann:secret;1)".parse().unwrap();
    for shown in [
        format!("{address:?}"),
        format!("{argument:?}"),
        format!("{argument}"),
        format!("{:?}", address.with_password()),
    ] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn every_error_of_a_handle_can_be_made_and_none_holds_a_password() {
    let text = |text: &str| text.parse::<HopenArgument>().unwrap_err();
    let target = |text: &str| text.parse::<HopenArgument>().unwrap();
    let value = |value: Value| HopenArgument::try_from(value.as_ref()).unwrap_err();
    let errors = [
        text("h:1:ann:MARKED"),
        text(":5010"),
        text("::h:1:ann:MARKED"),
        text(":x://h:1:ann:MARKED"),
        text(":unix://h:1:ann:MARKED"),
        text(":a b:1:ann:MARKED"),
        text(":ann:MARKED@h:1"),
        text(":tcps://h"),
        text(":h:x:ann:MARKED"),
        text(":a/b:MARKED"),
        text(":fifo://"),
        text(":a\0b"),
        text(":h:1:ann:MARKED\0"),
        text("(`:h:1:ann:MARKED;MARKED)"),
        value((":h:1:ann:MARKED", 1_i64, 2_i64).into()),
        value(b":h:1:ann:MARKED\xff"[..].into()),
        target(":h:1:ann:MARKED").into_file().unwrap_err(),
        target("(`:fifo://p;1)").into_pipe().unwrap_err(),
    ];
    // A new error does not compile before it is in the list.
    let kind = |error: &AddressError| match error {
        AddressError::NoColon { .. } => 0,
        AddressError::Number { .. } => 1,
        AddressError::TwoColons { .. } => 2,
        AddressError::Scheme { .. } => 3,
        AddressError::UnixHost { .. } => 4,
        AddressError::Host => 5,
        AddressError::Url => 6,
        AddressError::NoPort { .. } => 7,
        AddressError::Port { .. } => 8,
        AddressError::ColonInPath { .. } => 9,
        AddressError::NoPath => 10,
        AddressError::NulInPath => 11,
        AddressError::Credentials(_) => 12,
        AddressError::Timeout => 13,
        AddressError::Type => 14,
        AddressError::NotUtf8 => 15,
        AddressError::Other { .. } => 16,
        AddressError::NoTimeout { .. } => 17,
    };
    for (expected, error) in errors.iter().enumerate() {
        assert_eq!(kind(error), expected, "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("MARKED"), "{shown}");
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(target in strategy::target()) {
        let read: Target = target.to_string().parse().unwrap();
        let Target::Process(address) = &target else {
            prop_assert_eq!(&read, &target);
            return Ok(());
        };
        // With the password by its own function, without it by `Display`.
        let whole = address.with_password();
        let whole = str::from_utf8(whole.expose()).unwrap();
        prop_assert_eq!(&whole.parse::<Target>().unwrap(), &target);
        let read = read.into_process().unwrap();
        prop_assert_eq!(&read.endpoint, &address.endpoint);
        prop_assert_eq!(read.credentials.user(), address.credentials.user());
        prop_assert_eq!(read.credentials.password(), None);
    }

    #[test]
    fn whatever_is_read_is_printed_so_that_it_reads_back(
        text in "`?:?((tcps|unix|unixs|fifo|x)://)?(\\[?[\\PC:%\\[\\]]{0,6}\\]?:)?([0-9]{0,6}|\\PC{0,3})(:\\PC{0,3}){0,3}",
    ) {
        if let Ok(target) = text.parse::<Target>() {
            let again = match &target {
                Target::Process(address) => {
                    str::from_utf8(address.with_password().expose()).unwrap().parse()
                }
                other @ (Target::Pipe { .. } | Target::File { .. }) => other.to_string().parse(),
            };
            prop_assert_eq!(again, Ok(target));
        }
    }

    #[test]
    fn no_error_holds_a_password(
        start in "[(]?[`\"]?:{0,3}((tcps|unix|unixs|fifo|x)://)?:?",
        host in "\\[?[a-z:@/ 0-9]{0,6}\\]?",
        port in "[0-9]{0,6}[a-z ]?",
        user in "[a-z@/]{0,3}",
        end in "(;1\\)|@h:5|\")?",
    ) {
        for text in [
            format!("{start}{host}:{port}:{user}:MARKED{end}"),
            format!("{start}{port}:{user}:MARKED{end}"),
            format!("{start}{user}:MARKED@{host}:{port}{end}"),
        ] {
            if let Err(error) = text.parse::<HopenArgument>() {
                prop_assert!(!error.to_string().contains("MARKED"), "{}: {}", text, error);
            }
        }
    }
}
