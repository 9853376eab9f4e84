//! Pages, and what leads from one to the next.

use super::*;

#[test]
fn relative_links_are_followed_without_credentials_the_api_repeats() {
    let server = Server::start(|request, _| match request.param("page") {
        None => Reply::json("[1]").header("Link", format!("</items?page=2&api_key={TOKEN}>; rel=next")),
        Some("2") => Reply::json("[2]").header("Link", "<?page=3>; rel=\"next\""),
        _ => Reply::json("[3]"),
    });
    let bench = Bench::new(adapter(&server.url(), by_param()));
    assert_eq!(bench.load(&paging("{strategy: linkHeader}")).unwrap(), [1, 2, 3]);
    assert_eq!(server.requests()[1].target, format!("/items?page=2&api_key={TOKEN}"));
}

#[test]
fn links_in_the_body_are_followed() {
    let server = Server::start(|request, _| match request.param("p") {
        None => Reply::json("{\"rows\": [1], \"next\": \"items?p=2\"}"),
        Some("2") => Reply::json("{\"rows\": [2], \"next\": \"/items?p=3\"}"),
        _ => Reply::json("{\"rows\": [3], \"next\": null}"),
    });
    let paging = paging("{strategy: nextLink, pager_link_path: next}");
    assert_eq!(Bench::new(adapter(&server.url(), bearer())).load(&paging).unwrap(), [1, 2, 3]);
}

#[test]
fn a_next_page_that_cannot_be_read_is_an_error() {
    let check = |paging: &Paging, header: &'static str, next: &'static str, expected: std::result::Result<&[i128], &str>| {
        let server = Server::start(move |request, _| match request.param("p") {
            None => Reply::json(format!("{{\"rows\": [1], \"next\": {next}}}")).header("Link", header.to_string()),
            _ => Reply::json("{\"rows\": [2]}"),
        });
        match (Bench::new(adapter(&server.url(), bearer())).load(paging), expected) {
            (Ok(rows), Ok(expected)) => assert_eq!(rows, expected, "{next} {header}"),
            (Err(err), Err(expected)) => assert!(err.to_string().contains(expected), "{next} {header}: {err}"),
            (found, _) => panic!("{next} {header}: {found:?}"),
        }
    };
    let links = paging("{strategy: nextLink, pager_link_path: next}");
    let tokens = paging("{strategy: pagerToken, token_param: p, pager_token_path: next}");
    for end in ["null", "\"\"", "false"] {
        check(&links, "", end, Ok(&[1]));
        check(&tokens, "", end, Ok(&[1]));
    }
    check(&links, "", "\" \"", Ok(&[1]));
    check(&links, "", "\"?p=2\"", Ok(&[1, 2]));
    check(&tokens, "", "2", Ok(&[1, 2]));
    check(&links, "", "\"http://127.0.0.1:99999/x\"", Err("link at 'next' is not a URL ('http://127.0.0.1:99999/x'): invalid port number"));
    check(&links, "", "{\"href\": \"/x\"}", Err("link at 'next' is an object; expected a text; check 'pager_link_path'"));
    check(&links, "", "[\"/x\"]", Err("link at 'next' is a list"));
    check(&links, "", "true", Err("link at 'next' is a boolean"));
    check(&links, "", "7", Err("link at 'next' is a number"));
    check(&tokens, "", "{\"cursor\": 1}", Err("token at 'next' is an object; expected a text or a number; check 'pager_token_path'"));
    check(&tokens, "", "true", Err("token at 'next' is a boolean"));
    let header = paging("{strategy: linkHeader}");
    check(&header, "<?p=2>; rel=next", "null", Ok(&[1, 2]));
    check(&header, "<?p=2>; rel=prev", "null", Ok(&[1]));
    check(&header, "<http://127.0.0.1:99999/x>; rel=prev", "null", Ok(&[1]));
    for wrong in ["<http://127.0.0.1:99999/x>; rel=\"next\"", "<http://[bad>; rel=next", "/x?p=2; rel=next"] {
        check(&header, wrong, "null", Err("the 'Link' header names a next page that is not a URL ('"));
    }
}

fn numbered(total: &str) -> Paging {
    paging(&format!("{{strategy: pageAndCount, page_param: page, count_param: n, page_size: 2, first_page: 0{total}}}"))
}

/// Returns page `page` (from 0) of the numbers below `end`, two a page.
fn page_of(page: u64, end: u64) -> String {
    let rows: Vec<String> = (page * 2..(page * 2 + 2).min(end)).map(|row| row.to_string()).collect();
    format!("[{}]", rows.join(","))
}

#[test]
fn numbered_pages_start_where_the_spec_says() {
    let server = Server::start(|request, _| Reply::json(page_of(request.param("page").unwrap().parse().unwrap(), 5)));
    assert_eq!(Bench::new(adapter(&server.url(), bearer())).load(&numbered("")).unwrap(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_total_saves_the_request_after_a_full_last_page() {
    let server =
        Server::start(|request, _| Reply::json(page_of(request.param("page").unwrap().parse().unwrap(), 4)).header("X-Total", "4"));
    let paging = numbered(", total_header: x-total");
    assert_eq!(Bench::new(adapter(&server.url(), bearer())).load(&paging).unwrap(), [0, 1, 2, 3]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_error_is_never_the_end_of_the_data() {
    let server = Server::start(|request, _| match request.param("page") {
        Some("2") => Reply::status(500, "boom"),
        page => Reply::json(page_of(page.unwrap().parse().unwrap(), 100)),
    });
    let text = Bench::new(adapter(&server.url(), bearer())).load(&numbered("")).unwrap_err().to_string();
    assert!(text.contains("page=2&n=2 returned 500 (Internal Server Error): boom"), "{text}");
}

#[test]
fn tokens_end_where_the_api_says() {
    let server = Server::start(|request, _| match request.param("after") {
        None => Reply::json("{\"rows\": [1, 2], \"more\": true}"),
        Some("2") => Reply::json("{\"rows\": [3], \"more\": true}"),
        _ => Reply::json("{\"rows\": [4], \"more\": false}"),
    });
    let paging = paging("{strategy: pagerToken, token_param: after, pager_token_path: 'rows[-1:]', has_more_path: more}");
    assert_eq!(Bench::new(adapter(&server.url(), bearer())).load(&paging).unwrap(), [1, 2, 3, 4]);
}
