//! How a connection's servers are reached: the authorities it trusts, the certificate by which it shows itself, its proxy.

use crate::files::read_text;
use crate::spec::{network, Connection, Secret};
use crate::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// What a connection's options say about its servers, read.
#[derive(Default)]
pub struct Network {
    /// Authorities that are trusted besides the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The certificates and the key by which the connection shows itself.
    pub identity: Option<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>)>,
    pub proxy: Proxy,
}

/// Which proxy is asked.
#[derive(Default, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// The one that the environment names, for other machines than this one.
    #[default]
    OfEnvironment,
    None,
    /// This one, for all servers.
    At(Url),
}

impl Network {
    /// Reads a connection's options, and the files they name. Fails, naming the option.
    pub fn of(connection: &Connection) -> Result<Network> {
        let option = |name: &str| connection.option(name).filter(|value| !value.expose().is_empty());
        let within = |name: &'static str| move |err: Error| err.within(format!("option '{name}'"));
        let authorities = option(network::CA_CERTIFICATE).map(certificates).transpose().map_err(within(network::CA_CERTIFICATE))?;
        let own = option(network::CLIENT_CERTIFICATE).map(certificates).transpose().map_err(within(network::CLIENT_CERTIFICATE))?;
        let key = match (option(network::CLIENT_KEY), option(network::CLIENT_CERTIFICATE)) {
            // One file has both.
            (None, Some(both)) => Some(private_key(both).map_err(|_| {
                let name = network::CLIENT_KEY;
                Error::config(format!("option '{name}' is missing: '{}' has no private key", network::CLIENT_CERTIFICATE))
            })?),
            (Some(_), None) => {
                return Err(Error::config(format!("option '{}' is given without '{}'", network::CLIENT_KEY, network::CLIENT_CERTIFICATE)))
            }
            (key, _) => key.map(private_key).transpose().map_err(within(network::CLIENT_KEY))?,
        };
        let proxy = option(network::PROXY).map(|value| proxy_of(value.expose())).transpose().map_err(within(network::PROXY))?;
        Ok(Network { authorities: authorities.unwrap_or_default(), identity: own.zip(key.map(Arc::new)), proxy: proxy.unwrap_or_default() })
    }
}

/// Returns PEM as it is given, or that of the file it names.
fn pem_of(value: &Secret) -> Result<String> {
    match value.expose().contains("-----BEGIN") {
        true => Ok(value.expose().to_string()),
        false => read_text(Path::new(value.expose().trim()), "file").map_err(|err| err.within("neither PEM nor a file")),
    }
}

fn certificates(value: &Secret) -> Result<Vec<CertificateDer<'static>>> {
    let pem = pem_of(value)?;
    let found: std::result::Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::config("no certificate in it; expected PEM, with '-----BEGIN CERTIFICATE-----'")),
    }
}

fn private_key(value: &Secret) -> Result<PrivateKeyDer<'static>> {
    let pem = pem_of(value)?;
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| match pem.contains("ENCRYPTED") {
        true => Error::config("the private key is encrypted; expected one without a passphrase, as 'openssl pkey' writes it"),
        false => Error::config("no private key in it; expected PEM, with '-----BEGIN PRIVATE KEY-----'"),
    })
}

fn proxy_of(text: &str) -> Result<Proxy> {
    if text.trim().eq_ignore_ascii_case("none") {
        return Ok(Proxy::None);
    }
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(Proxy::At).ok_or_else(|| Error::config("it is not a proxy; expected http://host:port, https://host:port or none"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic, connection};
    use super::*;

    fn check_error(options: &[(&str, &str)], expected: &str) {
        let err = Network::of(&connection(adapter(basic()), options)).err().map(|err| err.to_string());
        assert!(err.as_deref().is_some_and(|err| err.contains(expected)), "{options:?}: {err:?}");
    }

    #[test]
    fn what_is_wrong_is_told_by_option() {
        check_error(
            &[("ca_certificate", "/nowhere.pem")],
            "option 'ca_certificate': neither PEM nor a file: file '/nowhere.pem' cannot be read",
        );
        check_error(&[("ca_certificate", "-----BEGIN X-----")], "option 'ca_certificate': no certificate in it");
        check_error(&[("client_key", "-----BEGIN X-----")], "option 'client_key' is given without 'client_certificate'");
        check_error(&[("proxy", "s3cr3t:1")], "option 'proxy': it is not a proxy; expected http://host:port");
        check_error(&[("proxy", "socks5://a:1")], "option 'proxy': it is not a proxy");
    }

    #[test]
    fn a_proxy_is_one_of_the_environment_none_or_named() {
        let proxy = |options: &[(&str, &str)]| Network::of(&connection(adapter(basic()), options)).unwrap().proxy;
        assert!(proxy(&[]) == Proxy::OfEnvironment && proxy(&[("proxy", "")]) == Proxy::OfEnvironment);
        assert!(proxy(&[("proxy", "None")]) == Proxy::None);
        assert!(proxy(&[("proxy", "http://u:p@a:3128")]) == Proxy::At(Url::parse("http://u:p@a:3128").unwrap()));
    }
}
