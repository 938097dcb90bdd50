//! `hopen decode --explain`: the bytes of a message beside their meaning, field by field, as KX's
//! page on [serialization](https://code.kx.com/q/kb/serialization/) shows them.
//!
//! ```text
//! 0x01                                  little endian
//! 0x00                                  async
//! 0x00                                  not compressed
//! 0x00                                  bits 32 to 39 of the message length
//! 0x12000000                            message length 18
//! 0x06                                  type 6, int vector
//! 0x00                                  attributes: none
//! 0x01000000                            count 1
//! 0x01000000                              1i
//! ```
//!
//! Of a message that is no value everything is shown up to where that was found out.

mod reader;
mod rows;
mod walk;

use std::io::{self, Write};

use bytes::Bytes;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::Form;
use hopen_codec::config::Limits;
use hopen_codec::frame::Header;
use hopen_codec::message::{Body, Message, MessageKind};

use crate::input::Shown;
use rows::Rows;
use walk::Walk;

/// Prints a message field by field.
pub(crate) fn explain(
    message: &Message,
    limits: &Limits,
    out: &mut dyn Write,
) -> io::Result<Shown> {
    let mut rows = Rows::new(out);
    header(&message.header(), &mut rows)?;
    let plain = match message.body.form() {
        None => message.body.clone(),
        Some(form) => {
            compressed(form, &message.body, &mut rows)?;
            match message.body.decompress(limits) {
                Ok(plain) => plain,
                Err(error) => return Ok(Err(error.into())),
            }
        }
    };
    let bytes = in_one_piece(&plain);
    let fault = plain.decode(limits).err();
    let checked = match &fault {
        None => bytes.len(),
        Some(error) => body_offset(error.offset),
    };
    let mut walk = Walk::new(bytes.get(..checked).unwrap_or(&bytes), plain.byte_order());
    let explained = walk.run(&mut rows)?;
    if let Some(rest @ [_, ..]) = bytes.get(explained..) {
        let (left, all) = (rest.len(), bytes.len());
        rows.row(
            0,
            rest,
            format_args!("not explained: {left} of the body's {all} bytes"),
        )?;
    }
    Ok(fault.map_or(Ok(()), |error| Err(error.into())))
}

/// Prints the 8 bytes in front of a body.
fn header(header: &Header, rows: &mut Rows<'_>) -> io::Result<()> {
    let [order, kind, form, high, length @ ..] = header.to_bytes();
    let meaning = match header.order {
        ByteOrder::Little => "little endian",
        ByteOrder::Big => "big endian",
    };
    rows.row(0, &[order], meaning)?;
    let meaning = match header.kind {
        MessageKind::Async => "async",
        MessageKind::Sync => "sync",
        MessageKind::Response => "response",
    };
    rows.row(0, &[kind], meaning)?;
    let meaning = match header.form {
        None => "not compressed",
        Some(Form::Short) => "compressed",
        Some(Form::Long) => "compressed, with an 8-byte length",
    };
    rows.row(0, &[form], meaning)?;
    rows.row(0, &[high], "bits 32 to 39 of the message length")?;
    rows.row(0, &length, format_args!("message length {}", header.length))
}

/// Prints what a compressed message has in place of its body.
fn compressed(form: Form, body: &Body, rows: &mut Rows<'_>) -> io::Result<()> {
    let bytes = in_one_piece(body);
    let width = match form {
        Form::Short => 4,
        Form::Long => 8,
    };
    let Some((length, tokens)) = bytes.split_at_checked(width) else {
        return rows.row(0, &bytes, "cut short");
    };
    let claimed = reader::number(length, body.byte_order());
    rows.row(
        0,
        length,
        format_args!("message length {claimed} without compression"),
    )?;
    rows.row(
        0,
        tokens,
        format_args!("{} compressed bytes; without compression:", tokens.len()),
    )
}

fn in_one_piece(body: &Body) -> Bytes {
    match body.chunks() {
        [bytes] => bytes.clone(),
        chunks => chunks.concat().into(),
    }
}

/// Returns where in the body a place in the message is.
fn body_offset(offset: u64) -> usize {
    usize::try_from(offset.saturating_sub(Header::LENGTH as u64)).unwrap_or(usize::MAX)
}
