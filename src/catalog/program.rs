//! Runs a program that prints a secret: without a shell, within a time, its output kept for a while and never logged.

use crate::lock::lock;
use crate::spec::Secret;
use crate::{Error, Result};
use std::collections::HashMap;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most time that a program may take.
const MOST_TIME: Duration = Duration::from_secs(30);
/// How long its output is used before it runs again.
const LIFE: Duration = Duration::from_secs(300);
/// How often the wait for its end looks again.
const POLL: Duration = Duration::from_millis(10);
/// Most bytes of its output.
const MOST_OUTPUT: u64 = 64 << 10;

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
    let mut child = command.spawn().map_err(|err| Error::config(format!("the program '{program}' cannot be run: {err}")))?;
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(stdout) = stdout {
            // What cannot be read is missed below.
            let _ = stdout.take(MOST_OUTPUT + 1).read_to_end(&mut output);
        }
        output
    });
    let is_well = ended(&mut child).map_err(&wrong)?;
    let output = reader.join().map_err(|_| Error::internal("the output of a program could not be read"))?;
    if !is_well.0 {
        return Err(wrong(format!("ended with {}", is_well.1)));
    }
    let text = String::from_utf8(output).map_err(|_| wrong("printed what is not UTF-8".to_string()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(wrong("printed nothing".to_string())),
        text if text.len() as u64 > MOST_OUTPUT => Err(wrong(format!("printed more than {MOST_OUTPUT} bytes"))),
        text => Ok(Secret::new(text)),
    }
}

/// Waits for the end of a program. Returns whether it ended well, and how.
fn ended(child: &mut Child) -> std::result::Result<(bool, String), String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status.success(), status.to_string())),
            Ok(None) if began.elapsed() < MOST_TIME => std::thread::park_timeout(POLL),
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
