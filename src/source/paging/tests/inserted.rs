//! Rows that come before the others while a walk runs, just as many as a page has: each page becomes what the one before it was.

use super::super::*;
use super::model::*;
use crate::source::*;
use crate::{Error, Result};
use proptest::prelude::*;
use std::collections::BTreeSet;

const SIZE: u64 = 10;

/// Walks while a page of rows comes before the answer with the number `at`. Rows are numbered from 1,000, those that come from 0. Returns the rows,
/// and whether pages may lack some.
#[expect(clippy::too_many_arguments, reason = "what a walk depends on, each drawn at random")]
fn walk(paging: &Paging, n_rows: u64, at: usize, window: usize, shuffle: u64, vanishing: Vanishing) -> Result<(Vec<u64>, bool)> {
    let mut rows: Vec<u64> = (1000..1000 + n_rows).collect();
    let mut pager = paging.source(1000);
    pager.set_vanishing(vanishing);
    let (mut in_flight, mut kept) = (Vec::<PagePosition>::new(), Vec::new());
    let mut dice = shuffle;
    for n_answers in 0.. {
        while let Some(position) = (in_flight.len() < window).then(|| pager.next_position()).flatten() {
            in_flight.push(position);
        }
        if in_flight.is_empty() {
            break;
        }
        if n_answers == at {
            rows.splice(0..0, 0..SIZE);
        }
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let position = in_flight.swap_remove((dice >> 33) as usize % in_flight.len());
        let api = ModelApi { n_rows: rows.len() as u64, clamp: 1000, ..ModelApi::default() };
        let page: Vec<u64> = api.answer(paging, &position.key).unwrap_or_default().iter().map(|idx| rows[*idx as usize]).collect();
        if pager.answered(&position, &api.facts(&page))?.keeps_rows() {
            kept.push((position.ordinal, page));
        }
    }
    assert!(pager.is_done(), "the pager is stuck: {pager:?}");
    kept.retain(|(ordinal, _)| !pager.is_beyond(*ordinal));
    Ok((kept.into_iter().flat_map(|(_, page)| page).collect(), pager.is_overtaken()))
}

fn pagings() -> [Paging; 3] {
    [pages(SIZE, 1, false), offsets(SIZE, true), offsets(SIZE, false)]
}

proptest! {
    /// The law: each row that was there from the beginning is brought, or it is told that pages may lack some.
    #[test]
    fn a_page_of_rows_that_come_loses_none(n_rows in 20..150_u64, at in 0..12_usize, way in 0..3_usize, window in 1..6_usize, shuffle: u64) {
        let (rows, is_overtaken) = walk(&pagings()[way], n_rows, at, window, shuffle, Vanishing::ReadAgain).unwrap();
        let rows: BTreeSet<u64> = rows.into_iter().collect();
        let is_whole = (1000..1000 + n_rows).all(|row| rows.contains(&row));
        prop_assert!(is_whole || is_overtaken, "{:?}", rows);
        prop_assert!(window > 1 || is_whole && !is_overtaken, "{:?}", rows);
    }
}

#[test]
fn without_a_key_a_page_that_comes_twice_is_an_error() {
    for paging in pagings() {
        for vanishing in [Vanishing::Ignored, Vanishing::Told] {
            let err = walk(&paging, 50, 2, 1, 0, vanishing).unwrap_err();
            assert!(err.message().contains("the same page twice"), "{err}");
        }
        assert!(walk(&paging, 50, 2, 1, 0, Vanishing::ReadAgain).is_ok());
    }
}

#[test]
fn the_same_page_for_ever_is_an_error_with_a_key_too() {
    for paging in pagings() {
        let mut pager = paging.source(100);
        pager.set_vanishing(Vanishing::ReadAgain);
        let outcome = (0..10).try_for_each(|_| match pager.next_position() {
            Some(position) => pager.answered(&position, &facts(SIZE, 1)).map(|_| ()),
            None => Err(Error::internal("the pager is stuck")),
        });
        let err = outcome.unwrap_err();
        assert!(err.message().contains("the same page twice"), "{err}");
    }
}
