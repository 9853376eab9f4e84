//! Makes tables of what was found: a function of the spec and the objects alone.

use super::{Found, FoundObject, ObjectValues};
use crate::document::JsonValue;
use crate::spec::{
    AdapterSpec, BrokenTable, ChildDef, ChildTemplate, Class, ColumnReading, ColumnSpec, Cursor, DateFormat, DeclaredType, Discover,
    FieldsDef, RefreshStrategy, ScalarType, TableDef, Template, Updates, FIELDS_HOLE,
};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest name of a table, in bytes.
const LONGEST_NAME: usize = 255;

impl AdapterSpec {
    /// Returns the spec with the tables of what was found. A table that the spec writes itself stands before an object of its name. Objects
    /// that cannot be tables, and those with one name, become broken tables, which say why.
    pub fn with_discovered(&self, found: &Found) -> AdapterSpec {
        let mut spec = self.clone();
        for (discover, objects) in self.discover.iter().zip(&found.objects) {
            match discover.is_fixed() {
                true => spec.replace_fixed(discover, objects),
                false => spec.add_objects(discover, objects),
            }
        }
        spec
    }

    /// Returns the table with the key and the cursor that a database told of it.
    fn keyed(&self, table_def: TableDef, object: &FoundObject) -> TableDef {
        if self.class != Class::Postgres {
            return table_def;
        }
        let key = object.values.get("key").and_then(JsonValue::as_array);
        let key_columns = key.into_iter().flatten().filter_map(JsonValue::as_str).map(str::to_string).collect();
        let refresh = match object.values.get("cursor").and_then(JsonValue::as_str) {
            Some(column) => RefreshStrategy::Updates(Box::new(Updates {
                params: Vec::new(),
                lookback: Duration::ZERO,
                cursor: Some(Cursor { column: column.to_string(), param: Some("since".to_string()), lookback: None }),
                format: DateFormat::default(),
                overwrite: None,
                full_every: None,
                sync_token: None,
            })),
            None => RefreshStrategy::Reload,
        };
        TableDef { key_columns, refresh, ..table_def }
    }

    fn replace_fixed(&mut self, discover: &Discover, objects: &[FoundObject]) {
        let Some(place) = self.tables.iter_mut().find(|table_def| table_def.name == discover.table.name) else { return };
        match objects.first().map(|object| discover.table_of(object)) {
            Some(Ok(table_def)) => *place = table_def,
            Some(Err(err)) => {
                let name = discover.table.name.clone();
                self.tables.retain(|table_def| table_def.name != name);
                self.broken.push(BrokenTable { name, message: err.message().to_string() });
            }
            None => {}
        }
    }

    fn add_objects(&mut self, discover: &Discover, objects: &[FoundObject]) {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let tables_of = |object: &FoundObject| {
            let tables = discover.tables_of(object)?;
            Ok(tables.into_iter().map(|table_def| self.keyed(table_def, object)).collect())
        };
        let tables: Vec<Result<Vec<TableDef>>> = objects.iter().map(tables_of).collect();
        for (idx, table_defs) in tables.iter().enumerate() {
            for table_def in table_defs.iter().flatten() {
                by_name.entry(table_def.name.to_lowercase()).or_default().push(idx);
            }
        }
        let written: Vec<String> = self.tables.iter().map(|table_def| table_def.name.to_lowercase()).collect();
        let views = self.views.iter().map(|view_def| view_def.name.to_lowercase());
        let written: Vec<String> = written.into_iter().chain(views).collect();
        for (idx, (table_defs, object)) in tables.into_iter().zip(objects).enumerate() {
            let table_defs = match table_defs {
                Ok(table_defs) => table_defs,
                Err(err) => {
                    let name = discover.name_of(object).unwrap_or_else(|_| format!("(object {})", idx + 1));
                    self.broken.push(BrokenTable { name, message: format!("object {} {}", object.shown(), err.message()) });
                    continue;
                }
            };
            let same = |table_def: &TableDef| by_name.get(&table_def.name.to_lowercase()).map_or(&[][..], Vec::as_slice);
            // A child is filled with its parent: it is there when that is.
            let is_there = |table_def: &TableDef| !written.contains(&table_def.name.to_lowercase()) && same(table_def).len() == 1;
            let has_parent = table_defs.first().is_some_and(is_there);
            for table_def in table_defs {
                let is_child = table_def.child.is_some();
                match same(&table_def) {
                    _ if written.contains(&table_def.name.to_lowercase()) || (is_child && !has_parent) => {}
                    [_] => self.tables.push(table_def),
                    // Said once, at the first of them: a number behind the name could mean another object tomorrow.
                    [first, ..] if *first == idx && self.mistakes_of(&table_def.name).is_none() => {
                        let shown: Vec<String> = same(&table_def).iter().take(5).map(|idx| objects[*idx].shown()).collect();
                        let message = format!(
                            "objects {} have this name; a 'name' with another hole, such as an id, tells them apart",
                            shown.join(" and ")
                        );
                        self.broken.push(BrokenTable { name: table_def.name, message });
                    }
                    _ => {}
                }
            }
        }
    }
}

impl Discover {
    /// Returns the name of an object's table. Fails when it cannot be the name of one.
    fn name_of(&self, object: &FoundObject) -> Result<String> {
        name_for(&self.name, object)
    }

    /// Returns the table of an object, and then its children. Fails when one cannot be a table.
    fn tables_of(&self, object: &FoundObject) -> Result<Vec<TableDef>> {
        let table_def = self.table_of(object)?;
        let child_of = |child: &ChildTemplate| {
            let name = name_for(&child.name, object).map_err(|err| err.within(format!("child '{}'", child.table.name)))?;
            let description = text_for(child.description.as_ref(), object)?;
            let child_def = child.table.child.clone().map(|child_def| ChildDef { parent: table_def.name.clone(), ..child_def });
            Ok(TableDef { name, description, child: child_def, discovered: Arc::clone(&table_def.discovered), ..child.table.clone() })
        };
        let children = self.children.iter().map(child_of).collect::<Result<Vec<TableDef>>>()?;
        Ok(std::iter::once(table_def.clone()).chain(children).collect())
    }

    /// Returns the table of an object. Fails when it cannot be one.
    pub fn table_of(&self, object: &FoundObject) -> Result<TableDef> {
        let name = self.name_of(object)?;
        if object.fields.is_empty() && self.table.all_hole_names().contains(&FIELDS_HOLE) {
            return Err(Error::data("has no fields that can be asked for"));
        }
        let description = text_for(self.description.as_ref(), object)?;
        let mut columns = self.table.columns.clone();
        if let Some(fields) = &self.fields {
            columns.extend(fields.columns_of(object, &columns));
        }
        let (mut table_def, discovered) = (self.table.clone(), Arc::new(object.hole_values()));
        table_def.change(&mut |table_def| {
            table_def.name.clone_from(&name);
            table_def.description.clone_from(&description);
            table_def.columns.clone_from(&columns);
            table_def.discovered = Arc::clone(&discovered);
            table_def.chunk = self.fields.as_ref().and_then(|fields| fields.chunk);
        });
        Ok(table_def)
    }
}

fn text_for(template: Option<&Template>, object: &FoundObject) -> Result<Option<String>> {
    Ok(template.map(|template| template.text(&ObjectValues(object))).transpose()?.flatten())
}

/// Returns the name that a template makes for an object's table. Fails when it cannot be the name of one.
fn name_for(template: &Template, object: &FoundObject) -> Result<String> {
    let name = template.text(&ObjectValues(object))?.unwrap_or_default();
    let fault = match name.as_str() {
        "" => "has no name",
        name if name.len() > LONGEST_NAME => "has a name of more than 255 bytes",
        name if name.chars().any(char::is_control) => "has a name with a control character",
        name if name.to_lowercase().ends_with("__loading") => "has a name that ends with '__loading', as those of tables being loaded do",
        _ => return Ok(name),
    };
    Err(Error::data(fault))
}

impl FieldsDef {
    /// Returns the columns of an object's fields, but for those that the spec declares itself.
    fn columns_of(&self, object: &FoundObject, declared: &[ColumnSpec]) -> Vec<ColumnSpec> {
        let mut names: HashMap<String, ()> = declared.iter().map(|column| (column.name.to_lowercase(), ())).collect();
        let mut columns = Vec::new();
        for field in &object.fields {
            if names.insert(field.name.to_lowercase(), ()).is_some() {
                continue;
            }
            let declared = |field_type: &String| self.types.iter().find(|(name, _)| name == field_type).map(|(_, declared)| *declared);
            let source = self.record_path.iter().chain([&field.name]).cloned().collect();
            let data_type = field.field_type.as_ref().and_then(declared);
            columns.push(ColumnSpec {
                name: field.name.clone(),
                data_type,
                source: Some(source),
                is_meta: false,
                // An empty text in the place of a number or date is a field without a value.
                reading: data_type.filter(holds_no_text).map(|_| ColumnReading { trim: true, moment: None }),
                key: false,
                description: field.description.clone(),
            });
        }
        columns
    }
}

fn holds_no_text(data_type: &DeclaredType) -> bool {
    matches!(data_type, DeclaredType::Scalar(scalar) if *scalar != ScalarType::Varchar)
}
