//! What `Content-Encoding` says of a body, and the body unpacked.

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Cursor, Read, Write as _};

/// The encodings that are asked for.
pub(super) const ACCEPTED: &str = "gzip, br, zstd, deflate";
/// Those that are asked for where the body is taken in pieces.
pub(super) const ACCEPTED_IN_PIECES: &str = "gzip";
/// Unpacked so many bytes at once; other requests of the thread go on in between.
const PART: usize = 256 << 10;

/// Why a body could not be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It unpacks to more than allowed.
    TooLarge,
    /// There is no memory for more than so many bytes of it.
    NoMemory(usize),
    /// It is not packed as the header says, or only a part of it came.
    NotPackedSo(String),
}

/// Returns the packings of a body in the order they were applied. Names compare without case, `x-` before one means the same. What names no
/// packing, such as `identity` or a character set, leaves the body as it is.
fn packings<'a>(content_encodings: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let names = content_encodings.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let packing = |name: String| match name.strip_prefix("x-").unwrap_or(&name) {
        "gzip" => Some("gzip"),
        "deflate" => Some("deflate"),
        "br" => Some("br"),
        "zstd" => Some("zstd"),
        _ => None,
    };
    names.filter_map(packing).collect()
}

/// Returns whether these `Content-Encoding` headers say that a body is packed.
pub(super) fn is_packed<'a>(content_encodings: impl Iterator<Item = &'a str>) -> bool {
    !packings(content_encodings).is_empty()
}

/// Unpacks a body as its `Content-Encoding` headers say, to at most `max_len` bytes. An empty body is empty, however it is packed.
pub(super) async fn unpacked<'a>(
    content_encodings: impl Iterator<Item = &'a str>,
    body: Vec<u8>,
    max_len: usize,
) -> Result<Vec<u8>, Misfit> {
    let packings = packings(content_encodings);
    if packings.is_empty() || body.is_empty() {
        return Ok(body);
    }
    let not_so =
        |err: std::io::Error| Misfit::NotPackedSo(format!("the body is not {} as 'Content-Encoding' says: {err}", packings.join(", ")));
    let mut reader = reader_of(&packings, body).map_err(not_so)?;
    let mut out = Vec::new();
    loop {
        let read = reader.by_ref().take(PART as u64).read_to_end(&mut out);
        let n_read = match read {
            Err(err) if err.kind() == std::io::ErrorKind::OutOfMemory => return Err(Misfit::NoMemory(out.len())),
            read => read.map_err(not_so)?,
        };
        if out.len() > max_len {
            return Err(Misfit::TooLarge);
        }
        if n_read < PART {
            return Ok(out);
        }
        tokio::task::yield_now().await;
    }
}

/// Unpacks a body that arrives in pieces.
pub(super) enum Unpacker {
    Plain,
    Gzip(Box<flate2::write::MultiGzDecoder<Vec<u8>>>),
}

impl Unpacker {
    /// Returns what unpacks a body with these `Content-Encoding` headers; `None` for what is only unpacked as a whole.
    pub(super) fn of<'a>(content_encodings: impl Iterator<Item = &'a str>) -> Option<Unpacker> {
        match packings(content_encodings).as_slice() {
            [] => Some(Unpacker::Plain),
            ["gzip"] => Some(Unpacker::Gzip(Box::new(flate2::write::MultiGzDecoder::new(Vec::new())))),
            _ => None,
        }
    }

    /// Returns what a piece of the body becomes, or what is wrong.
    pub(super) fn unpacked<'p>(&mut self, piece: &'p [u8]) -> Result<Cow<'p, [u8]>, String> {
        match self {
            Unpacker::Plain => Ok(Cow::Borrowed(piece)),
            Unpacker::Gzip(decoder) => match decoder.write_all(piece) {
                Ok(()) => Ok(Cow::Owned(std::mem::take(decoder.get_mut()))),
                Err(err) => Err(not_gzip(&err)),
            },
        }
    }

    /// Returns what is left when the last piece came.
    pub(super) fn rest<'p>(&mut self) -> Result<Cow<'p, [u8]>, String> {
        match self {
            Unpacker::Plain => Ok(Cow::Borrowed(&[])),
            Unpacker::Gzip(decoder) => match decoder.try_finish() {
                Ok(()) => Ok(Cow::Owned(std::mem::take(decoder.get_mut()))),
                Err(err) => Err(not_gzip(&err)),
            },
        }
    }
}

fn not_gzip(err: &std::io::Error) -> String {
    format!("the body is not gzip as 'Content-Encoding' says: {err}")
}

fn reader_of(packings: &[&'static str], body: Vec<u8>) -> std::io::Result<Box<dyn Read + Send>> {
    let mut reader: Box<dyn Read + Send> = Box::new(Cursor::new(body));
    for packing in packings.iter().rev() {
        reader = match *packing {
            "gzip" => Box::new(MultiGzDecoder::new(reader)),
            "br" => Box::new(brotli_decompressor::Decompressor::new(reader, PART)),
            "zstd" => Box::new(zstd::Decoder::new(reader)?),
            _ => {
                let mut buffered = BufReader::new(reader);
                // Servers send `deflate` with the header of zlib and without.
                match is_zlib(buffered.fill_buf()?) {
                    true => Box::new(ZlibDecoder::new(buffered)),
                    false => Box::new(DeflateDecoder::new(buffered)),
                }
            }
        };
    }
    Ok(reader)
}

fn is_zlib(head: &[u8]) -> bool {
    match head {
        [method, flags, ..] => method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 0).unwrap()
    }

    fn unpack(encodings: &[&str], body: &[u8], max_len: usize) -> Result<Vec<u8>, Misfit> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(unpacked(encodings.iter().copied(), body.to_vec(), max_len))
    }

    proptest! {
        /// The law of packed bodies: whatever a server calls it, they arrive as they were.
        #[test]
        fn bodies_arrive_as_they_were(body in prop::collection::vec(any::<u8>(), 1..5000), cut in any::<prop::sample::Index>()) {
            let (first, rest) = body.split_at(cut.index(body.len()));
            let several = [gzip(first), gzip(rest)].concat();
            let packed: [(&[&str], Vec<u8>); 14] = [
                (&["gzip"], gzip(&body)), (&["GZIP"], gzip(&body)), (&["x-gzip"], gzip(&body)), (&[" Gzip "], several.clone()),
                (&["identity"], body.clone()), (&["utf-8"], body.clone()), (&[""], body.clone()), (&["aws-chunked, gzip"], gzip(&body)),
                (&["deflate"], zlib(&body)), (&["Deflate"], deflate(&body)), (&["ZSTD"], zstd(&body)),
                (&["gzip, identity", "X-GZIP"], gzip(&several)), (&["deflate,gzip"], gzip(&zlib(&body))),
                (&["zstd"], [zstd(first), zstd(rest)].concat()),
            ];
            for (encodings, bytes) in packed {
                prop_assert_eq!(unpack(encodings, &bytes, body.len()), Ok(body.clone()), "{:?}", encodings);
                prop_assert_eq!(is_packed(encodings.iter().copied()), bytes != body);
            }
        }

        #[test]
        fn a_part_of_a_body_is_an_error(body in prop::collection::vec(any::<u8>(), 1..3000), cut in any::<prop::sample::Index>()) {
            let packed: [(&str, Vec<u8>); 4] = [("gzip", gzip(&body)), ("deflate", zlib(&body)), ("deflate", deflate(&body)), ("zstd", zstd(&body))];
            for (encoding, bytes) in packed {
                let part = &bytes[..1 + cut.index(bytes.len() - 1)];
                let outcome = unpack(&[encoding], part, usize::MAX);
                prop_assert!(matches!(outcome, Err(Misfit::NotPackedSo(_))) || part.len() == bytes.len(), "{encoding}: {outcome:?}");
            }
        }

        #[test]
        fn bodies_in_pieces_arrive_as_they_were(body in prop::collection::vec(any::<u8>(), 1..5000), piece_len in 1..300_usize, n_lost in 0..3_usize) {
            let packed = [gzip(&body), gzip(b"x")].concat();
            let sent = &packed[..packed.len() - n_lost];
            let mut unpacker = Unpacker::of(["x-gzip"].into_iter()).unwrap();
            let mut found = Vec::new();
            for piece in sent.chunks(piece_len) {
                found.extend_from_slice(&unpacker.unpacked(piece).unwrap());
            }
            let rest = unpacker.rest();
            prop_assert_eq!(rest.is_ok(), n_lost == 0);
            found.extend_from_slice(&rest.unwrap_or_default());
            let whole = [&body[..], b"x"].concat();
            prop_assert!(whole.starts_with(&found) && (n_lost > 0 || found.len() == whole.len()));
        }

        #[test]
        fn any_bytes_end(encoding in "gzip|br|zstd|deflate", body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&[&encoding], &body, 1 << 20);
        }
    }

    #[test]
    fn more_than_allowed_is_too_large() {
        let body = vec![b' '; 1 << 20];
        for (encoding, bytes) in
            [("gzip", gzip(&body)), ("deflate", deflate(&body)), ("zstd", zstd(&body)), ("gzip, gzip", gzip(&gzip(&body)))]
        {
            assert_eq!(unpack(&[encoding], &bytes, (1 << 20) - 1), Err(Misfit::TooLarge), "{encoding}");
            assert_eq!(unpack(&[encoding], &bytes, 1 << 20).unwrap().len(), 1 << 20);
        }
        assert_eq!(unpack(&["gzip"], b"", 1), Ok(Vec::new()));
        let err = unpack(&["gzip"], b"[1, 2]", 100).unwrap_err();
        assert!(
            matches!(&err, Misfit::NotPackedSo(text) if text.starts_with("the body is not gzip as 'Content-Encoding' says: ")),
            "{err:?}"
        );
    }
}
