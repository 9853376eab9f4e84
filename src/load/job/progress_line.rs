//! The progress line that a waiting statement shows.

use crate::load::job::handle::Job;
use crate::session::ProgressMode;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Loads shorter than this show nothing.
const QUIET: Duration = Duration::from_millis(500);
/// How often a line is printed where there is no terminal to redraw.
const PLAIN_INTERVAL: Duration = Duration::from_secs(2);
/// How often the line of a notebook is renewed: each time is a message to the browser.
const NOTEBOOK_INTERVAL: Duration = Duration::from_millis(500);

/// One line on stderr: rows, pages, how many a second, time, and where the total is known a bar and the time that is left.
pub struct ProgressLine {
    label: String,
    display: Display,
}

enum Display {
    Off,
    /// A terminal: one line, redrawn.
    Bar(Option<ProgressBar>),
    /// No terminal, but asked for: a line now and then.
    Plain(Instant),
    /// A notebook: one line, renewed by a carriage return.
    Notebook(Renewed),
}

/// A line that is written over itself.
#[derive(Default)]
struct Renewed {
    last: Option<Instant>,
    /// How many letters stand there.
    width: usize,
}

impl Renewed {
    /// Returns what puts `text` into the place of what stands there.
    fn with(&mut self, text: &str) -> String {
        let width = std::mem::replace(&mut self.width, text.chars().count());
        format!("\r{text}{}", " ".repeat(width.saturating_sub(self.width)))
    }

    /// Returns what leaves the line empty; nothing when it is.
    fn cleared(&mut self) -> String {
        match self.width {
            0 => String::new(),
            _ => format!("{}\r", self.with("")),
        }
    }
}

impl ProgressLine {
    /// Chooses the display; `Auto` shows a line only on a terminal, `Notebook` in a notebook's cell.
    pub fn new(mode: ProgressMode, label: &str) -> ProgressLine {
        let display = match (mode, std::io::stderr().is_terminal()) {
            (ProgressMode::Off, _) | (ProgressMode::Auto, false) => Display::Off,
            (ProgressMode::Auto | ProgressMode::On | ProgressMode::Notebook, true) => Display::Bar(None),
            (ProgressMode::Notebook, false) => Display::Notebook(Renewed::default()),
            (ProgressMode::On, false) => Display::Plain(Instant::now()),
        };
        ProgressLine { label: label.to_string(), display }
    }

    /// Shows where the job is.
    pub fn show(&mut self, job: &Job) {
        match &mut self.display {
            Display::Off => {}
            Display::Bar(bar) => {
                if job.elapsed() >= QUIET {
                    let bar = bar.get_or_insert_with(new_bar);
                    draw(bar, job, &self.label);
                }
            }
            Display::Notebook(line) => {
                if job.elapsed() >= QUIET && line.last.is_none_or(|last| last.elapsed() >= NOTEBOOK_INTERVAL) {
                    line.last = Some(Instant::now());
                    write_now(&line.with(&text_of(job, &self.label)));
                }
            }
            Display::Plain(last) => {
                if last.elapsed() >= PLAIN_INTERVAL {
                    *last = Instant::now();
                    // A closed stderr does not fail a load.
                    let _ = writeln!(std::io::stderr(), "{}", text_of(job, &self.label));
                }
            }
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        match &mut self.display {
            Display::Bar(Some(bar)) => bar.finish_and_clear(),
            Display::Notebook(line) => write_now(&line.cleared()),
            Display::Bar(None) | Display::Off | Display::Plain(_) => {}
        }
    }
}

/// Writes to stderr in one piece. A closed stderr does not fail a load.
fn write_now(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Writes a line of its own to stderr, terminal or not.
pub fn print_line(text: &str) {
    write_now(&format!("{text}\n"));
}

/// Writes a message where the line would stand, if that is a terminal.
pub fn tell(mode: ProgressMode, message: &str) {
    let mut stderr = std::io::stderr();
    if mode != ProgressMode::Off && stderr.is_terminal() {
        // A closed stderr does not fail the load.
        let _ = writeln!(stderr, "\r\x1b[2K{message}");
    }
}

fn new_bar() -> ProgressBar {
    ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr_with_hz(10))
}

fn draw(bar: &ProgressBar, job: &Job, label: &str) {
    let template = if job.percent().is_some() { "{msg} [{bar:24}] {percent}%" } else { "{msg}" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_position(job.percent().unwrap_or(0.0) as u64);
    bar.set_message(text_of(job, label));
    bar.tick();
}

/// Returns the line's text: what was done so far, how fast, for how long, and how long it will take.
fn text_of(job: &Job, label: &str) -> String {
    let report = job.report();
    let seconds = report.seconds.max(0.001);
    let (rows_a_second, requests_a_second) = (report.rows as f64 / seconds, report.requests as f64 / seconds);
    let left = job.seconds_left().map_or(String::new(), |left| format!(", {left:.0} s left"));
    let waiting = job.waiting_for().map_or(String::new(), |what| format!(", waiting for {what}"));
    format!(
        "loading {label}: {} rows, {} pages, {rows_a_second:.0} rows/s, {requests_a_second:.1} requests/s, {:.0} s{left}{waiting}",
        report.rows, report.pages, report.seconds
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::LoadAction;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_renewed_line_covers_what_stood_there() {
        let mut line = Renewed::default();
        assert_eq!(line.cleared(), "");
        assert_eq!(line.with("loading é: 10 rows"), "\rloading é: 10 rows");
        assert_eq!(line.with("loading"), format!("\rloading{}", " ".repeat(11)));
        assert_eq!((line.cleared(), line.cleared()), (format!("\r{}\r", " ".repeat(7)), String::new()));
    }

    #[test]
    fn the_line_says_rows_pages_rates_and_time() {
        let job = Job::new(1, LoadAction::Load, "shop.orders".into(), &crate::session::Settings::read(|_| None).unwrap());
        job.counters().rows.store(1200, Ordering::Relaxed);
        job.counters().pages.store(12, Ordering::Relaxed);
        let text = text_of(&job, "shop.orders");
        assert!(text.starts_with("loading shop.orders: 1200 rows, 12 pages, ") && text.ends_with(" rows/s, 0.0 requests/s, 0 s"), "{text}");
        job.counters().expected_pages.store(24, Ordering::Relaxed);
        let text = text_of(&job, "shop.orders");
        assert!(text.ends_with("requests/s, 0 s, 0 s left"), "{text}");
    }
}
