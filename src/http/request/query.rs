//! The query string of a table's request: the params that no hole takes.

use super::Values;
use crate::spec::{Builtin, Connection, ManyForm, ParamValue, TableDef, Template};
use crate::Result;
use url::form_urlencoded::byte_serialize;
use url::Url;

/// Adds the params to a URL that no hole takes.
pub fn add_query(url: &mut Url, values: &Values<'_>, table_def: &TableDef) -> Result<()> {
    let taken = Taken::of(values.connection, table_def);
    let pager_params = values.page.query(|hole| !taken.names.contains(&hole));
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut raw: Vec<(&str, String)> = Vec::new();
    for (name, value) in &values.param_set.values {
        if values.page.is_alone || taken.has(name) || pager_params.iter().any(|(pager_name, _)| pager_name == name) {
            continue;
        }
        let is_raw = matches!(value, ParamValue::Raw(_)) || matches!(value, ParamValue::Template(template) if template.is_raw());
        pairs.retain(|(other, _)| other != name);
        raw.retain(|(other, _)| other != name);
        if let ParamValue::Many { values: many, form } = value {
            pairs.extend(many_pairs(name, many, *form));
            continue;
        }
        let Some(text) = values.text_of(value)? else { continue };
        if is_raw {
            raw.push((name, text))
        } else {
            pairs.push((name.clone(), text))
        }
    }
    pairs.extend(pager_params);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    for (name, text) in raw {
        let name: String = byte_serialize(name.as_bytes()).collect();
        let before = url.query().filter(|query| !query.is_empty()).map_or(String::new(), |query| format!("{query}&"));
        url.set_query(Some(&format!("{before}{name}={}", raw_of_query(&text))));
    }
    Ok(())
}

/// Adds what the spec writes for the query string of one request; what has no value is left out.
pub fn add_pairs(url: &mut Url, pairs: &[(String, Template)], values: &Values<'_>) -> Result<()> {
    for (name, template) in pairs {
        let text = template.text(values).map_err(|err| err.within(format!("param '{name}'")))?;
        if let Some(text) = text {
            url.query_pairs_mut().append_pair(name, &text);
        }
    }
    Ok(())
}

/// Returns the pairs that many values of a param make.
fn many_pairs(name: &str, values: &[ParamValue], form: ManyForm) -> Vec<(String, String)> {
    let texts = || values.iter().filter_map(ParamValue::to_text);
    match form {
        ManyForm::Comma => vec![(name.to_string(), texts().collect::<Vec<_>>().join(","))],
        ManyForm::Repeat => texts().map(|text| (name.to_string(), text)).collect(),
        ManyForm::Brackets => {
            let name = format!("{}[]", name.strip_suffix("[]").unwrap_or(name));
            texts().map(|text| (name.clone(), text)).collect()
        }
        ManyForm::Json => {
            ParamValue::Many { values: values.to_vec(), form }.to_text().map(|text| (name.to_string(), text)).into_iter().collect()
        }
    }
}

/// Returns a text as it stands in a query string without being encoded, but for what would end the param or the query.
fn raw_of_query(text: &str) -> String {
    text.replace('&', "%26").replace('#', "%23")
}

/// The names that holes of a table's requests take: they do not go to the query string.
struct Taken<'a> {
    /// Those of the URL, and of what is not an option elsewhere.
    names: Vec<&'a str>,
}

impl<'a> Taken<'a> {
    fn of(connection: &'a Connection, table_def: &'a TableDef) -> Taken<'a> {
        let mut names: Vec<&str> = table_def.base_url(&connection.adapter).names().chain(table_def.path.names()).collect();
        let refresh_params = table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
        let of_params = table_def.params.iter().chain(refresh_params).flat_map(|param_def| param_def.values.templates());
        let of_window = table_def.window_templates();
        let elsewhere = table_def.request_templates().into_iter().chain(of_params).chain(of_window).flat_map(Template::names);
        // An option of a param's name fills the hole as well: then the param is one of its own.
        names.extend(elsewhere.filter(|name| connection.adapter.option(name).is_none()));
        Taken { names }
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&name) && Builtin::named(name) != Some(Builtin::Page)
    }
}
