//! TLS for servers of other protocols than HTTP.

use super::network::Network;
use super::transport;
use crate::spec::Connection;
use crate::{Error, Result};

/// Returns how the servers of a connection are verified, and how it shows itself: as those of an API over HTTP. Fails where nobody can be
/// verified.
pub fn tls_config(connection: &Connection) -> Result<rustls::ClientConfig> {
    match transport::tls_config(&Network::of(connection)?)? {
        (config, None) => Ok(config),
        (_, Some(reason)) => Err(Error::api(reason)),
    }
}
