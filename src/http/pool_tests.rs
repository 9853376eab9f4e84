//! Which credential a request goes with.

use super::*;
use proptest::prelude::*;

fn pool(n_members: usize) -> Pool {
    Pool::new((0..n_members).map(|idx| format!("c{idx}")).collect())
}

fn told(left: f64, resets_in: Option<f64>, is_watched: bool) -> BudgetsTold {
    let is_used_up = left < 1.0;
    let wait = resets_in.filter(|_| is_used_up);
    BudgetsTold { own: vec![], connection: vec![BudgetTold { left: Some(left), limit: None, resets_in, wait, is_used_up, is_watched }] }
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn a_request_goes_with_what_has_the_most_left() {
    let (pool, now) = (pool(3), Instant::now());
    let choose = || pool.turn(None, now).map(|turn| turn.idx());
    // Each is tried before what is known decides.
    let turns: Vec<Turn<'_>> = (0..3).map(|_| pool.turn(None, now).unwrap()).collect();
    assert_eq!(turns.iter().map(Turn::idx).collect::<Vec<_>>(), [0, 1, 2]);
    drop(turns);
    for (idx, left) in [(0, 5.0), (1, 9.0), (2, 8.0)] {
        pool.note(idx, None, &told(left, Some(60.0), false), now);
    }
    assert_eq!(choose(), Ok(1));
    // What is under way counts as used.
    let turns: Vec<Turn<'_>> = (0..3).map(|_| pool.turn(None, now).unwrap()).collect();
    assert_eq!(turns.iter().map(Turn::idx).collect::<Vec<_>>(), [1, 2, 1]);
}

#[test]
fn what_is_spent_or_rejected_is_set_aside() {
    let (pool, now) = (pool(2), Instant::now());
    let choose = |after: u64| pool.turn(None, now + seconds(after)).map(|turn| turn.idx());
    pool.note(0, None, &told(0.0, Some(60.0), true), now);
    assert_eq!(choose(0), Ok(1));
    pool.spend(1, None, now + seconds(20));
    assert_eq!((choose(0), pool.spent_for(None, now)), (Err(NoTurn::Spent(seconds(20))), seconds(20)));
    assert_eq!((choose(20), choose(60)), (Ok(1), Ok(0)));
    assert!(pool.reject(1));
    assert_eq!(choose(20), Err(NoTurn::Spent(seconds(40))));
    // When there is no other, each is tried anew.
    assert!(!pool.reject(0));
    assert_eq!((choose(60), choose(20)), (Ok(0), Ok(1)));
}

#[test]
fn one_alone_can_be_used() {
    let (pool, now) = (pool(3), Instant::now());
    pool.leave_out_others(1);
    let turns: Vec<Turn<'_>> = (0..2).map(|_| pool.turn(None, now).unwrap()).collect();
    assert_eq!(turns.iter().map(Turn::idx).collect::<Vec<_>>(), [1, 1]);
    assert!(!pool.reject(1));
    assert_eq!(pool.turn(None, now).map(|turn| turn.idx()), Ok(1));
    pool.spend(1, None, now + seconds(5));
    assert_eq!(pool.turn(None, now).map(|turn| turn.idx()), Err(NoTurn::Spent(seconds(5))));
}

#[test]
fn limits_of_some_tables_are_their_own() {
    let (pool, now) = (pool(2), Instant::now());
    pool.spend(0, Some("search"), now + seconds(9));
    let choose = |own: Option<&str>| pool.turn(own, now).map(|turn| turn.idx());
    assert_eq!((choose(Some("search")), choose(Some("other")), choose(None)), (Ok(1), Ok(0), Ok(0)));
}

#[test]
fn an_answer_that_was_overtaken_gives_nothing_back() {
    let (pool, now) = (pool(2), Instant::now());
    pool.note(1, None, &told(3.0, Some(60.0), false), now);
    pool.note(0, None, &told(2.0, Some(60.0), false), now);
    pool.note(0, None, &told(7.0, Some(60.5), false), now);
    assert_eq!(pool.turn(None, now).map(|turn| turn.idx()), Ok(1));
    // Another span of time, another budget.
    pool.note(0, None, &told(7.0, Some(160.0), false), now);
    assert_eq!(pool.turn(None, now).map(|turn| turn.idx()), Ok(0));
}

#[tokio::test]
async fn who_cannot_tell_which_has_something_left_waits_for_an_answer() {
    let (pool, now) = (pool(2), Instant::now());
    pool.note(0, None, &told(1.0, Some(60.0), false), now);
    pool.note(1, None, &told(1.0, Some(60.0), false), now);
    let turns: Vec<Turn<'_>> = (0..2).map(|_| pool.turn(None, now).unwrap()).collect();
    let answered = pool.answered();
    assert_eq!(pool.turn(None, now).map(|turn| turn.idx()), Err(NoTurn::UnderWay));
    // The answers tell that the request was counted before: one is left.
    turns.into_iter().for_each(|turn| pool.note(turn.idx(), None, &told(1.0, Some(60.0), false), now));
    answered.await;
    assert!(pool.turn(None, now).is_ok());
    // What has nothing left is tried all the same, where the API does not say that it takes no more.
    pool.note(0, None, &told(0.0, None, false), now);
    pool.note(1, None, &told(0.0, None, false), now);
    assert_eq!(pool.turn(None, now).map(|turn| turn.idx()), Ok(0));
}

/// What happens to a pool.
#[derive(Debug, Clone)]
enum Event {
    /// A request begins.
    Begin,
    /// One is answered; whether the answer says that the credential is taken no more.
    Answer {
        which: usize,
        is_rejected: bool,
    },
    Later(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let answer = || (0..4_usize, prop::bool::weighted(0.05)).prop_map(|(which, is_rejected)| Event::Answer { which, is_rejected });
    prop::collection::vec(prop_oneof![4 => Just(Event::Begin), 4 => answer(), 1 => (1..9_u64).prop_map(Event::Later)], 1..120)
}

proptest! {
    #[test]
    fn no_request_goes_with_a_spent_credential_while_another_has_budget(
        limits in prop::collection::vec(1..6_u32, 1..5), span in 2..20_u64, is_watched in any::<bool>(), events in events(),
    ) {
        let pool = pool(limits.len());
        let mut now = Instant::now();
        // The API: what each credential used in its span, and when that ends.
        let mut used = vec![(0_u32, now + seconds(span)); limits.len()];
        let mut rejected = vec![false; limits.len()];
        let mut has_rejected = false;
        // What the answers said so far: how much is left, and until when.
        let mut known: Vec<Option<(f64, Instant)>> = vec![None; limits.len()];
        let mut turns: Vec<(Turn<'_>, u32, Instant)> = Vec::new();
        for event in events {
            match event {
                Event::Begin => {
                    let spent = |idx: usize| known[idx].is_some_and(|(left, until)| left < 1.0 && until > now);
                    let all_rejected = rejected.iter().all(|is| *is);
                    let can_be_used = |idx: usize| !spent(idx) && (all_rejected || !rejected[idx]);
                    match pool.turn(None, now) {
                        Ok(turn) => {
                            let idx = turn.idx();
                            prop_assert!(can_be_used(idx) || !(0..limits.len()).any(can_be_used), "{idx} of {known:?} {rejected:?}");
                            if all_rejected {
                                rejected.fill(false);
                            }
                            if used[idx].1 <= now {
                                used[idx] = (0, now + seconds(span));
                            }
                            used[idx].0 += 1;
                            // One that is known to have something left does, where all answers told what is.
                            let is_left = known[idx].is_some_and(|(left, until)| left >= 1.0 && until > now);
                            prop_assert!(!is_left || has_rejected || used[idx].0 <= limits[idx], "{idx} of {known:?} {used:?}");
                            turns.push((turn, used[idx].0, used[idx].1));
                        }
                        Err(NoTurn::UnderWay) => {
                            prop_assert!(!turns.is_empty());
                            if all_rejected {
                                rejected.fill(false);
                            }
                        }
                        Err(NoTurn::Spent(wait)) => {
                            prop_assert!(!(0..limits.len()).any(can_be_used), "waits {wait:?} with {known:?} {rejected:?}");
                            if all_rejected {
                                rejected.fill(false);
                            }
                            let ends = (0..limits.len()).filter(|idx| !rejected[*idx]).filter_map(|idx| known[idx]).map(|(_, until)| until);
                            prop_assert!(ends.clone().any(|until| until > now) && wait <= ends.max().unwrap() - now);
                        }
                    }
                }
                Event::Answer { which, is_rejected } => {
                    if turns.is_empty() {
                        continue;
                    }
                    let (turn, n_used, until) = turns.remove(which % turns.len());
                    let idx = turn.idx();
                    if is_rejected {
                        (rejected[idx], has_rejected) = (true, true);
                        prop_assert_eq!(pool.reject(idx), rejected.iter().any(|is| !is));
                        continue;
                    }
                    let left = f64::from(limits[idx].saturating_sub(n_used));
                    if n_used > limits[idx] {
                        pool.spend(idx, None, until);
                    }
                    let is_same = known[idx].is_some_and(|(_, known)| known == until);
                    if until > now {
                        pool.note(idx, None, &told(left, Some((until - now).as_secs_f64()), is_watched), now);
                        known[idx] = Some((known[idx].filter(|_| is_same).map_or(left, |(known, _)| known.min(left)), until));
                    }
                }
                Event::Later(wait) => now += seconds(wait),
            }
        }
    }
}
