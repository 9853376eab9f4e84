//! Which adapters and connections there are.

/// The adapters and connections of one database instance.
pub struct Catalog {}
