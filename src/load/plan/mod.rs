//! What a load asks the API for, and with what an unfinished one goes on.

pub(super) mod asked;
mod axis;
pub(super) mod far_ahead;
pub(super) mod fill;
pub(super) mod levels;
pub(super) mod named;
pub(super) mod overrides;
pub(super) mod param_value;
pub(super) mod parents;
pub(super) mod resume;
pub(super) mod scope;
pub(super) mod sets;
pub(super) mod spans;
pub(super) mod spec_query;
pub(super) mod updates;
pub(super) mod windows;
