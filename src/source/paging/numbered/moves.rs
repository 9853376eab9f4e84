//! What is known of rows that vanish at the source, and of the positions past which others may have moved.

use crate::source::{ResumePoint, Shrink, Vanished, Vanishing};

/// What is known of rows that vanish.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) vanishing: Vanishing,
    pub(super) suspects: Vec<Suspect>,
    /// `None`: no answer told how many rows there are.
    pub(super) told: Option<Told>,
    /// The total of the first answer with the rows before its page: what all totals are with theirs, where they count what is left.
    pub(super) first: Option<u64>,
    /// Whether a total was told that is not that of the rows from its page on.
    pub(super) misfits: bool,
    /// Whether totals seem to count the rows from the page on.
    pub(super) counts_rest: bool,
    /// Pages that were read again.
    pub(super) n_again: u64,
    /// Those of them that had other rows than before.
    pub(super) n_moved: u64,
    /// Pages that repeat others since rows moved.
    pub(super) n_repeated: u64,
    /// Those of them that an earlier load stored.
    pub(super) n_repeated_before: u64,
    /// Rows that vanished where it was given up to find those that moved.
    pub(super) lacking: Option<u64>,
}

/// How many rows there are, as answers told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) most: u64,
    pub(super) fewest: u64,
    pub(super) latest: u64,
}

/// A position past which rows may have moved back.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) shrink: Shrink,
    /// The index of the later of the two pages that showed it.
    pub(super) known_by: usize,
    /// The start of the page that was read again last: the pages from there up to the position are.
    pub(super) reached: u64,
    pub(super) step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The page before those that were read again is to be read.
    Back,
    /// The page after the position is to be read, too: rows came before it.
    Forth,
    /// The page with this index is in flight.
    InFlight(usize),
    /// Over, with the answer of the page with this index.
    Over(usize),
}

impl Moves {
    /// Says what is done about rows that vanish.
    pub(super) fn set_vanishing(&mut self, vanishing: Vanishing) {
        self.vanishing = vanishing;
        if vanishing == Vanishing::Ignored {
            self.suspects.clear();
        }
    }

    /// Returns what came of rows that vanished; `None` when none did.
    pub(super) fn vanished(&self) -> Option<Vanished> {
        let n_rows = self.lacking.unwrap_or(0).max(self.n_vanished());
        let (n_moved, is_lacking) = (self.n_moved, self.lacking.is_some());
        (n_moved > 0 || is_lacking).then_some(Vanished { n_rows, n_moved, is_lacking })
    }

    /// Returns whether pages are still to be read again.
    pub(super) fn is_pending(&self) -> bool {
        self.suspects.iter().any(|suspect| !matches!(suspect.step, Step::Over(_)))
    }

    /// Returns how many rows are known to have vanished.
    pub(super) fn n_vanished(&self) -> u64 {
        self.told.map_or(0, |told| told.most - told.fewest)
    }

    /// Returns how many rows vanished where others may be missing for that.
    pub(super) fn lacking(&self) -> Option<u64> {
        self.lacking
    }

    /// Takes what an earlier load knew.
    pub(super) fn resume(&mut self, point: &ResumePoint) {
        self.lacking = point.lacking;
        (self.n_repeated, self.n_repeated_before) = (point.n_repeated, point.n_repeated);
        self.suspects = point.shrinks.iter().map(|shrink| Suspect::new(*shrink, 0)).collect();
        for shrink in &point.shrinks {
            self.hears(shrink.before);
            self.hears(shrink.after);
        }
    }

    /// Returns what is still to be looked at when the first `n_stored` pages are stored. A position whose later page is not stored is seen anew.
    pub(super) fn shrinks_after(&self, n_stored: usize) -> Vec<Shrink> {
        let is_open = |suspect: &&Suspect| match suspect.step {
            Step::Over(idx) => idx >= n_stored,
            Step::Back | Step::Forth | Step::InFlight(_) => true,
        };
        let known = self.suspects.iter().filter(|suspect| suspect.known_by < n_stored);
        known.filter(is_open).map(|suspect| suspect.shrink).collect()
    }

    pub(super) fn hears(&mut self, latest: u64) {
        let Told { most, fewest, .. } = self.told.unwrap_or(Told { most: latest, fewest: latest, latest });
        self.told = Some(Told { most: most.max(latest), fewest: fewest.min(latest), latest });
    }

    pub(super) fn fewest(&self) -> u64 {
        self.told.map_or(0, |told| told.fewest)
    }

    /// Leaves it at what was read.
    pub(super) fn give_up(&mut self, idx: usize) {
        self.lacking = Some(self.n_vanished());
        self.suspects.iter_mut().for_each(|suspect| suspect.step = Step::Over(idx));
    }
}

impl Suspect {
    pub(super) fn new(shrink: Shrink, known_by: usize) -> Suspect {
        Suspect { shrink, known_by, reached: shrink.start, step: Step::Back }
    }
}
