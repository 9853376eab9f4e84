//! Which process a job belongs to, and whether that one is alive.
//!
//! A thread that lives as long as the database does stands for it: on the same machine it is there or it is not, which tells a
//! killed process from a busy one at once. On another machine only the time of the last sign of life tells.

use std::fmt;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often a running job gives a sign of life where others may look for one.
pub const BEAT: Duration = Duration::from_secs(15);
/// A job of another machine without a sign of life for so long, in microseconds, has ended. Clocks may differ by nearly as much.
const MOST_SILENCE: i64 = 120 * 1_000_000;

/// A database of a process, as `unify.live_jobs` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Where the thread can be looked up: one boot of one machine, as one container sees its processes.
    machine: String,
    /// Process, thread and the time it started, such as `71/75/8835`.
    thread: String,
}

impl Owner {
    /// Returns the owner that the calling thread stands for as long as it lives.
    pub fn of_this_thread() -> Owner {
        // Where the system does not tell, the name is unique and nobody's machine.
        Owner::read()
            .unwrap_or_else(|| Owner { machine: format!("unknown-{:016x}", RandomState::new().hash_one(0)), thread: "0/0/0".to_string() })
    }

    /// Returns the owner that `text` names.
    pub fn from_text(text: &str) -> Owner {
        let (machine, thread) = text.split_once(' ').unwrap_or((text, ""));
        Owner { machine: machine.to_string(), thread: thread.to_string() }
    }

    fn read() -> Option<Owner> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let processes = fs::read_link("/proc/self/ns/pid").ok()?;
        let thread = fs::read_link("/proc/thread-self").ok()?;
        let (process, thread) = thread.to_str()?.split_once("/task/")?;
        let started = started(process, thread)?;
        Some(Owner { machine: format!("{}/{}", boot.trim(), processes.to_str()?), thread: format!("{process}/{thread}/{started}") })
    }

    /// Returns whether the owner is alive, as seen from `me` at `now`, when it gave its last sign of life at `beat`; both in
    /// microseconds since 1970.
    pub fn is_alive(&self, me: &Owner, beat: i64, now: i64) -> bool {
        if self.machine == me.machine {
            let mut parts = self.thread.split('/');
            let (Some(process), Some(thread), Some(start)) = (parts.next(), parts.next(), parts.next()) else { return false };
            return started(process, thread).is_some_and(|found| found == start);
        }
        now.saturating_sub(beat) < MOST_SILENCE
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.machine, self.thread)
    }
}

/// Returns when a thread started, in the kernel's ticks since boot: a thread that has its number later has another time.
fn started(process: &str, thread: &str) -> Option<String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(process) || !is_number(thread) {
        return None;
    }
    let stat = fs::read_to_string(format!("/proc/{process}/task/{thread}/stat")).ok()?;
    // The thread's name, in parentheses, may hold anything. A process that was killed and not yet waited for is not alive.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_string)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * 1_000_000;

    #[test]
    fn a_thread_of_this_machine_is_alive_until_it_ends() {
        let me = Owner::of_this_thread();
        assert_eq!(Owner::from_text(&me.to_string()), me);
        // However long ago it gave a sign of life: it is there.
        assert!(me.is_alive(&me, 0, HOUR));
        let other = std::thread::spawn(Owner::of_this_thread).join().unwrap();
        assert_ne!(other, me);
        // The kernel forgets a thread a moment after it was joined.
        let ended = (0..10_000_000).any(|_| !other.is_alive(&me, HOUR, HOUR));
        assert!(ended);
    }

    #[test]
    fn a_thread_of_another_machine_is_alive_while_it_says_so() {
        let me = Owner::of_this_thread();
        let other = Owner::from_text("elsewhere/pid:[1] 1/1/1");
        assert!(other.is_alive(&me, HOUR - MOST_SILENCE / 2, HOUR));
        assert!(!other.is_alive(&me, HOUR - 2 * MOST_SILENCE, HOUR));
        // Its clock is ahead.
        assert!(other.is_alive(&me, 2 * HOUR, HOUR));
    }

    #[test]
    fn what_cannot_be_read_is_not_alive_on_this_machine() {
        let me = Owner::of_this_thread();
        for thread in ["", "1", "1/2", "../..//1/2", "a/b/c"] {
            assert!(!Owner { thread: thread.to_string(), ..me.clone() }.is_alive(&me, HOUR, HOUR), "{thread}");
        }
    }
}
