//! Serves the test API on a port until it is killed or its standard input ends: `testapi [--port N] [--watch-stdin]`.

use std::io::Read as _;
use testapi::Server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port = match port_of(&arguments) {
        Ok(port) => port,
        Err(message) => {
            eprintln!("testapi: {message}; usage: testapi [--port N] [--watch-stdin]");
            std::process::exit(2);
        }
    };
    let server = match Server::start(port) {
        Ok(server) => server,
        Err(err) => {
            eprintln!("testapi: cannot listen on 127.0.0.1:{port}: {err}");
            std::process::exit(1);
        }
    };
    println!("ready {}", server.address());
    if arguments.iter().any(|argument| argument == "--watch-stdin") {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    } else {
        loop {
            std::thread::park();
        }
    }
}

fn port_of(arguments: &[String]) -> Result<u16, String> {
    let mut port = 0;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--watch-stdin" => {}
            "--port" => {
                let text = rest.next().ok_or("'--port' lacks a number")?;
                port = text.parse().map_err(|_| format!("'{text}' is not a port"))?;
            }
            other => return Err(format!("unknown argument '{other}'")),
        }
    }
    Ok(port)
}
