//! Where redirects and next links may lead: home and to what the spec allows, whatever they look like and whatever authenticates.

use super::http::{adapter, bearer, body, by_param, message, paging, secret, Bench, TOKEN};
use crate::support::{Reply, SeenRequest, Server};
use std::sync::{Arc, Mutex};
use unify::source::Paging;
use unify::spec::{AuthFields, AuthSpec};

/// TOKEN as BASIC authentication sends it, for user and password.
const IN_BASE64: &str = "czNjcjN0LXQwa2Vu";

/// Ways to name a place. `HOME` and `AWAY` stand for the ports of the API's host and of another one, and `127.0.0.1` is the host of both.
const AWAY: &[&str] = &[
    "http://127.0.0.1:AWAY/taken",
    "HTTP://127.0.0.1:AWAY/taken",
    "//127.0.0.1:AWAY/taken",
    "///127.0.0.1:AWAY/taken",
    "http:///127.0.0.1:AWAY/taken",
    "http:\\\\127.0.0.1:AWAY/taken",
    "/\\127.0.0.1:AWAY/taken",
    "\\\\127.0.0.1:AWAY\\taken",
    "http://127.0.0.1:HOME@127.0.0.1:AWAY/taken",
    "http://user:pass@127.0.0.1:AWAY/taken",
    "http://127.0.0.1%3AHOME@127.0.0.1:AWAY/taken",
    "http://127.0.0.1:AWAY#@127.0.0.1:HOME/taken",
    "http://127.0.0.1:AWAY?@127.0.0.1:HOME/taken",
    "http://127.0.0.1:AWAY\\@127.0.0.1:HOME/taken",
    "http://127.1:AWAY/taken",
    "http://2130706433:AWAY/taken",
    "http://0x7f.0.0.1:AWAY/taken",
    "http://0177.0.0.1:AWAY/taken",
    "http://127.0.0.1.:AWAY/taken",
    "http://localhost:AWAY/taken",
    "http://localhost:HOME/taken",
    "http://%31%32%37.0.0.1:AWAY/taken",
    "http://\u{ff11}27.0.0.1:AWAY/taken",
    "http://127.0.0.1:0AWAY/taken",
];
/// What leads nowhere that is asked.
const NOWHERE: &[&str] = &["ftp://127.0.0.1:AWAY/taken", "file:///etc/passwd", "data:application/json,[9]"];
/// What leads home.
const HOME: &[&str] = &["/moved", "moved", "?moved=1", "http://127.0.0.1:HOME/moved", "//127.0.0.1:HOME/moved", "./moved", "../moved"];

fn auths() -> [AuthSpec; 4] {
    let user = secret("bearer_token");
    let headers = AuthSpec::Headers(AuthFields::of_options(vec![("X-Key".to_string(), secret("bearer_token"))]));
    [bearer(), by_param(), headers, AuthSpec::Basic { username: user.clone(), password: user }]
}

/// How an answer leads on.
#[derive(Debug, Clone, Copy)]
enum Lead {
    Redirect(u16),
    LinkHeader,
    LinkInBody,
}

const LEADS: [Lead; 7] = [
    Lead::Redirect(301),
    Lead::Redirect(302),
    Lead::Redirect(303),
    Lead::Redirect(307),
    Lead::Redirect(308),
    Lead::LinkHeader,
    Lead::LinkInBody,
];

fn port_of(server: &Server) -> String {
    server.url().rsplit(':').next().unwrap_or_default().to_string()
}

fn carries_token(request: &SeenRequest) -> bool {
    let text = format!("{request:?}");
    text.contains(TOKEN) || text.contains(IN_BASE64)
}

/// An API that leads to a place, another host, and a client. What a place is called changes from load to load.
struct Leading {
    home: Server,
    other: Server,
    place: Arc<Mutex<String>>,
    bench: Bench,
    paging: Paging,
}

impl Leading {
    fn new(auth: AuthSpec, lead: Lead, is_allowed: bool) -> Leading {
        let other = Server::start(|_, _| Reply::json("{\"rows\": [9]}"));
        let place = Arc::new(Mutex::new(String::new()));
        let (asked_for, away) = (Arc::clone(&place), port_of(&other));
        let home = Server::start(move |request, _| {
            let own = request.header("host").and_then(|host| host.rsplit(':').next()).unwrap_or_default();
            let place = asked_for.lock().unwrap().replace("HOME", own).replace("AWAY", &away);
            match lead {
                _ if request.target.contains("moved") => Reply::json("{\"rows\": [2]}"),
                Lead::Redirect(status) => Reply::status(status, "[7]").header("Location", place),
                Lead::LinkHeader => Reply::json("{\"rows\": [1]}").header("Link", format!("<{place}>; rel=\"next\"")),
                Lead::LinkInBody => Reply::json(serde_json::json!({"rows": [1], "next": place}).to_string()),
            }
        });
        let mut spec = adapter(&home.url(), auth);
        if is_allowed {
            spec.allowed_hosts = vec![other.url()];
        }
        let paging = match lead {
            Lead::Redirect(_) => Paging::None,
            Lead::LinkHeader => paging("{strategy: linkHeader}"),
            Lead::LinkInBody => paging("{strategy: nextLink, pager_link_path: next}"),
        };
        Leading { home, other, place, bench: Bench::new(spec), paging }
    }

    /// Loads with an answer that leads to that place. Returns the rows and the requests that the API got.
    fn to(&self, place: &str) -> (unify::Result<Vec<i128>>, Vec<SeenRequest>) {
        *self.place.lock().unwrap() = place.to_string();
        let n_before = self.home.requests().len();
        (self.bench.load(&self.paging), self.home.requests().split_off(n_before))
    }
}

/// Calls `check` for each way to lead on and each way to authenticate.
fn for_all(is_allowed: bool, check: impl Fn(&Leading, &str)) {
    for lead in LEADS {
        for auth in auths() {
            let what = format!("{lead:?} {auth:?}");
            check(&Leading::new(auth, lead, is_allowed), &what);
        }
    }
}

#[test]
fn nothing_leads_credentials_or_rows_to_another_host() {
    for_all(false, |leading, what| {
        for place in AWAY.iter().chain(NOWHERE) {
            let (rows, at_home) = leading.to(place);
            assert!(rows.is_err(), "{what} {place}: {rows:?}");
            assert_eq!(leading.other.requests(), [], "{what} {place}");
            assert_eq!(at_home.len(), 1, "{what} {place}");
        }
    });
}

#[test]
fn what_leads_home_is_followed_with_the_credentials() {
    for_all(false, |leading, what| {
        for place in HOME {
            let (rows, at_home) = leading.to(place);
            assert_eq!(rows.unwrap().last(), Some(&2), "{what} {place}");
            assert!(at_home.len() == 2 && at_home.iter().all(carries_token), "{what} {place}: {at_home:?}");
        }
    });
}

#[test]
fn what_leads_to_an_allowed_host_is_followed_with_the_credentials() {
    for_all(true, |leading, what| {
        assert_eq!(leading.to(AWAY[0]).0.unwrap().last(), Some(&9), "{what}");
        let away = leading.other.requests();
        assert!(away.len() == 1 && away.iter().all(carries_token), "{what}: {away:?}");
    });
}

#[test]
fn the_error_names_the_other_host_and_the_key_to_write() {
    for (lead, said) in [(Lead::Redirect(302), "redirects to"), (Lead::LinkHeader, "the request would go to")] {
        let leading = Leading::new(bearer(), lead, false);
        let said = format!("{said} '{}', which is not the adapter's host; add it to 'allowed_hosts' in the spec", leading.other.url());
        let err = leading.to(AWAY[0]).0.unwrap_err();
        assert!(err.message().contains(&said), "{err}");
    }
}

#[test]
fn redirects_in_a_circle_are_an_error() {
    let server = Server::start(|_, _| Reply::status(302, "").header("Location", "/items"));
    let text = message(Bench::new(adapter(&server.url(), bearer())).get_one());
    assert!(text.contains("redirects more than 5 times"), "{text}");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_redirect_leads_to_the_answer() {
    let server = Server::start(|request, _| match request.target.starts_with("/items") {
        true => Reply::status(302, "").header("Location", "/moved?x=1"),
        false => Reply::json("[5]"),
    });
    assert_eq!(body(Bench::new(adapter(&server.url(), bearer())).get_one()), b"[5]");
}
