//! A loopback HTTP server that answers as a test scripts it, misbehaviour included.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
}

impl SeenRequest {
    /// Returns the value of a header; names compare without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a query parameter as it was sent.
    pub fn param(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(other, _)| *other == name).map(|(_, value)| value))
    }
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Whole,
    /// Half of the body, then the connection closes.
    Half,
    /// One byte every few milliseconds.
    Drip,
    /// Nothing at all; the connection stays open.
    Silent,
    /// Nothing at all; the connection closes.
    Close,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub manner: Manner,
}

impl Reply {
    /// Returns a 200 with a JSON body.
    pub fn json(body: impl Into<Vec<u8>>) -> Reply {
        Reply { status: 200, headers: vec![("Content-Type".into(), "application/json".into())], body: body.into(), manner: Manner::Whole }
    }

    /// Returns an answer of that status with a JSON body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, ..Reply::json(body) }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_string(), value.into()));
        self
    }

    /// Sends the answer in that manner.
    pub fn sent(mut self, manner: Manner) -> Reply {
        self.manner = manner;
        self
    }
}

type Script = dyn Fn(&SeenRequest, usize) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    requests: Mutex<Vec<SeenRequest>>,
    streams: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
}

/// A server on a port of 127.0.0.1. Dropping it closes every connection and ends its threads.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server. The script gets each request and how many came before it.
    pub fn start(script: impl Fn(&SeenRequest, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            requests: Mutex::default(),
            streams: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let listener = std::thread::spawn(move || accept(&listener, &accepting));
        Server { address, shared, listener: Some(listener) }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        for stream in self.shared.streams.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        let mut streams = shared.streams.lock().unwrap();
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else {
            continue;
        };
        if let Ok(copy) = stream.try_clone() {
            streams.push(copy);
        }
        drop(streams);
        let shared = Arc::clone(shared);
        threads.push(std::thread::spawn(move || serve(stream, &shared)));
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// Answers the requests of one connection until it closes.
fn serve(stream: TcpStream, shared: &Shared) {
    let Ok(copy) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(copy);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader) {
        let n_before = {
            let mut requests = shared.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        let reply = (shared.script)(&request, n_before);
        if send(&mut writer, &reply).is_none() {
            let _ = writer.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<SeenRequest> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
    let target = line.split(' ').nth(1)?.to_string();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Some(SeenRequest { target, headers });
        };
        headers.push((name.to_string(), value.trim().to_string()));
    }
}

/// Sends an answer. `None`: the connection is of no more use.
fn send(stream: &mut TcpStream, reply: &Reply) -> Option<()> {
    let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    match reply.manner {
        Manner::Close => None,
        Manner::Silent => wait_for_close(stream, None),
        Manner::Whole => {
            let mut bytes = head.into_bytes();
            bytes.extend_from_slice(&reply.body);
            stream.write_all(&bytes).ok()
        }
        Manner::Half => {
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&reply.body[..reply.body.len() / 2]).ok()?;
            None
        }
        Manner::Drip => {
            stream.write_all(head.as_bytes()).ok()?;
            for byte in &reply.body {
                stream.write_all(&[*byte]).ok()?;
                stream.flush().ok()?;
                wait_for_close(stream, Some(Duration::from_millis(5)))?;
            }
            Some(())
        }
    }
}

/// Waits until the other side closes, or for as long as given. `None`: closed.
fn wait_for_close(stream: &mut TcpStream, pause: Option<Duration>) -> Option<()> {
    stream.set_read_timeout(pause).ok()?;
    let res = stream.read(&mut [0]);
    stream.set_read_timeout(None).ok()?;
    match res {
        Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(()),
        _ => None,
    }
}
