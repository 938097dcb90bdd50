//! KX's compression a token at a time, for the expected bytes: as it is told in
//! `hopen_codec::compress`, sharing nothing with it.

/// Returns the compressed message, or `None` where it would not be less than half.
pub(super) fn compress(message: &[u8]) -> Option<Vec<u8>> {
    let room = message.len() / 2;
    let mut out = message[..4].to_vec();
    out[2] = 1;
    out.extend([0; 4]);
    out.extend((message.len() as u32).to_le_bytes());
    let mut places = [None; 256];
    let mut literal = None;
    let mut at = 8;
    while at < message.len() {
        if out.len() + 17 > room {
            return None;
        }
        let flags = out.len();
        out.push(0);
        for token in 0..8 {
            let Some(rest) = message.get(at..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            let slot = if rest.len() > 2 { rest[0] ^ rest[1] } else { 0 };
            let found: Option<usize> = places[usize::from(slot)].filter(|_| rest.len() > 2);
            if let Some((slot, place)) = literal.take() {
                places[usize::from(slot)] = Some(place);
            }
            match found.filter(|found| message[*found] == rest[0]) {
                Some(found) => {
                    places[usize::from(slot)] = Some(at);
                    let pairs = rest[2..].iter().zip(&message[found + 2..]).take(255);
                    let more = pairs.take_while(|(new, old)| new == old).count();
                    out[flags] |= 1 << token;
                    out.extend([slot, more as u8]);
                    at += 2 + more;
                }
                None => {
                    literal = Some((slot, at));
                    out.push(rest[0]);
                    at += 1;
                }
            }
        }
    }
    let length = out.len() as u32;
    out[4..8].copy_from_slice(&length.to_le_bytes());
    Some(out)
}
