use proptest::prelude::*;

use super::*;

const EXCLUSIVE: Sharing = Sharing::Exclusive;
const SHARED: Sharing = Sharing::Shared;

fn number(number: u16) -> Port {
    Port::Number(NonZeroU16::new(number).unwrap())
}

fn service(name: &str) -> Port {
    Port::Service(name.into())
}

fn one(port: u16) -> Ports {
    Ports::One(number(port))
}

fn range(low: Port, high: Port) -> Ports {
    Ports::Range { low, high }
}

#[test]
fn what_a_process_listens_on_is_read() {
    for (text, sharing, host, ports, printed) in [
        ("5010", EXCLUSIVE, None, one(5010), "5010"),
        ("1", EXCLUSIVE, None, one(1), "1"),
        ("65535", EXCLUSIVE, None, one(65535), "65535"),
        ("0W", EXCLUSIVE, None, Ports::Any, "0W"),
        ("0", EXCLUSIVE, None, Ports::Any, "0W"),
        ("000", EXCLUSIVE, None, Ports::Any, "0W"),
        ("05010", EXCLUSIVE, None, one(5010), "5010"),
        ("h:5010", EXCLUSIVE, Some("h"), one(5010), "h:5010"),
        (
            "127.0.0.1:0W",
            EXCLUSIVE,
            Some("127.0.0.1"),
            Ports::Any,
            "127.0.0.1:0W",
        ),
        (
            "127.0.0.1:0",
            EXCLUSIVE,
            Some("127.0.0.1"),
            Ports::Any,
            "127.0.0.1:0W",
        ),
        ("a_b-c.d:1", EXCLUSIVE, Some("a_b-c.d"), one(1), "a_b-c.d:1"),
        ("bücher:1", EXCLUSIVE, Some("bücher"), one(1), "bücher:1"),
        ("5010:5011", EXCLUSIVE, Some("5010"), one(5011), "5010:5011"),
        ("[::1]:50", EXCLUSIVE, Some("::1"), one(50), "[::1]:50"),
        ("[::]:0W", EXCLUSIVE, Some("::"), Ports::Any, "[::]:0W"),
        (
            "[fe80::1%eth0]:1",
            EXCLUSIVE,
            Some("fe80::1%eth0"),
            one(1),
            "[fe80::1%eth0]:1",
        ),
        ("rp,5010", SHARED, None, one(5010), "rp,5010"),
        ("rp,0", SHARED, None, Ports::Any, "rp,0W"),
        (
            "rp,[::1]:5010",
            SHARED,
            Some("::1"),
            one(5010),
            "rp,[::1]:5010",
        ),
        ("rp:5010", EXCLUSIVE, Some("rp"), one(5010), "rp:5010"),
        ("kdb", EXCLUSIVE, None, Ports::One(service("kdb")), "kdb"),
        (
            "h:commplex-main",
            EXCLUSIVE,
            Some("h"),
            Ports::One(service("commplex-main")),
            "h:commplex-main",
        ),
        (
            "z39.50",
            EXCLUSIVE,
            None,
            Ports::One(service("z39.50")),
            "z39.50",
        ),
        (
            "5010/5020",
            EXCLUSIVE,
            None,
            range(number(5010), number(5020)),
            "5010/5020",
        ),
        (
            "5010/05010",
            EXCLUSIVE,
            None,
            range(number(5010), number(5010)),
            "5010/5010",
        ),
        (
            "rp,h:kdb/65535",
            SHARED,
            Some("h"),
            range(service("kdb"), number(65535)),
            "rp,h:kdb/65535",
        ),
        (
            "1/3com-tsmux",
            EXCLUSIVE,
            None,
            range(number(1), service("3com-tsmux")),
            "1/3com-tsmux",
        ),
        (
            "[::1]:a/b",
            EXCLUSIVE,
            Some("::1"),
            range(service("a"), service("b")),
            "[::1]:a/b",
        ),
    ] {
        let address: ListenAddress = text.parse().unwrap();
        let found = (address.sharing, address.host.as_deref(), &address.ports);
        assert_eq!(found, (sharing, host, &ports), "{text}");
        assert_eq!(address.to_string(), printed);
    }
    assert_eq!(ListenAddress::from(5010), "5010".parse().unwrap());
    assert_eq!(ListenAddress::from(0), "0W".parse().unwrap());
}

#[test]
fn a_negative_port_is_refused_by_name() {
    for (text, ports, write) in [
        ("-5010", "-5010", "5010"),
        ("h:-5010", "-5010", "5010"),
        ("rp,-2000/2010", "-2000/2010", "2000/2010"),
        ("-kdb", "-kdb", "kdb"),
        ("-0W", "-0W", "0W"),
    ] {
        let error = text.parse::<ListenAddress>().unwrap_err();
        let says = format!("{ports} (a negative port) is q's multithreaded input: write {write}");
        assert_eq!(error.to_string(), says, "{text}");
    }
}

#[test]
fn a_port_that_is_none_is_shown_without_letting_it_drive_a_terminal() {
    for (text, port) in [
        ("", ""),
        ("h:", ""),
        ("rp,", ""),
        ("rp,rp,5010", "rp,5010"),
        ("5010,rp", "5010,rp"),
        ("65536", "65536"),
        ("h:99999999999999999999", "99999999999999999999"),
        ("+1", "+1"),
        (" 5010", " 5010"),
        ("--1", "--1"),
        ("-", "-"),
        ("0w", "0w"),
        ("5010-5020", "5010-5020"),
        ("127.0.0.1", "127.0.0.1"),
        ("kdb tick", "kdb tick"),
        ("bücher", "bücher"),
        (".z", ".z"),
        ("50\u{202e}10", "50\\342\\200\\25610"),
        ("50\x1b10", "50\\03310"),
    ] {
        let error = text.parse::<ListenAddress>().unwrap_err();
        let says =
            format!("the port is {port}, not a number from 0 to 65535, a service, LOW/HIGH or 0W");
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn a_range_has_two_ends_the_lower_first() {
    for (text, end) in [
        ("5010/", ""),
        ("h:5010/", ""),
        ("0W/5020", "0W"),
        ("5010/0W", "0W"),
        ("0/5020", "0"),
        ("5010/65536", "65536"),
        ("5010/-5020", "-5020"),
        ("5010/5020/5030", "5020/5030"),
        ("50\x1b/1", "50\\033"),
    ] {
        let error = text.parse::<ListenAddress>().unwrap_err();
        let says =
            format!("a range of ports ends in {end}, not a number from 1 to 65535 or a service");
        assert_eq!(error.to_string(), says, "{text}");
    }
    let error = "h:5020/5010".parse::<ListenAddress>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no port is from 5020 to 5010: write 5010/5020"
    );
}

#[test]
fn services_are_looked_up_where_numbers_are_wanted() {
    let numbers = |text: &str| {
        let mut asked = Vec::new();
        let address: ListenAddress = text.parse().unwrap();
        let numbers = address.ports.numbers(|name| {
            asked.push(name.to_owned());
            Ok::<_, ListenAddressError>(match name {
                "low" => NonZeroU16::new(5010),
                "high" => NonZeroU16::new(5020),
                _ => None,
            })
        });
        (numbers, asked.join(" "))
    };
    let unknown = || ListenAddressError::UnknownService {
        name: "none".into(),
    };
    for (text, found, asked) in [
        ("0W", Ok(0..=0), ""),
        ("5010", Ok(5010..=5010), ""),
        ("1/65535", Ok(1..=65535), ""),
        ("low", Ok(5010..=5010), "low"),
        ("low/high", Ok(5010..=5020), "low high"),
        ("low/5010", Ok(5010..=5010), "low"),
        ("1/high", Ok(1..=5020), "high"),
        ("none", Err(unknown()), "none"),
        ("none/high", Err(unknown()), "none"),
        ("low/none", Err(unknown()), "low none"),
        (
            "high/low",
            Err(ListenAddressError::EmptyRange {
                low: 5020,
                high: 5010,
            }),
            "high low",
        ),
    ] {
        assert_eq!(numbers(text), (found, asked.into()), "{text}");
    }
    assert_eq!(
        unknown().to_string(),
        "this system knows no service none: write a number, and for a host none:PORT"
    );
}

#[test]
fn what_is_not_host_and_port_is_refused() {
    for text in [
        ":5010",
        "::5010",
        ":localhost:5010",
        "::1:5010",
        "h:1:2",
        "[::1]",
        "[::1]5010",
        "[]:1",
        "[h]:1",
        "[::1:5010",
        "::1]:5010",
        "a b:1",
        "a,b:1",
        "a/b:1",
        "h%1:1",
        "h\u{200d}:1",
        "h:rp,:1",
        "rp,:5010",
        "/5010",
        "/tmp/kx.5010",
        "unix://5010",
    ] {
        let error = text.parse::<ListenAddress>().unwrap_err();
        assert_eq!(error, ListenAddressError::Malformed, "{text}");
    }
    let error = "h\x1b:1".parse::<ListenAddress>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is nothing to listen on: write PORT, HOST:PORT or [IPV6]:PORT, or rp, and one of these"
    );
}

fn sharings() -> impl Strategy<Value = Sharing> {
    prop_oneof![Just(EXCLUSIVE), Just(SHARED)]
}

fn numbers() -> impl Strategy<Value = NonZeroU16> {
    any::<NonZeroU16>()
}

fn services() -> impl Strategy<Value = Port> {
    "[a-z0-9][a-zA-Z0-9._-]{0,10}[a-z]"
        .prop_filter("it is the infinity", |name| name != "0w")
        .prop_map(Port::Service)
}

fn several_ports() -> impl Strategy<Value = Ports> {
    let either = || prop_oneof![numbers().prop_map(Port::Number), services()];
    let ordered = (numbers(), numbers()).prop_map(|(one, other)| Ports::Range {
        low: Port::Number(one.min(other)),
        high: Port::Number(one.max(other)),
    });
    prop_oneof![
        Just(Ports::Any),
        either().prop_map(Ports::One),
        ordered,
        (services(), either()).prop_map(|(low, high)| Ports::Range { low, high }),
        (either(), services()).prop_map(|(low, high)| Ports::Range { low, high }),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(
        sharing in sharings(),
        host in prop::option::of(
            "[a-z0-9._-]{1,12}|[0-9a-f]{0,4}:[0-9a-f:.]{0,20}(%[a-z0-9]{1,4})?"
        ),
        ports in several_ports(),
    ) {
        let address = ListenAddress { sharing, host, ports };
        prop_assert_eq!(address.to_string().parse::<ListenAddress>(), Ok(address));
    }

    #[test]
    fn whatever_is_read_is_printed_so_that_it_reads_back(
        text in "(rp,)?(\\[?[\\PC:%\\[\\]]{0,6}\\]?:)?-?([0-9]{0,6}|0W|\\PC{0,3})(/[0-9a-z]{0,6})?",
    ) {
        if let Ok(address) = text.parse::<ListenAddress>() {
            prop_assert_eq!(address.to_string().parse::<ListenAddress>(), Ok(address));
        }
    }
}
