//! From requests to typed pages, in order and within a bounded memory.

mod addresses;
mod answered;
mod conversion;
pub(super) mod convert;
pub(super) mod export;
pub(super) mod fetch;
mod fetch_parts;
pub(super) mod in_order;
mod manner;
pub(super) mod parts;
mod record;
pub(super) mod record_shape;
mod remarks;
mod requests;
pub(super) mod shifts;
mod too_much;
mod trace;
