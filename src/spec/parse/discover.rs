//! Reads `discover`: tables that the API tells of, and fields that it tells.

use super::columns::declared_type;
use super::condition::field_condition;
use super::keys::DISCOVERY_KEYS;
use super::table::{request_table, SpecDefaults};
use super::text::{dotted, duration, keys_of, value_template};
use super::{Fields, Node};
use crate::spec::{
    ChildTemplate, ColumnSpec, DeclaredType, Discover, FieldsDef, FieldsSource, Nested, ObjectsDef, ParamDef, ParamValue, ParamValues,
    TableDef, Template, FIELDS_HOLE, OBJECT_HOLE,
};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// The keys of `discover`.
pub(in crate::spec) const DISCOVER_KEYS: &[&str] = &["objects", "fields", "every"];
/// The keys of `fields` that say what is taken of a field.
pub(in crate::spec) const FIELD_KEYS: &[&str] = &["path", "name", "type", "description", "record_path", "chunk"];
/// The keys of `type`.
pub(in crate::spec) const TYPE_KEYS: &[&str] = &["path", "as"];

/// Reads what tables have to be discovered for. Takes the tables whose names are discovered out of `tables`.
pub(super) fn discovers_of(spec: &Fields<'_>, defaults: &SpecDefaults<'_>, tables: &mut Vec<TableDef>) -> Vec<Discover> {
    let nodes = spec.get("tables").and_then(Node::list).unwrap_or_default();
    let mut discovers = Vec::new();
    for node in nodes {
        let Some(discover_node) = node.get("discover").filter(|node| !node.is_null()) else { continue };
        let name = node.get("name").and_then(Node::text).unwrap_or("").to_string();
        let Some(table_def) = tables.iter().find(|table_def| table_def.name == name).cloned() else { continue };
        let place = format!("'discover' of table '{name}'");
        let Some(fields) = Fields::of(discover_node, place, DISCOVER_KEYS, spec.mistakes()) else { continue };
        let is_child = |table_def: &TableDef| table_def.child.as_ref().is_some_and(|child_def| child_def.parent == name);
        let children: Vec<TableDef> = tables.iter().filter(|table_def| is_child(table_def)).cloned().collect();
        let Some(discover) = (Reader { spec, defaults, node, fields: &fields }).discover(table_def, &children) else { continue };
        if !discover.is_fixed() {
            tables.retain(|table_def| table_def.name != name && !is_child(table_def));
        }
        discovers.push(discover);
    }
    discovers
}

struct Reader<'a, 'n> {
    spec: &'a Fields<'n>,
    defaults: &'a SpecDefaults<'a>,
    /// The table.
    node: &'n Node,
    fields: &'a Fields<'n>,
}

impl Reader<'_, '_> {
    fn discover(&self, table: TableDef, children: &[TableDef]) -> Option<Discover> {
        let mistakes = self.fields.mistakes();
        let name_node = self.node.get("name").unwrap_or(self.node);
        let name = value_template(&table.name, name_node, &format!("the name of table '{}'", table.name), mistakes);
        let description = table.description.as_ref().map(|text| {
            let node = self.node.get("description").unwrap_or(self.node);
            value_template(text, node, &format!("the description of table '{}'", table.name), mistakes)
        });
        let (objects, fields) = (self.fields.get("objects"), self.fields.get("fields"));
        if objects.is_none() && fields.is_none() {
            mistakes.at(self.fields.mapping_node(), format!("{} has neither 'objects' nor 'fields'", self.fields.place()));
            return None;
        }
        self.check_texts(&[("name", Some(&name)), ("description", description.as_ref())], objects.is_some());
        let fields = fields.and_then(|node| self.fields_of(node, objects.is_some()));
        self.check_chunk(&table);
        if objects.is_some() && name.holes().next().is_none() {
            let message = format!(
                "the name of table '{0}' is the same for all objects; write a hole, such as '${{object.name | snake}}'",
                table.name
            );
            mistakes.at(name_node, message);
        }
        // The requests of fields take values of objects, too.
        let mut wanted: BTreeSet<String> = object_values(name.names().chain(table.all_hole_names()));
        wanted.extend(object_values(description.iter().flat_map(Template::names)));
        if let Some(FieldsDef { source: FieldsSource::Request(request), .. }) = &fields {
            wanted.extend(object_values(request.all_hole_names().into_iter()));
        }
        if let Some(FieldsDef { source: FieldsSource::Within { path, .. }, .. }) = &fields {
            wanted.insert(path.join("."));
        }
        // Those of a table of a fixed name are tables of the spec, as it is.
        let children: Vec<ChildTemplate> = children.iter().filter(|_| objects.is_some()).map(|child| self.child_of(child)).collect();
        let of_children = children.iter().flat_map(|child| std::iter::once(&child.name).chain(&child.description));
        wanted.extend(object_values(of_children.flat_map(Template::names)));
        let objects = objects.and_then(|node| self.objects_of(node, wanted));
        Some(Discover { table, name, description, objects, fields, children, every: duration(self.fields, "every") })
    }

    /// Reads the texts of a child. There is one for each object, and each has another name.
    fn child_of(&self, child: &TableDef) -> ChildTemplate {
        let mistakes = self.fields.mistakes();
        let nodes = self.node.get("children").and_then(Node::list).unwrap_or_default();
        let node = nodes.iter().find(|node| node.get("name").and_then(Node::text) == Some(child.name.as_str())).unwrap_or(self.node);
        let text = |key: &str, text: &str| {
            let node = node.get(key).unwrap_or(node);
            let place = format!("the {key} of child '{}' of table '{}'", child.name, self.name());
            let template = value_template(text, node, &place, mistakes);
            if let Some(hole) = template.names().find(|hole| !hole.starts_with(OBJECT_HOLE)) {
                mistakes.at(node, format!("{place} has a hole '{hole}'; expected holes such as '${{object.name}}'"));
            }
            if key == "name" && template.holes().next().is_none() {
                mistakes.at(node, format!("{place} is the same for all objects; write a hole, such as '${{object.name | snake}}_lines'"));
            }
            template
        };
        let description = child.description.as_ref().map(|description| text("description", description));
        ChildTemplate { table: child.clone(), name: text("name", &child.name), description }
    }

    /// The name and the description of a table are made when it is discovered: only what was discovered is known then.
    fn check_texts(&self, texts: &[(&str, Option<&Template>)], has_objects: bool) {
        for (key, template) in texts {
            for hole in template.iter().flat_map(|template| template.names()) {
                if !hole.starts_with(OBJECT_HOLE) || !has_objects {
                    let node = self.node.get(key).unwrap_or(self.node);
                    let expected = match has_objects {
                        true => "expected holes such as '${object.name}'",
                        false => "it needs 'objects' in 'discover', which tell what fills it",
                    };
                    self.fields.mistakes().at(node, format!("the {key} of table '{}' has a hole '{hole}'; {expected}", self.name()));
                }
            }
        }
    }

    /// Rows of several chunks are put together by key.
    fn check_chunk(&self, table: &TableDef) {
        let Some(node) = self.fields.get("fields").and_then(|fields| fields.get("chunk")).filter(|node| !node.is_null()) else { return };
        let varying = || table.params.iter().filter(|param_def| param_def.varies()).flat_map(|param_def| &param_def.names);
        let is_copied = |name: &&String| table.copy_params_to_output.contains(name);
        let has_sync_token = table.refresh.updates().is_some_and(|updates| updates.sync_token.is_some());
        let lack = if !table.hole_names().contains(&FIELDS_HOLE) {
            "no '${fields}' stands in its requests".to_string()
        } else if table.key_columns.is_empty() {
            "it has no key, by which the rows of all requests are put together; name its 'key_column'".to_string()
        } else if let Some(name) = varying().find(|name| !is_copied(name)) {
            format!("its rows are put together by key within each call of the table; add '{name}' to 'copy_params_to_output'")
        } else if self.node.get("children").is_some() {
            "its 'children' would come with each request; leave out one of the two".to_string()
        } else if has_sync_token {
            "its 'sync_token' would be another one for each request; leave out one of the two".to_string()
        } else {
            return;
        };
        self.fields.mistakes().at(node, format!("'chunk' has several requests ask for the fields of table '{}', but {lack}", table.name));
    }

    fn name(&self) -> &str {
        self.node.get("name").and_then(Node::text).unwrap_or("")
    }

    fn objects_of(&self, node: &Node, wanted: BTreeSet<String>) -> Option<ObjectsDef> {
        let place = format!("'objects' in {}", self.fields.place());
        let fields = Fields::of(node, place, DISCOVERY_KEYS, self.fields.mistakes())?;
        let values: Vec<String> = wanted.into_iter().collect();
        let mut request = self.request(&fields, "objects", Vec::new());
        // What an object was asked for with is one of its values.
        let params = request.params.iter().filter(|param_def| param_def.varies()).flat_map(|param_def| param_def.names.iter());
        request.copy_params_to_output = params.filter(|name| values.contains(name)).cloned().collect();
        let of_records = values.iter().filter(|value| !request.copy_params_to_output.contains(value));
        request.columns = of_records.map(|value| json_column(value, value.split('.').map(str::to_string).collect())).collect();
        Some(ObjectsDef { request, values })
    }

    fn fields_of(&self, node: &Node, has_objects: bool) -> Option<FieldsDef> {
        let place = format!("'fields' in {}", self.fields.place());
        let keys: Vec<&str> = FIELD_KEYS.iter().chain(DISCOVERY_KEYS).copied().collect();
        let fields = Fields::of(node, place, &keys, self.fields.mistakes())?;
        let path_of = |key: &str| Some(keys_of(&fields, key)).filter(|keys| !keys.is_empty());
        let (name, description) = (path_of("name"), path_of("description"));
        let (type_path, types) = type_of(&fields);
        let source = match fields.get("path") {
            Some(path) => self.within(path, &fields, has_objects)?,
            None => {
                if name.is_none() {
                    fields.mistakes().at(node, format!("{} has no 'name', the path of a field's name", fields.place()));
                }
                let columns = [("name", &name), ("type", &type_path), ("description", &description)];
                let columns = columns.into_iter().filter_map(|(name, path)| Some(json_column(name, path.clone()?))).collect();
                let mut request = self.request(&fields, "fields", columns);
                let wanted = object_values(request.all_hole_names().into_iter());
                request.copy_params_to_output = wanted.iter().map(|value| format!("{OBJECT_HOLE}{value}")).collect();
                if has_objects {
                    let empty = |name: &String| ParamDef::new(vec![name.clone()], ParamValues::One(ParamValue::Null));
                    let empty: Vec<ParamDef> = request.copy_params_to_output.iter().map(empty).collect();
                    request.params.extend(empty);
                }
                FieldsSource::Request(Box::new(request))
            }
        };
        let chunk = fields.count("chunk", 1).and_then(|count| NonZeroUsize::new(usize::try_from(count).unwrap_or(usize::MAX)));
        let record_path = keys_of(&fields, "record_path");
        Some(FieldsDef { source, name, description, type_path, types, record_path, chunk })
    }

    /// Reads where the fields are in each object.
    fn within(&self, path: &Node, fields: &Fields<'_>, has_objects: bool) -> Option<FieldsSource> {
        let mistakes = fields.mistakes();
        if let Some(key) = DISCOVERY_KEYS.iter().find(|key| **key != "skip_when" && fields.get(key).is_some()) {
            mistakes.at(
                path,
                format!("{} has both 'path' (the fields are in each object) and '{key}' (they are asked for); keep one", fields.place()),
            );
        }
        if !has_objects {
            mistakes.at(path, format!("{} has 'path', which leads from an object to its fields; it needs 'objects'", fields.place()));
        }
        let path = dotted(path, &format!("'path' of {}", fields.place()), mistakes)?;
        Some(FieldsSource::Within { path, skip_when: field_condition(fields, "skip_when") })
    }

    /// Reads a request as that of a table with these columns and no others.
    fn request(&self, fields: &Fields<'_>, what: &str, columns: Vec<ColumnSpec>) -> TableDef {
        let name = format!("{what} of {}", self.name());
        let table_def = request_table(fields, self.spec, self.defaults, name);
        TableDef { description: None, columns, only_columns: true, nested: Nested::Flatten, ..table_def }
    }
}

/// Returns what the holes of these names take of objects.
fn object_values<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    names.filter_map(|name| name.strip_prefix(OBJECT_HOLE)).map(str::to_string).collect()
}

/// Returns a column that keeps a value as it came.
fn json_column(name: &str, path: Vec<String>) -> ColumnSpec {
    let source = Some(path);
    let data_type = Some(DeclaredType::Json);
    ColumnSpec { name: name.to_string(), data_type, source, is_meta: false, reading: None, key: false, description: None }
}

/// Reads `type`: where a field has its type, and what that is here.
fn type_of(fields: &Fields<'_>) -> (Option<Vec<String>>, Vec<(String, DeclaredType)>) {
    let Some(node) = fields.get("type") else { return (None, Vec::new()) };
    let mistakes = fields.mistakes();
    let place = format!("'type' of {}", fields.place());
    let Some(keys) = Fields::of(node, place.clone(), TYPE_KEYS, mistakes) else { return (None, Vec::new()) };
    let path = keys.get("path").and_then(|node| dotted(node, &format!("'path' of {place}"), mistakes));
    if keys.get("path").is_none() {
        mistakes.at(node, format!("{place} has no 'path', where a field has its type"));
    }
    let Some(entries) = keys.get("as").and_then(Node::mapping) else {
        keys.wrong("as", keys.get("as").unwrap_or(node), "a mapping of the API's types to those of columns, such as {int: BIGINT}");
        return (path, Vec::new());
    };
    let one = |name: &str, node: &Node| Some((name.to_string(), declared_type(node.text().unwrap_or(""), &place, node, mistakes)?));
    let types = entries.iter().filter_map(|(key, node)| one(&key.name, node)).collect();
    (path, types)
}
