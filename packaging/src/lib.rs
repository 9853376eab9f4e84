//! Build tools of Unify: the metadata footer a loadable extension ends with, and the check of its dependencies' licences.

pub mod footer;
pub mod licences;
pub mod metadata;
