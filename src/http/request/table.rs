//! The request for one page of a table.

use super::query::{add_pairs, add_query};
use super::urls::check_path;
use super::values::segment;
use super::{ParamSet, Values};
use crate::http::body::body_of;
use crate::http::message::Request;
use crate::source::{PageKey, PageValues};
use crate::spec::{Connection, JobDef, NoRows, RequestDef, TableDef, Template};
use crate::{Error, Result};
use url::Url;

/// Builds the request for the page `key` of a table. Params fill holes; those that no hole takes go to the query string, nulls left out. The
/// pager's params replace those of the same name. Fails when a hole of the URL has no value or its value cannot be a path segment.
pub fn request_of(connection: &Connection, table_def: &TableDef, param_set: &ParamSet, key: &PageKey) -> Result<Request> {
    let page = table_def.paging.values_of(key);
    let values = Values { connection, param_set, page: &page };
    let headers = values.headers(table_def.answer.body.accept(), &connection.adapter.headers, &table_def.headers, &values)?;
    let base = values.url(&connection.adapter.base_url, &Template::default())?;
    // Counted pages have one request for all.
    let first = table_def.request.first.as_ref().filter(|_| !key.is_announced());
    let RequestDef { method, body, .. } = &table_def.request;
    let (path, method, body) = match first {
        Some(first) => (&first.path, first.method, &first.body),
        None => (&table_def.path, *method, body),
    };
    let bodied = |url: Url, mut headers: Vec<(String, String)>| -> Result<Request> {
        let body = body_of(body, &values, &NoRows).map_err(|err| err.within("the body"))?;
        let text = body.map(|body| body.told_in(&mut headers));
        let (has_secrets, is_safe) = (sends_secrets(connection, table_def), table_def.request.may_repeat());
        let throttle = table_def.throttle.clone();
        let request = Request::get(url, base.clone(), headers);
        Ok(Request { method, body: text, has_secrets, is_safe, throttle, ..request })
    };
    if let (PageKey::Link(link), Some(JobDef { urls: Some(_), .. })) = (key, table_def.job.as_deref()) {
        return request_of_file(connection, table_def, link, base, headers);
    }
    if let PageKey::Link(link) = key {
        let url = Url::parse(link).map_err(|err| Error::api(format!("the API's link to the next page is not a URL: {err}")))?;
        let url = if table_def.paging.rebases() {
            rebased(&values.url(table_def.base_url(&connection.adapter), &Template::default())?, &url)
        } else {
            url
        };
        return bodied(url, headers);
    }
    let mut url = values.url(table_def.base_url(&connection.adapter), path)?;
    match &table_def.job {
        Some(job) => {
            add_pairs(&mut url, &job.params, &values)?;
            let set = ParamSet { load: param_set.load.clone(), ..ParamSet::default() };
            add_query(&mut url, &Values { param_set: &set, ..values }, table_def)?;
        }
        None => add_query(&mut url, &values, table_def)?,
    }
    bodied(url, headers)
}

/// Returns the request for a file that a job made. One that is not on a host of the API gets no credentials, and none of the spec's headers.
fn request_of_file(
    connection: &Connection,
    table_def: &TableDef,
    link: &str,
    base: Url,
    headers: Vec<(String, String)>,
) -> Result<Request> {
    // Some addresses have no host.
    let url = base.join(link).map_err(|err| Error::api(format!("the address of a file with results is not a URL: {err}")))?;
    let is_anonymous = !(url.origin() == base.origin() || connection.adapter.allows_origin(&url));
    let own = |(name, _): &(String, String)| !is_anonymous || name.eq_ignore_ascii_case("accept");
    let headers = headers.into_iter().filter(own).collect();
    let (has_secrets, throttle) = (!is_anonymous && sends_secrets(connection, table_def), table_def.throttle.clone());
    Ok(Request { has_secrets, is_anonymous, throttle, ..Request::get(url, base, headers) })
}

/// Returns the URL of a link's path and query below a base URL, of whose path the link may have a part.
fn rebased(base: &Url, link: &Url) -> Url {
    let (own, path) = (base.path().trim_end_matches('/'), link.path());
    let is_below = path.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'));
    let mut url = base.clone();
    url.set_path(&if is_below { path.to_string() } else { format!("{own}{path}") });
    url.set_query(link.query());
    url
}

/// Returns whether a secret option stands in a table's requests.
pub(super) fn sends_secrets(connection: &Connection, table_def: &TableDef) -> bool {
    let refresh_params = table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
    let of_params = table_def.params.iter().chain(refresh_params).flat_map(|param_def| param_def.values.templates());
    let names = table_def.request_templates().into_iter().chain(of_params).flat_map(Template::names);
    let is_secret = |name: &str| connection.adapter.option(name).is_some_and(|option| option.secret) && connection.option(name).is_some();
    names.into_iter().any(is_secret)
}

/// Returns why no URL of the table can hold the values of a set; `None` when one can, or when something else is wrong with it.
pub fn unusable_value(connection: &Connection, table_def: &TableDef, param_set: &ParamSet) -> Option<Error> {
    let page = PageValues::default();
    let values = Values { connection, param_set, page: &page };
    let mut has_hole = false;
    let base_url = table_def.base_url(&connection.adapter);
    for hole in base_url.holes().chain(table_def.path.holes()) {
        if param_set.value(&hole.name).is_none() || base_url.host_holes().contains(&hole.name.as_str()) {
            continue;
        }
        let Some(text) = hole.fill(&values).ok().flatten().and_then(|value| value.to_text(&param_set.load.format).ok().flatten()) else {
            continue;
        };
        if let Err(err) = segment(hole, &text) {
            return Some(err);
        }
        has_hole = true;
    }
    // Around a hole there may be dots.
    let path = if has_hole { values.filled(&table_def.path, &values).ok()? } else { return None };
    check_path(&path).err()
}
