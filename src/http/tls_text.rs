//! What the TLS library says about a server, in words.

/// Returns in words what the TLS library says about a server; `None` for anything else.
pub fn tls_text(text: &str) -> Option<&'static str> {
    let says = |word: &str| text.contains(word);
    let is_certificate = says("certificate");
    match () {
        () if is_certificate && (says("UnknownIssuer") || says("CaUsedAsEndEntity") || says("self-signed")) => Some(
            "this machine does not trust the authority that signed the certificate; name the authority's certificate in option 'ca_certificate', or a file of authorities in SSL_CERT_FILE",
        ),
        () if is_certificate && (says("NotValidYet") || says("not valid yet")) => Some("the certificate is not valid yet; is the clock right?"),
        () if is_certificate && (says("Expired") || says("expired")) => Some("the certificate has expired; is the clock right?"),
        () if is_certificate && (says("NotValidForName") || says("not valid for")) => Some("the certificate is one of another host"),
        () if is_certificate && says("Revoked") => Some("the certificate was revoked"),
        () if says("InvalidContentType") || says("InvalidMessage") || says("corrupt message") => {
            Some("the server does not speak TLS there; is its address http:// or another port?")
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_errors_are_told_in_words() {
        let check = |text: &str, expected: &str| assert!(tls_text(text).is_some_and(|words| words.contains(expected)), "{text}");
        check(
            "invalid peer certificate: UnknownIssuer",
            "does not trust the authority that signed the certificate; name the authority's certificate in option 'ca_certificate'",
        );
        check("invalid peer certificate: certificate expired: verification time 1", "has expired");
        check("invalid peer certificate: NotValidForName", "another host");
        check("invalid peer certificate: certificate not valid for name \"x\"", "another host");
        check("received corrupt message of type InvalidContentType", "does not speak TLS");
        assert_eq!(tls_text("connection reset by peer"), None);
        assert_eq!(tls_text("the file has expired"), None);
    }
}
