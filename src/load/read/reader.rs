//! What reads from APIs: it has what loads have besides, and knows of none.

use crate::load::services::Services;
use std::sync::Arc;

/// Reads from APIs and stores nothing.
pub struct Reader {
    pub(in crate::load) services: Arc<Services>,
}

impl Reader {
    pub(in crate::load) fn new(services: Arc<Services>) -> Reader {
        Reader { services }
    }
}
