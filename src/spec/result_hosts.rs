//! The hosts of an API, and those that files with results may be on, which are asked without credentials.

use crate::{Error, Result};
use std::net::IpAddr;
use url::{Host, Url};

/// Hosts that a spec names, each whole or with `*.` before the part that all of them have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultHosts {
    hosts: Vec<String>,
}

impl ResultHosts {
    /// Adds a host. Fails on what is not one.
    pub fn add(&mut self, host: &str) -> Result<()> {
        let rest = host.strip_prefix("*.").unwrap_or(host);
        let (name, port) = rest.split_once(':').map_or((rest, None), |(name, port)| (name, Some(port)));
        let is_name = |name: &str| !name.is_empty() && name.split('.').all(is_label);
        let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
        // All of a top-level domain is nobody's host.
        let is_narrow = rest.len() == host.len() || name.contains('.');
        if !is_name(name) || !has_port || !is_narrow {
            return Err(Error::config(format!("'{host}' is not a host; expected one such as 'files.example.com' or '*.s3.amazonaws.com'")));
        }
        self.hosts.push(host.to_ascii_lowercase());
        Ok(())
    }

    /// Returns whether a file may be at an address: https, or on this machine. Without a port in the spec it is that of https, and any on
    /// this machine.
    pub fn have(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().map(str::to_ascii_lowercase) else { return false };
        let is_here = is_loopback(url);
        if url.scheme() != "https" && !(is_here && url.scheme() == "http") {
            return false;
        }
        self.hosts.iter().any(|own| {
            let (name, port) = own.rsplit_once(':').map_or((own.as_str(), None), |(name, port)| (name, port.parse::<u16>().ok()));
            let is_host = match name.strip_prefix('*') {
                Some(rest) => host.ends_with(rest) && host.len() > rest.len(),
                None => host == name,
            };
            is_host && port.map_or(is_here || url.port().is_none(), |port| url.port_or_known_default() == Some(port))
        })
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> ResultHosts {
        let mut hosts = ResultHosts::default();
        names.iter().for_each(|name| hosts.add(name).unwrap());
        hosts
    }

    #[test]
    fn files_are_on_the_hosts_that_are_named() {
        let own = hosts(&["files.example.com", "*.s3.amazonaws.com", "blob.example.com:8443", "127.0.0.1"]);
        for url in [
            "https://files.example.com/a?sig=1",
            "https://FILES.example.com:443/a",
            "https://bucket.s3.amazonaws.com/a",
            "https://a.b.s3.amazonaws.com/a",
            "https://blob.example.com:8443/a",
            "http://127.0.0.1:1234/a",
        ] {
            assert!(own.have(&Url::parse(url).unwrap()), "{url}");
        }
        for url in [
            "http://files.example.com/a",
            "https://files.example.com:8443/a",
            "https://xfiles.example.com/a",
            "https://a.files.example.com/a",
            "https://s3.amazonaws.com/a",
            "https://.s3.amazonaws.com.evil.test/a",
            "https://evils3.amazonaws.com/a",
            "https://blob.example.com/a",
            "http://localhost:1234/a",
            "file:///etc/passwd",
            "ftp://files.example.com/a",
        ] {
            assert!(!own.have(&Url::parse(url).unwrap()), "{url}");
        }
    }

    #[test]
    fn what_is_not_a_host_is_a_mistake() {
        for host in ["", "*", "*.", "*.com", "https://a.com", "a b.com", "a.com/x", "*a.com", "a.*.com", "a.com:x", "user@a.com"] {
            assert!(ResultHosts::default().add(host).is_err(), "{host}");
        }
    }
}
