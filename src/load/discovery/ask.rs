//! The requests of a discovery: objects first, then the fields of all of them, side by side as far as the connection's limits allow.

use super::json::{matches, text_of, value_at};
use crate::columns::{Batch, ColumnData, ColumnSource};
use crate::document::{read_json, JsonMap, JsonValue};
use crate::load::job::report::LoadAction;
use crate::load::loader::Loader;
use crate::load::read::stream::Streamed;
use crate::load::target::TableTarget;
use crate::session::Settings;
use crate::spec::{
    AdapterSpec, Connection, Discover, FieldsDef, FieldsSource, Found, FoundField, FoundObject, ObjectsDef, ParamDef, ParamValue,
    ParamValues, TableDef, OBJECT_HOLE,
};
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most objects of a connection: each is a table.
const MOST_OBJECTS: usize = 5_000;
/// Most fields of an object ...
const MOST_FIELDS: usize = 10_000;
/// ... and of all objects of a connection.
const MOST_FIELDS_IN_ALL: usize = 500_000;
/// The longest name of a field, in bytes.
const LONGEST_NAME: usize = 1_000;
/// The longest value of an object that is kept, in bytes.
const LONGEST_VALUE: usize = 4 << 20;
/// How often the wait asks whether it was interrupted.
const POLL: Duration = Duration::from_millis(20);

/// Who discovers, for whom.
pub struct Asking<'a> {
    pub loader: &'a Loader,
    pub connection: &'a Arc<Connection>,
    pub catalog: &'a str,
    pub settings: &'a Settings,
    pub interrupted: &'a dyn Fn() -> bool,
}

/// The values of a row, in the order in which they were asked for; `None` for null.
type Row = Vec<Option<JsonValue>>;

impl Asking<'_> {
    /// Asks for all there is.
    pub fn found(&self) -> Result<Found> {
        let mut found = Found::default();
        for discover in &self.connection.adapter.discover {
            let objects = self.objects_of(discover)?;
            found.objects.push(objects);
            let n_objects: usize = found.objects.iter().map(Vec::len).sum();
            let n_fields: usize = found.objects.iter().flatten().map(|object| object.fields.len()).sum();
            check_count(n_objects, MOST_OBJECTS, "objects")?;
            check_count(n_fields, MOST_FIELDS_IN_ALL, "fields")?;
        }
        Ok(found)
    }

    fn objects_of(&self, discover: &Discover) -> Result<Vec<FoundObject>> {
        let mut objects = match &discover.objects {
            Some(objects) => self.objects(objects)?,
            None => vec![FoundObject::default()],
        };
        match discover.fields.as_ref().map(|fields| (fields, &fields.source)) {
            None => {}
            Some((fields, FieldsSource::Request(request))) => self.add_fields(request, fields, &mut objects)?,
            Some((fields, FieldsSource::Within { path, skip_when })) => {
                let key = path.join(".");
                let is_taken = discover.table.hole_names().contains(&format!("{OBJECT_HOLE}{key}").as_str());
                for object in &mut objects {
                    let value = object.values.get(&key).cloned().unwrap_or(JsonValue::Null);
                    if !is_taken {
                        object.values.remove(&key);
                    }
                    let entries = entries_of(&value).into_iter();
                    let entries = entries.filter(|(_, entry)| !skip_when.as_ref().is_some_and(|condition| matches(condition, entry)));
                    for (key, entry) in entries {
                        let found = fields.found_in(key, entry);
                        add_field(object, found)?;
                    }
                }
            }
        }
        for object in &mut objects {
            let mut names = HashSet::new();
            object.fields.retain(|field| names.insert(field.name.clone()));
        }
        Ok(objects)
    }

    fn objects(&self, objects: &ObjectsDef) -> Result<Vec<FoundObject>> {
        let params = &objects.request.copy_params_to_output;
        let source_of = |value: &String| match params.contains(value) {
            true => ColumnSource::Param(value.clone()),
            false => ColumnSource::Record(value.split('.').map(str::to_string).collect()),
        };
        let sources: Vec<ColumnSource> = objects.values.iter().map(source_of).collect();
        let mut found: Vec<FoundObject> = Vec::new();
        self.rows(objects.request.clone(), &sources, |row| {
            let values: JsonMap<String, JsonValue> =
                objects.values.iter().cloned().zip(row).filter_map(|(name, value)| Some((name, value?))).collect();
            // One that comes again, because pages moved, is one.
            let object = FoundObject { values, fields: Vec::new() };
            found.push(object);
            check_count(found.len(), MOST_OBJECTS, "objects")
        })?;
        let mut seen = HashSet::new();
        found.retain(|object| seen.insert(object.values_text()));
        Ok(found)
    }

    /// Asks for the fields of all objects. The request is made for each, or once where it takes nothing of them.
    fn add_fields(&self, request: &TableDef, fields: &FieldsDef, objects: &mut [FoundObject]) -> Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let names = &request.copy_params_to_output;
        let mut by_values: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
        let mut elements: Vec<Vec<ParamValue>> = Vec::new();
        for (idx, object) in objects.iter().enumerate() {
            let values: Vec<ParamValue> = names.iter().map(|name| param_of(object, name)).collect::<Result<_>>()?;
            let key = values.iter().map(|value| value.to_text().unwrap_or_default()).collect();
            let known = by_values.entry(key).or_default();
            if known.is_empty() {
                elements.push(values);
            }
            known.push(idx);
        }
        let mut request = request.clone();
        if !names.is_empty() {
            request.params.retain(|param_def| !param_def.names.iter().any(|name| names.contains(name)));
            request.params.push(ParamDef::new(names.clone(), ParamValues::Each(of_one_kind(elements))));
        }
        let paths = [Some(&fields.name), Some(&fields.type_path), Some(&fields.description)];
        let params = names.iter().cloned().map(ColumnSource::Param);
        let of_fields = paths.into_iter().flatten().map(|path| ColumnSource::Record(path.clone().unwrap_or_default()));
        let sources: Vec<ColumnSource> = params.chain(of_fields).collect();
        self.rows(request, &sources, |row| {
            let (key, of_field) = row.split_at(names.len());
            let key: Vec<String> = key.iter().map(|value| value.as_ref().and_then(text_of).unwrap_or_default()).collect();
            let text = |idx: usize| of_field.get(idx).and_then(Option::as_ref).and_then(text_of);
            let field = FoundField { name: text(0).unwrap_or_default(), field_type: text(1), description: text(2) };
            for idx in by_values.get(&key).map_or(&[][..], Vec::as_slice) {
                add_field(&mut objects[*idx], field.clone())?;
            }
            Ok(())
        })
    }

    /// Loads the tables that the params of a request query, where they are missing, and waits.
    fn load_parents(&self, request: &TableDef) -> Result<()> {
        for parent in request.parents() {
            let (connection, catalog) = (Arc::clone(self.connection), self.catalog.to_string());
            let target = TableTarget { connection, table: parent.to_string(), catalog };
            let job = self.loader.start(&target, LoadAction::Load, self.settings).map_err(|err| err.at(target.place()))?;
            job.wait(self.interrupted, self.settings.load_timeout).map_err(|err| err.at(target.place()))?;
        }
        Ok(())
    }

    /// Hands each row of a request to `take`: what its columns of these sources have.
    fn rows(&self, request: TableDef, sources: &[ColumnSource], mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
        let table = request.name.clone();
        self.load_parents(&request)?;
        let known = self.connection.adapter.tables.iter().cloned();
        let adapter = AdapterSpec {
            tables: std::iter::once(request).chain(known).collect(),
            views: Vec::new(),
            discover: Vec::new(),
            ..AdapterSpec::clone(&self.connection.adapter)
        };
        let connection = Arc::new(Connection { adapter: Arc::new(adapter), ..Connection::clone(self.connection) });
        let target = TableTarget { connection, table, catalog: self.catalog.to_string() };
        let began = Instant::now();
        let mut run = self.loader.reader().stream(&target, &[], self.settings, self.interrupted)?.start()?;
        loop {
            match run.next_rows()? {
                Streamed::End => return Ok(()),
                Streamed::Rows(batch) => {
                    for row_idx in 0..batch.n_rows {
                        let row = sources.iter().map(|source| cell(&batch, source, row_idx)).collect::<Result<_>>();
                        row.and_then(&mut take).map_err(|err| err.at(target.place()))?;
                    }
                }
                Streamed::Waits(awaited) => {
                    if (self.interrupted)() {
                        return Err(awaited.interrupted());
                    }
                    if self.settings.load_timeout.is_some_and(|timeout| began.elapsed() >= timeout) {
                        return Err(Error::config("the statement waited as long as 'unify_load_timeout' allows").at(target.place()));
                    }
                    awaited.wait_at_most(POLL);
                }
            }
        }
    }
}

impl FieldsDef {
    /// Returns the field that an entry of an object's fields is.
    fn found_in(&self, key: Option<&str>, entry: &JsonValue) -> FoundField {
        let text = |path: &Option<Vec<String>>| path.as_ref().and_then(|path| value_at(entry, path)).and_then(text_of);
        let itself = || (!entry.is_object() && key.is_none()).then(|| text_of(entry)).flatten();
        let name = text(&self.name).or_else(|| key.map(str::to_string)).or_else(itself);
        FoundField { name: name.unwrap_or_default(), field_type: text(&self.type_path), description: text(&self.description) }
    }
}

/// Returns the elements of a list, or the entries of an object with their keys.
fn entries_of(value: &JsonValue) -> Vec<(Option<&str>, &JsonValue)> {
    match value {
        JsonValue::Array(elements) => elements.iter().map(|element| (None, element)).collect(),
        JsonValue::Object(entries) => entries.iter().map(|(key, entry)| (Some(key.as_str()), entry)).collect(),
        _ => Vec::new(),
    }
}

/// Adds a field. Fails when it cannot be asked for.
fn add_field(object: &mut FoundObject, field: FoundField) -> Result<()> {
    if field.name.is_empty() {
        return Err(Error::data(format!("a field of object {} has no name; look at 'name' of 'fields' in 'discover'", object.shown())));
    }
    if field.name.len() > LONGEST_NAME {
        let begin: String = field.name.chars().take(40).collect();
        return Err(Error::data(format!("the name of field '{begin}...' has more than {LONGEST_NAME} bytes")));
    }
    object.fields.push(field);
    check_count(object.fields.len(), MOST_FIELDS, "fields of one object")
}

fn check_count(count: usize, most: usize, what: &str) -> Result<()> {
    match count > most {
        true => Err(Error::data(format!("there are more than {most} {what}; leave some out with 'skip_when' or params in 'discover'"))),
        false => Ok(()),
    }
}

/// Returns the value of an object that a request for its fields takes.
fn param_of(object: &FoundObject, hole: &str) -> Result<ParamValue> {
    let name = hole.strip_prefix(OBJECT_HOLE).unwrap_or(hole);
    let value = object.values.get(name).filter(|value| !value.is_null());
    let value =
        value.ok_or_else(|| Error::data(format!("object {} has no '{name}', which the request for its fields takes", object.shown())))?;
    let number = |text: String| text.parse().map(ParamValue::Integer).unwrap_or(ParamValue::Text(text));
    Ok(match value {
        JsonValue::Bool(flag) => ParamValue::Boolean(*flag),
        JsonValue::Number(written) => number(written.to_string()),
        other => ParamValue::Text(text_of(other).unwrap_or_default()),
    })
}

/// Makes the values of each param texts, unless they are all of one kind: their column shows them as they are sent.
fn of_one_kind(mut elements: Vec<Vec<ParamValue>>) -> Vec<Vec<ParamValue>> {
    let n_names = elements.first().map_or(0, Vec::len);
    for idx in 0..n_names {
        let mut kinds = elements.iter().map(|element| std::mem::discriminant(&element[idx]));
        let first = kinds.next();
        if kinds.all(|kind| Some(kind) == first) {
            continue;
        }
        for element in &mut elements {
            element[idx] = element[idx].to_text().map_or(ParamValue::Null, ParamValue::Text);
        }
    }
    elements
}

/// Returns a value of a batch; `None` for null, and where the batch does not have the column.
fn cell(batch: &Batch, source: &ColumnSource, row_idx: usize) -> Result<Option<JsonValue>> {
    let Some(place) = batch.schema.columns.iter().position(|column| column.source == *source) else { return Ok(None) };
    let column = &batch.columns[place];
    if !column.validity.is_valid(row_idx) {
        return Ok(None);
    }
    let text = |text: &str| JsonValue::String(text.to_string());
    Ok(Some(match &column.data {
        ColumnData::Json(texts) if texts.get(row_idx).len() > LONGEST_VALUE => {
            return Err(Error::data(format!("a value of an object has more than {LONGEST_VALUE} bytes")))
        }
        ColumnData::Json(texts) => read_json(texts.get(row_idx))?,
        ColumnData::Varchar(texts) => text(texts.get(row_idx)),
        ColumnData::Boolean(values) => JsonValue::Bool(values[row_idx]),
        ColumnData::BigInt(values) => text(&values[row_idx].to_string()),
        ColumnData::HugeInt(values) => text(&values[row_idx].to_string()),
        ColumnData::Double(values) => text(&values[row_idx].to_string()),
        _ => return Err(Error::internal("a column of a discovery has a type that it was not asked for in")),
    }))
}
