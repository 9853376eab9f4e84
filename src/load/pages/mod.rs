//! Pages between those who fetch them and those who take them: what they are, and the memory they have.

pub(super) mod budget;
pub(super) mod fetched;
pub(super) mod read_ahead;
