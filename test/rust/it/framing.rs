//! Answers whose framing lies: the rows of one are all that the API sent, or it is an error, and each ends.

use super::http::{adapter, bearer, Bench};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::Duration;
use unify::http::{Answer, HttpSettings};

const BODY: &str = "[1,2]";
/// Longer than any answer here takes, and short enough for those that never end.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// Returns an answer with these header lines, each ended, and this body.
fn answer(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}").into_bytes()
}

/// Returns what a client makes of the bytes, after which the server ends its side: the body, or the error.
fn told(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bytes = bytes.to_vec();
    let serving = std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut seen = Vec::new();
        let mut part = [0; 1024];
        while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
            match stream.read(&mut part) {
                Ok(n_read) if n_read > 0 => seen.extend_from_slice(&part[..n_read]),
                _ => return,
            }
        }
        // The client may have heard enough before all is said.
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let _ = stream.read_to_end(&mut seen);
    });
    let mut spec = adapter(&url, bearer());
    spec.retry.attempts = 1;
    let outcome = Bench::with(spec, HttpSettings { timeout: TIMEOUT, ..HttpSettings::default() }).get_one();
    let told = match outcome {
        Ok(Answer::Page(page)) => Ok(page.body),
        Ok(Answer::Refused(err)) | Err(err) => Err(err.message().to_string()),
        Ok(Answer::Empty(text) | Answer::Skipped(text) | Answer::Unchanged(text) | Answer::TooMuch(text)) => Err(text),
    };
    serving.join().unwrap();
    told
}

#[test]
fn a_whole_answer_is_taken_however_it_is_framed() {
    for (headers, body) in [
        ("Content-Length: 5\r\n", "[1,2]"),
        // What comes after the body is not the answer's.
        ("Content-Length: 5\r\n", "[1,2][3,4]"),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "[1,2]"),
        ("content-LENGTH:5\r\n", "[1,2]"),
        ("Connection: close\r\n", "[1,2]"),
        ("", "[1,2]"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n[1,2]\r\n0\r\n\r\n"),
        ("transfer-encoding: CHUNKED\r\n", "2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "00005;name=value\r\n[1,2]\r\n0\r\nX-Trailer: 1\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n[1,2]\r\n0\r\n\r\n5\r\n[3,4]\r\n0\r\n\r\n"),
        // The chunks count, not the length.
        ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "5\r\n[1,2]\r\n0\r\n\r\n"),
        ("Content-Length: 500\r\nTransfer-Encoding: chunked\r\n", "5\r\n[1,2]\r\n0\r\n\r\n"),
    ] {
        assert_eq!(told(&answer(headers, body)).as_deref(), Ok(BODY.as_bytes()), "{headers:?} {body:?}");
    }
    let interim = [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec(), answer("", BODY)].concat();
    assert_eq!(told(&interim).as_deref(), Ok(BODY.as_bytes()));
}

#[test]
fn a_part_of_an_answer_is_never_taken_for_the_whole() {
    for (headers, body) in [
        ("Content-Length: 6\r\n", "[1,2]"),
        ("Content-Length: 4294967301\r\n", "[1,2]"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n[1,2]\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n[1,2]\r\n0\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n[1,2]"),
        ("Transfer-Encoding: chunked\r\n", "6\r\n[1,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "4\r\n[1,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "[1,2]"),
        ("Transfer-Encoding: chunked\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "-5\r\n[1,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "0x5\r\n[1,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5 5\r\n[1,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "10000000000000005\r\n[1,2]\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n[1,2]\r\n0\r\n\r\n"),
    ] {
        assert!(told(&answer(headers, body)).is_err(), "{headers:?} {body:?}");
    }
}

#[test]
fn headers_that_contradict_themselves_are_an_error() {
    for headers in [
        "Content-Length: 5\r\nContent-Length: 2\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: five\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length: 5\r\nno colon\r\n",
        "Content-Length: 5\r\nX-\0: 1\r\n",
        "Content-Length: 5\r\n: 1\r\n",
        "Content-Length: 5\r\nX: a\0b\r\n",
    ] {
        assert!(told(&answer(headers, BODY)).is_err(), "{headers:?}");
    }
}

#[test]
fn what_is_not_an_answer_is_an_error() {
    let long = "x".repeat(1 << 20);
    for bytes in [
        "".to_string(),
        "[1,2]".to_string(),
        "\0\0\0\0".to_string(),
        "HTTP/1.1".to_string(),
        "HTTP/1.1 200 OK".to_string(),
        "HTTP/1.1 200 OK\r\nContent-Length: 5".to_string(),
        "HTTP/9.9 200 OK\r\nContent-Length: 5\r\n\r\n[1,2]".to_string(),
        "HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\n[1,2]".to_string(),
        "HTTP/1.1 -200 OK\r\nContent-Length: 5\r\n\r\n[1,2]".to_string(),
        "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n[1,2]".to_string(),
        "ICY 200 OK\r\nContent-Length: 5\r\n\r\n[1,2]".to_string(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n[1,2]".to_string(),
        "HTTP/1.1 999 Odd\r\nContent-Length: 5\r\n\r\n[1,2]".to_string(),
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000),
        format!("HTTP/1.1 200 {long}\r\nContent-Length: 5\r\n\r\n[1,2]"),
        format!("HTTP/1.1 200 OK\r\nX: {long}\r\nContent-Length: 5\r\n\r\n[1,2]"),
        format!("HTTP/1.1 200 OK\r\n{long}"),
    ] {
        let said = told(bytes.as_bytes());
        assert!(said.is_err(), "{:?}: {said:?}", bytes.chars().take(60).collect::<String>());
    }
}
