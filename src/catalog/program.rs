//! Runs a program that prints a secret: without a shell, within a time, its output kept for a while and never logged.

use crate::lock::lock;
use crate::spec::Secret;
use crate::{Error, Result};
use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most time that a program may take.
const MOST_TIME: Duration = Duration::from_secs(30);
/// How long its output is used before it runs again.
const LIFE: Duration = Duration::from_secs(300);
/// How often the wait for its end looks again.
const POLL: Duration = Duration::from_millis(10);
/// How long after a program's end nothing more has to come before its output is whole. What it left running may hold the output open.
const QUIET: Duration = Duration::from_secs(1);
/// Most bytes of its output.
const MOST_OUTPUT: usize = 64 << 10;
/// Bytes that are read at once.
const CHUNK_LEN: usize = 4 << 10;

/// The outputs of programs, by command line.
#[derive(Default)]
pub struct Programs(Mutex<HashMap<String, (Instant, Secret)>>);

impl Programs {
    /// Returns what a program prints, without the line break at its end. Blocks. Fails, naming the program and never an argument.
    pub fn output_of(&self, line: &str) -> Result<Secret> {
        let known = lock(&self.0).get(line).filter(|(ran, _)| ran.elapsed() < LIFE).map(|(_, output)| output.clone());
        if let Some(output) = known {
            return Ok(output);
        }
        let output = run(line)?;
        lock(&self.0).insert(line.to_string(), (Instant::now(), output.clone()));
        Ok(output)
    }
}

fn run(line: &str) -> Result<Secret> {
    let words = words_of(line).ok_or_else(|| Error::config("the command has a quote that does not end"))?;
    let Some((program, arguments)) = words.split_first() else { return Err(Error::config("the command is empty")) };
    let wrong = |why: String| Error::config(format!("the program '{program}' {why}; run it yourself to see what it says"));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let until = Instant::now() + MOST_TIME;
    let mut child = command.spawn().map_err(|err| Error::config(format!("the program '{program}' cannot be run: {err}")))?;
    let (sender, chunks) = channel();
    if let Some(stdout) = child.stdout.take() {
        // Not waited for: it ends with the last program that holds the output open.
        std::thread::spawn(move || read(stdout, &sender));
    }
    let (is_well, how) = ended(&mut child, until).map_err(&wrong)?;
    if !is_well {
        return Err(wrong(format!("ended with {how}")));
    }
    let text = String::from_utf8(whole(&chunks, until)).map_err(|_| wrong("printed what is not UTF-8".to_string()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong("printed nothing".to_string())),
        text if text.len() > MOST_OUTPUT => Err(wrong(format!("printed more than {MOST_OUTPUT} bytes"))),
        text => Ok(Secret::new(text)),
    }
}

/// Sends what there is to read, and somewhat more than is wanted at most. What cannot be read is missed by those who receive.
fn read(mut stdout: impl Read, chunks: &Sender<Vec<u8>>) {
    let mut n_read = 0;
    let mut chunk = [0; CHUNK_LEN];
    while n_read <= MOST_OUTPUT {
        match stdout.read(&mut chunk) {
            Ok(0) => return,
            Ok(len) if chunks.send(chunk[..len].to_vec()).is_ok() => n_read += len,
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// Returns the output of a program that ended: all of it, or what came until there was silence. Waits for the first of it as long as there
/// is time.
fn whole(chunks: &Receiver<Vec<u8>>, until: Instant) -> Vec<u8> {
    let mut output = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match chunks.recv_timeout(if output.is_empty() { left } else { left.min(QUIET) }) {
            Ok(chunk) => output.extend(chunk),
            Err(_) => return output,
        }
    }
}

/// Waits for the end of a program. Returns whether it ended well, and how.
fn ended(child: &mut Child, until: Instant) -> std::result::Result<(bool, String), String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status.success(), status.to_string())),
            Ok(None) if Instant::now() < until => std::thread::park_timeout(POLL),
            Ok(None) => {
                // It may have ended just now; then there is nothing to kill.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not end within {} s", MOST_TIME.as_secs()));
            }
            Err(err) => return Err(format!("cannot be waited for: {err}")),
        }
    }
}

/// Returns the words of a command line: blanks part them, but not between double quotes. `None` when a quote does not end.
fn words_of(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let (mut is_quoted, mut is_inside) = (false, false);
    for letter in line.chars() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                if !is_inside {
                    words.push(String::new());
                    is_inside = true;
                }
            }
            letter if letter.is_whitespace() && !is_quoted => is_inside = false,
            letter => {
                if !is_inside {
                    words.push(String::new());
                    is_inside = true;
                }
                words.last_mut()?.push(letter);
            }
        }
    }
    (!is_quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_blanks_outside_quotes() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(words_of(line), Some(expected.iter().map(|word| word.to_string()).collect()), "{line}");
        };
        check("gcloud auth  print-access-token", &["gcloud", "auth", "print-access-token"]);
        check("op read \"op://a b/c\" x\"y z\"", &["op", "read", "op://a b/c", "xy z"]);
        check("a \"\"", &["a", ""]);
        check("", &[]);
        assert_eq!(words_of("a \"b"), None);
        assert_eq!(words_of("a $(b) | c").map(|words| words.len()), Some(4));
    }

    #[test]
    fn what_a_program_leaves_running_does_not_hold_it_up() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, script) = (folder.path().join("pipe"), folder.path().join("script"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // It holds the output open until somebody writes to the pipe.
        std::fs::write(&script, format!("cat {} &\necho s3cr3t\n", pipe.display())).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let line = format!("sh {}", script.display());
        std::thread::spawn(move || sender.send(run(&line)));
        let output = receiver.recv_timeout(Duration::from_secs(10));
        std::fs::write(&pipe, "").unwrap();
        assert_eq!(output.unwrap().unwrap().expose(), "s3cr3t");
    }

    #[test]
    fn an_output_is_whole_at_its_end_or_when_nothing_more_comes() {
        let (sender, chunks) = channel();
        let until = Instant::now() + MOST_TIME;
        let whole_text = || String::from_utf8(whole(&chunks, until)).unwrap();
        sender.send(b"a".to_vec()).unwrap();
        assert_eq!(whole_text(), "a");
        let late = std::thread::spawn(move || {
            std::thread::park_timeout(2 * POLL);
            read(&b"late"[..], &sender);
        });
        assert_eq!(whole_text(), "late");
        late.join().unwrap();
        let (sender, chunks) = channel();
        read(std::io::repeat(b'x'), &sender);
        drop(sender);
        assert!((MOST_OUTPUT + 1..=MOST_OUTPUT + CHUNK_LEN).contains(&whole(&chunks, until).len()));
    }

    #[test]
    fn a_program_runs_once_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs");
        let script = folder.path().join("script");
        std::fs::write(&script, format!("echo x >> {}; echo s3cr3t", path.display())).unwrap();
        let programs = Programs::default();
        let line = format!("sh {}", script.display());
        for _ in 0..3 {
            assert_eq!(programs.output_of(&line).unwrap().expose(), "s3cr3t");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), "x\n");
        assert!(programs.output_of("true").unwrap_err().to_string().contains("printed nothing"));
    }
}
