//! Chooses what is imported of an API description, and has it written as an adapter spec.

use super::alternative::Alternative;
use super::auth::alternatives;
use super::document::Description;
use super::names::{reserved, unique};
use super::server::{server_of, Server};
use super::spec_text::SpecText;
use super::tables::{tables_of, Table};
use crate::spec::AdapterSpec;
use crate::yaml::nearest;
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};

/// Most tables of one spec.
const MOST_TABLES: usize = 2000;

/// A spec that was written.
pub struct Imported {
    pub yaml: String,
    pub n_tables: usize,
}

/// Writes a spec with a table for each list operation that one of the patterns matches, by its path or the table's name; all without
/// patterns. Fails when there is none, and when the description cannot be looked through.
pub fn import(description: &Description, include: &[String]) -> Result<Imported> {
    let operations = description.operations();
    // The names of its options do not depend on the address.
    let auth = alternatives(description, &operations, "https://host");
    let taken: Vec<&str> = auth.iter().flat_map(|way| &way.options).map(String::as_str).chain(reserved()).collect();
    let server = server_of(description, &operations, &taken);
    let auth = alternatives(description, &operations, &server.base_url);
    let (mut tables, n_others) = tables_of(description, &operations, &server);
    description.check_steps()?;
    let n_lists = tables.len();
    let within = |message: String| Error::config(format!("file '{}': {message}", description.file()));
    if n_lists == 0 {
        return Err(within(match operations.len() {
            0 => "it has no GET request, so there is nothing to make a table of".to_string(),
            n => format!("none of its {n} GET requests answers a list of records, by its schema, so there is nothing to make a table of"),
        }));
    }
    let chosen = chosen(&tables, include).map_err(within)?;
    if chosen.len() > MOST_TABLES {
        return Err(within(format!(
            "it has {} list requests; a spec has at most {MOST_TABLES} tables: choose some by 'include'",
            chosen.len()
        )));
    }
    rename_holes(&mut tables, &auth, &server);
    let text = SpecText { description, tables: &tables, chosen: &chosen, auth: &auth, server: &server, counts: (n_lists, n_others) };
    let yaml = text.spec();
    AdapterSpec::parse(description.file(), &yaml)
        .map_err(|err| Error::internal(format!("the spec written from '{}' has mistakes: {err}", description.file())))?;
    Ok(Imported { yaml, n_tables: chosen.len() })
}

/// Returns the indexes of the tables that patterns match, and of those that they need to load.
fn chosen(tables: &[Table<'_>], include: &[String]) -> std::result::Result<BTreeSet<usize>, String> {
    if include.is_empty() {
        return Ok((0..tables.len()).collect());
    }
    let mut chosen = BTreeSet::new();
    for pattern in include {
        let found: Vec<usize> =
            (0..tables.len()).filter(|idx| fits(pattern, tables[*idx].path) || fits(pattern, &tables[*idx].name)).collect();
        if found.is_empty() {
            let names = tables.iter().map(|table| table.name.as_str());
            let hint = nearest(pattern, names).map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            return Err(format!("no list request has the path or name '{pattern}'{hint}"));
        }
        chosen.extend(found);
    }
    let mut queue: Vec<usize> = chosen.iter().copied().collect();
    while let Some(idx) = queue.pop() {
        if let Some(parent) = &tables[idx].parent {
            if chosen.insert(parent.table) {
                queue.push(parent.table);
            }
        }
    }
    Ok(chosen)
}

/// Returns whether a text is like a pattern, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Gives placeholders and options names that neither an option that authenticates has, nor one of the address, nor Unify itself.
fn rename_holes(tables: &mut [Table<'_>], auth: &[Alternative], server: &Server) {
    let taken: BTreeSet<&str> = auth
        .iter()
        .flat_map(|way| &way.options)
        .map(String::as_str)
        .chain(reserved())
        .chain(server.variables.iter().map(|variable| variable.name.as_str()))
        .collect();
    let mut renamed: Vec<HashMap<String, String>> = Vec::new();
    for table in tables {
        let mut names: HashMap<String, String> = HashMap::new();
        let others: Vec<String> = table.holes.iter().map(|hole| hole.name.clone()).collect();
        for hole in &mut table.holes {
            if taken.contains(hole.name.as_str()) {
                let name = unique(&format!("path_{}", hole.name), |name| others.iter().any(|other| other == name));
                table.each.iter_mut().filter(|each| each.name == hole.name).for_each(|each| each.name = name.clone());
                names.insert(std::mem::replace(&mut hole.name, name.clone()), name);
            }
        }
        for sent in table.params.iter_mut().chain(&mut table.headers).filter(|sent| taken.contains(sent.option.as_str())) {
            sent.option = format!("param_{}", sent.option);
        }
        for each in table.each.iter_mut().filter(|each| taken.contains(each.option.as_str())) {
            each.option = format!("param_{}", each.option);
        }
        if let Some(parent) = &mut table.parent {
            for (hole, column) in &mut parent.columns {
                let new_name = |name: &String, names: &HashMap<String, String>| names.get(name).cloned();
                *hole = new_name(hole, &names).unwrap_or_else(|| hole.clone());
                *column = renamed.get(parent.table).and_then(|names| new_name(column, names)).unwrap_or_else(|| column.clone());
            }
        }
        renamed.push(names);
    }
}
