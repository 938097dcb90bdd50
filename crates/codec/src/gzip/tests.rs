use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::*;

#[test]
fn what_gzip_packs_is_unpacked() {
    for (packed, plain) in known_answers() {
        assert_eq!(unpack(&packed), (plain.to_vec(), None));
    }
}

#[test]
fn every_prefix_needs_more_and_may_not_be_the_end() {
    for (packed, plain) in known_answers() {
        for end in 0..packed.len() {
            let (found, error) = unpack(&packed[..end]);
            assert!(plain.starts_with(&found));
            let offset = end as u64;
            let truncated = Some(GzipError::Truncated { offset });
            let between_members = packed == two_members() && end == HELLO.len();
            assert_eq!(error, if between_members { None } else { truncated });
        }
    }
}

#[test]
fn members_and_zeros_behind_them_are_one_stream() {
    let zeros = [&two_members()[..], &[0; 100_000]].concat();
    assert_eq!(unpack(&zeros), (b"hellohello".to_vec(), None));
    let empty = [empty_member(), HELLO.to_vec(), empty_member()].concat();
    assert_eq!(unpack(&empty), (b"hello".to_vec(), None));
    assert_eq!(unpack(&empty_member()), (Vec::new(), None));
}

#[test]
fn what_is_no_gzip_is_refused_and_says_where() {
    let behind = |bytes: &[u8]| [HELLO, bytes].concat();
    let changed = |place: usize, byte: u8| {
        let mut bytes = HELLO.to_vec();
        bytes[place] = byte;
        bytes
    };
    let with_fields = |place: usize| {
        let mut bytes = ALL_FIELDS.to_vec();
        bytes[place] ^= 1;
        bytes
    };
    let garbage = |offset| GzipError::TrailingGarbage { offset };
    for (bytes, plain, error, says) in [
        (
            b"hello".to_vec(),
            "",
            GzipError::NotGzip {
                offset: 0,
                byte: b'h',
            },
            "no gzip: byte 0 is 0x68, and gzip begins with 1f 8b",
        ),
        (
            b"\x1f\x8c".to_vec(),
            "",
            GzipError::NotGzip {
                offset: 1,
                byte: 0x8c,
            },
            "no gzip: byte 1 is 0x8c, and gzip begins with 1f 8b",
        ),
        (
            vec![0; 3],
            "",
            GzipError::NotGzip { offset: 0, byte: 0 },
            "no gzip: byte 0 is 0x00, and gzip begins with 1f 8b",
        ),
        (
            changed(2, 7),
            "",
            GzipError::UnknownMethod { offset: 2, byte: 7 },
            "gzip byte 2 is 0x07, which is no known way to pack",
        ),
        (
            changed(3, 0x20),
            "",
            GzipError::UnknownFlags {
                offset: 3,
                byte: 0x20,
            },
            "gzip byte 3 is 0x20, which announces unknown fields",
        ),
        (
            with_fields(21),
            "",
            GzipError::HeaderCrc {
                offset: 29,
                stored: 0x7e66,
                computed: 0x7ef8,
            },
            "the gzip header is damaged: its CRC is 7ef8, by byte 29 it was 7e66",
        ),
        (
            // A block of the type 3.
            changed(10, 0xcf),
            "",
            GzipError::Corrupt { offset: 11 },
            "the gzip data are damaged at or before byte 11",
        ),
        (
            changed(17, 0x87),
            "hello",
            GzipError::Crc {
                offset: 17,
                stored: 0x3610_a687,
                computed: 0x3610_a686,
            },
            "the gzip data are damaged: their CRC is 3610a686, by byte 17 it was 3610a687",
        ),
        (
            changed(21, 4),
            "hello",
            GzipError::Length {
                offset: 21,
                stored: 4,
                computed: 5,
            },
            "the gzip data are damaged: they have 5 bytes, by byte 21 they had 4",
        ),
        (
            behind(b"hello"),
            "hello",
            garbage(25),
            "what follows the gzip data at byte 25 is no gzip",
        ),
        // As gzip itself: a member behind zeros is none.
        (
            behind(&[b"\0\0", HELLO].concat()),
            "hello",
            garbage(27),
            "what follows the gzip data at byte 27 is no gzip",
        ),
        (
            behind(b"\x1f\0"),
            "hello",
            garbage(25),
            "what follows the gzip data at byte 25 is no gzip",
        ),
        (
            behind(&b"\x1f\x8b\x08\x08"[..]),
            "hello",
            GzipError::Truncated { offset: 29 },
            "the gzip data end too early, at byte 29",
        ),
    ] {
        assert_eq!(unpack(&bytes), (plain.into(), Some(error)), "{bytes:x?}");
        assert_eq!(error.to_string(), says);
        let one_by_one = vec![1; bytes.len()];
        assert_eq!(
            unpack_in_chunks(&bytes, &one_by_one, &[1]),
            (plain.into(), Some(error))
        );
    }
}

#[test]
fn a_header_without_end_is_not_read_to_its_end() {
    let limit = Gunzip::LONGEST_HEADER;
    let with_name = |length: usize| {
        let name = [
            &[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..],
            &vec![b'n'; length],
        ]
        .concat();
        [&name, &b"\0"[..], &HELLO[10..]].concat()
    };
    let longest = limit as usize - 11;
    assert_eq!(unpack(&with_name(longest)), (b"hello".to_vec(), None));

    let mut packed = HELLO.to_vec();
    packed.extend_from_slice(&with_name(longest + 1));
    let mut gunzip = Gunzip::default();
    let mut input = &packed[..];
    let mut room = [0; 10];
    assert_eq!(gunzip.receive(&mut input, &mut room), Ok(5));
    let error = GzipError::HeaderTooLong { offset: 25, limit };
    for _ in 0..2 {
        assert_eq!(gunzip.receive(&mut input, &mut room), Err(error));
        assert_eq!(gunzip.receive_eof(), Err(error));
        assert_eq!(input.len(), 1 + HELLO.len() - 10 - 1);
    }
    let says = "the gzip header at byte 25 is longer than 131072 bytes";
    assert_eq!(error.to_string(), says);
}

#[test]
fn a_bomb_gives_what_is_asked_for_and_takes_what_that_needs() {
    let length = 10_000_000;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; length]).unwrap();
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < length / 900);
    let mut gunzip = Gunzip::default();
    let mut input = &packed[..];
    let mut room = [1; 1000];
    assert_eq!(gunzip.receive(&mut input, &mut room), Ok(1000));
    // 32 KiB at a time are unpacked, of which each byte stands for a thousand.
    assert!(packed.len() - input.len() < 200);
    assert!(gunzip.ready.capacity() <= WINDOW);
    assert_eq!(room, [0; 1000]);
}

#[test]
fn without_room_nothing_is_taken() {
    let mut gunzip = Gunzip::default();
    let mut input = HELLO;
    assert_eq!(gunzip.receive(&mut input, &mut []), Ok(0));
    assert_eq!(input, HELLO);
}

#[test]
fn its_debug_form_shows_no_data() {
    let mut gunzip = Gunzip::default();
    assert_eq!(gunzip.receive(&mut { HELLO }, &mut [0; 1]), Ok(1));
    let shown = format!("{gunzip:?}");
    assert!(shown.contains("offset: 17, ready: 4"), "{shown}");
}

proptest! {
    #[test]
    fn any_chunks_and_any_room_give_the_same_bytes(
        members in prop::collection::vec((plain(), 0..=9_u32), 1..4),
        padding in 0..3_usize,
        chunks in sizes(),
        rooms in sizes(),
    ) {
        let mut packed = Vec::new();
        let mut plain = Vec::new();
        for (member, level) in &members {
            packed.extend(pack(member, Compression::new(*level)));
            plain.extend_from_slice(member);
        }
        packed.resize(packed.len() + padding, 0);
        prop_assert_eq!(unpack_in_chunks(&packed, &chunks, &rooms), (plain, None));
    }

    #[test]
    fn damaged_streams_come_to_the_same_end_in_any_chunks(
        plain in plain(),
        level in 0..=9_u32,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        chunks in sizes(),
        rooms in sizes(),
    ) {
        let mut packed = pack(&plain, Compression::new(level));
        for (place, byte) in damage {
            let place = place.index(packed.len());
            packed[place] = byte;
        }
        prop_assert_eq!(unpack_in_chunks(&packed, &chunks, &rooms), unpack(&packed));
    }
}

/// Unpacks all of a stream at once.
fn unpack(packed: &[u8]) -> (Vec<u8>, Option<GzipError>) {
    unpack_in_chunks(packed, &[packed.len().max(1)], &[256 * 1024])
}

/// Unpacks a stream that comes in chunks of these sizes in turn, to rooms of those.
fn unpack_in_chunks(
    packed: &[u8],
    chunks: &[usize],
    rooms: &[usize],
) -> (Vec<u8>, Option<GzipError>) {
    let mut gunzip = Gunzip::default();
    let (mut chunks, mut rooms) = (chunks.iter().cycle(), rooms.iter().cycle());
    let mut plain = Vec::new();
    let (mut input, mut rest) = (&packed[..0], packed);
    loop {
        let mut room = vec![0; *rooms.next().unwrap()];
        match gunzip.receive(&mut input, &mut room) {
            Ok(0) if rest.is_empty() => return (plain, gunzip.receive_eof().err()),
            Ok(0) => {
                assert!(input.is_empty());
                (input, rest) = rest.split_at(rest.len().min(*chunks.next().unwrap()));
            }
            Ok(count) => plain.extend_from_slice(&room[..count]),
            Err(error) => {
                assert_eq!(gunzip.receive(&mut input, &mut room), Err(error));
                assert_eq!(gunzip.receive_eof(), Err(error));
                return (plain, Some(error));
            }
        }
    }
}

fn pack(plain: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra(vec![1; 300])
        .write(Vec::new(), level);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn empty_member() -> Vec<u8> {
    GzEncoder::new(Vec::new(), Compression::default())
        .finish()
        .unwrap()
}

fn two_members() -> Vec<u8> {
    [HELLO, HELLO].concat()
}

/// What packs well, what packs badly, and both one behind the other.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let run = (any::<u8>(), 0..40_000_usize).prop_map(|(byte, length)| vec![byte; length]);
    let noise = prop::collection::vec(any::<u8>(), 0..2000);
    let words = prop::collection::vec(prop::sample::select(vec!["trade", "quote", ","]), 0..5000)
        .prop_map(|words| words.concat().into_bytes());
    prop::collection::vec(prop_oneof![run, noise, words], 0..4).prop_map(|parts| parts.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let few = prop::collection::vec(prop_oneof![1..5_usize, 1..5000_usize], 0..5);
    (few, 1000..100_000_usize).prop_map(|(few, many)| [few, vec![many]].concat())
}

/// Streams with what they unpack to.
fn known_answers() -> [(Vec<u8>, &'static [u8]); 4] {
    [
        (HELLO.to_vec(), b"hello"),
        (two_members(), b"hellohello"),
        (NAMED.to_vec(), b"time,sym\n1,a\n2,b\n"),
        (ALL_FIELDS.to_vec(), b"hello"),
    ]
}

/// `printf hello | gzip -n`, with gzip 1.12.
const HELLO: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";

/// `printf 'time,sym\n1,a\n2,b\n' >t.csv; touch -d @1000000000 t.csv; gzip -9 -N -c t.csv`, with gzip
/// 1.12.
const NAMED: &[u8] =
    b"\x1f\x8b\x08\x08\0\xca\x9a\x3b\x02\x03t.csv\0\x2b\xc9\xcc\x4d\xd5\x29\xae\xcc\
    \xe5\x32\xd4\x49\xe4\x32\xd2\x49\xe2\x02\0\x11\x2e\x66\xd6\x11\0\0\0";

/// Made of the parts that RFC 1952 names, and unpacked by gzip 1.12, which checks the header's CRC:
/// an extra field `AB` of no bytes, the name `name`, the comment `comment`, the header's CRC.
const ALL_FIELDS: &[u8] =
    b"\x1f\x8b\x08\x1f\x01\x02\x03\x04\0\x03\x04\0AB\0\0name\0comment\0\x66\x7e\
    \xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
