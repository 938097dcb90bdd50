//! The algorithm a byte at a time, as it is told and not as it is fast, to compare with.

use crate::byte_order::ByteOrder;

/// The writer, a byte at a time; places count from the start of the message, 0 is none.
pub(super) fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let message = [&[0; 8], body].concat();
    let mut out = message[..8].to_vec();
    out.extend((message.len() as u32).to_le_bytes());
    let mut table = [0; 256];
    let mut late = None;
    let mut place = 8;
    while place < message.len() {
        if out.len() as i64 > message.len() as i64 / 2 - 17 {
            return None;
        }
        let flags = out.len();
        out.push(0);
        for token in 0..8 {
            let Some(byte) = message.get(place) else {
                break;
            };
            let mut found = 0;
            let mut slot = 0;
            if place + 3 <= message.len() {
                slot = byte ^ message[place + 1];
                found = table[usize::from(slot)];
            }
            if let Some((slot, place)) = late.take() {
                table[usize::from(slot)] = place;
            }
            if found == 0 || message[found] != *byte {
                late = Some((slot, place));
                out.push(*byte);
                place += 1;
            } else {
                table[usize::from(slot)] = place;
                let rest = &message[place + 2..];
                let equal = rest.iter().zip(&message[found + 2..]).take(255);
                let more = equal.take_while(|(new, old)| new == old).count();
                out[flags] |= 1 << token;
                out.extend([slot, more as u8]);
                place += 2 + more;
            }
        }
    }
    Some(out.split_off(8))
}

/// The reader of the short form, a byte at a time.
pub(super) fn decompress(payload: &[u8], order: ByteOrder) -> Option<Vec<u8>> {
    let claimed = order.u32(*payload.first_chunk()?) as usize;
    if claimed <= 8 || claimed > (128 * payload.len()).min(1 << 20) {
        return None;
    }
    let mut table = [None; 256];
    let mut tokens = payload[4..].iter().copied();
    let mut body: Vec<u8> = Vec::new();
    let mut entered = 0;
    while body.len() < claimed - 8 {
        let flags = tokens.next()?;
        for token in 0..8 {
            if body.len() == claimed - 8 {
                break;
            }
            let byte = tokens.next()?;
            let mut more = 0..0;
            if flags >> token & 1 == 0 {
                body.push(byte);
            } else {
                let extra = usize::from(tokens.next()?);
                let from: usize = table[usize::from(byte)]?;
                body.extend_from_within(from..from + 2);
                more = from + 2..from + 2 + extra;
            }
            while entered + 1 < body.len() {
                table[usize::from(body[entered] ^ body[entered + 1])] = Some(entered);
                entered += 1;
            }
            if flags >> token & 1 != 0 {
                for place in more {
                    body.push(body[place]);
                }
                entered = body.len();
            }
        }
    }
    (body.len() == claimed - 8).then_some(body)
}
