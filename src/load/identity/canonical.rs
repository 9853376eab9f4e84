//! The text that says what a table's rows depend on, and its hash.
//!
//! The text has a line for each thing that decides which rows the API gives and what becomes of them: base URL, path, headers and params
//! with the connection's options filled in (names of secrets stay holes), paging, where the rows are, and how fields become columns. What a
//! spec leaves at its default has no line, so that a new key of the language changes no text. Lines whose order means nothing are sorted.
//! Descriptions, help, comments, the order of keys, and how a table is kept fresh, written back, throttled or retried are not in it.
//!
//! The hash is the first half of the SHA-256 of the text, in hexadecimal digits. Stored hashes of all users' tables depend on every byte: a
//! change of the text needs a new [`FORM`], whose predecessors are then taken as [`crate::load::identity::version_0`] is.

use crate::document::{quoted as text, BodyStyle, CsvStyle, Header, JsonValue};
use crate::spec::{
    AnswerDef, Body, ChildDef, ColumnPattern, ColumnReading, ColumnSpec, Connection, Deletes, FieldCondition, FirstRequest, JobDef,
    JsonTemplate, MaxRows, Method, NamedRow, Nested, ParamDef, ParamValue, ParamValues, Part, RecordForm, RecurseDef, RequestDef, RowNames,
    StepDef, TableDef, Template, TreeDef, WindowDef,
};
use ring::digest::{digest, SHA256};

/// What the texts of this form are stored behind.
pub const FORM: &str = "1:";
/// Bytes kept of a hash.
const HASH_BYTES: usize = 16;

/// Returns 32 hexadecimal digits that nothing else has.
pub fn hash_of(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what a table's rows depend on.
pub fn text_of(connection: &Connection, table_def: &TableDef) -> String {
    // Each field is named: who adds one decides whether rows depend on it.
    let TableDef {
        name: _,
        description: _,
        path,
        headers,
        request,
        params,
        // A moment does not belong to what a table is.
        date_format: _,
        paging,
        unpaged: _,
        answer,
        result_body_path,
        result_object_path,
        missing: _,
        result_meta_paths,
        copy_params_to_output,
        select,
        strip_prefixes,
        columns,
        only_columns,
        key_columns,
        refresh: _,
        max_staleness: _,
        etag: _,
        // A refresh is of other parameter sets than a load, and of a definition of its own.
        updating: _,
        nested,
        throttle: _,
        expect: _,
        deletes,
        write: _,
        discovered,
        // How many fields go into one request changes no row.
        chunk: _,
        max_rows,
        window,
        job,
        recurse,
        child,
    } = table_def;
    let writer = Writer { connection, table_def };
    let mut lines = writer.request(path, request);
    lines.extend(sorted(writer.headers(headers)));
    lines.extend(sorted(params.iter().filter_map(|param_def| writer.param(param_def)).collect()));
    lines.extend(paging.identity().map(|identity| format!("paging {identity}")));
    let below = recurse.iter().map(|recurse| recurse_line(recurse));
    lines.extend(job.iter().flat_map(|job| writer.job(job)).chain(below));
    lines.extend(answer_lines(answer));
    lines.extend((!result_body_path.is_empty()).then(|| format!("rows {}", texts(result_body_path))));
    lines.extend(result_object_path.as_ref().map(|key| format!("object {}", text(key))));
    lines.extend(sorted(result_meta_paths.iter().map(|path| format!("meta {}", texts(path))).collect()));
    lines.extend(sorted(copy_params_to_output.iter().map(|name| format!("copy {}", text(name))).collect()));
    lines.extend(sorted(select.iter().map(select_line).collect()));
    lines.extend(strip_prefixes.iter().map(|prefix| format!("strip {}", text(prefix))));
    lines.extend(sorted(columns.iter().map(column_line).collect()));
    lines.extend(only_columns.then(|| "only columns".to_string()));
    lines.extend(sorted(key_columns.iter().map(|name| format!("key {}", text(&name.to_lowercase()))).collect()));
    lines.extend(nested_line(*nested).into_iter().chain(writer.range(window.as_ref(), *max_rows)));
    lines.extend(writer.discovered(discovered));
    lines.extend((*deletes == Deletes::Mark).then(|| "deletes mark".to_string()));
    lines.extend(child.as_ref().map(child_line).into_iter().chain(writer.children()));
    lines.join("\n")
}

/// Writes the parts that depend on the connection's options.
struct Writer<'a> {
    connection: &'a Connection,
    table_def: &'a TableDef,
}

impl Writer<'_> {
    /// Returns what is asked for, and by whom.
    fn request(&self, path: &Template, request: &RequestDef) -> Vec<String> {
        let base_url = self.table_def.base_url(&self.connection.adapter);
        let mut lines = vec![format!("base {}", self.template(base_url)), format!("path {}", self.template(path))];
        lines.extend((request.method != Method::Get).then(|| format!("method {}", request.method)));
        lines.extend(self.body(&request.body));
        lines.extend(request.first.as_ref().map(|first| self.first(first)));
        lines.extend(sorted(self.account()));
        lines
    }

    /// Returns what each table depends on that is filled with this one.
    fn children(&self) -> Vec<String> {
        let children = self.connection.adapter.children_of(&self.table_def.name).into_iter();
        children.map(|child| format!("children {} {}", text(&child.name), hash_of(&text_of(self.connection, child)))).collect()
    }

    /// Returns the lines of options that tell accounts apart and are not secret.
    fn account(&self) -> Vec<String> {
        let options = self.connection.auth().options();
        let line = |name: &str| self.shown(name).map(|value| format!("account {} {}", text(name), text(&value)));
        options.into_iter().filter_map(|option| line(&option.name)).collect()
    }

    /// Returns the line of the first page's own request.
    fn first(&self, first: &FirstRequest) -> String {
        let body = self.body(&first.body).map_or(String::new(), |body| format!(" {body}"));
        format!("first {} {}{body}", first.method, self.template(&first.path))
    }

    /// Returns the lines of the range that is asked for in parts.
    fn range(&self, window_def: Option<&WindowDef>, max_rows: Option<MaxRows>) -> Vec<String> {
        let mut lines: Vec<String> = window_def.into_iter().map(|window_def| self.window(window_def)).collect();
        lines.extend(max_rows.map(|max_rows| format!("most {}", max_rows.rows)));
        lines.extend(self.table_def.may_split(&self.connection.adapter).then(|| "halves".to_string()));
        lines
    }

    /// Returns the lines of what was discovered and holes take.
    fn discovered(&self, discovered: &[(String, JsonValue)]) -> Vec<String> {
        let names = self.table_def.hole_names();
        let taken = discovered.iter().filter(|(name, _)| names.contains(&name.as_str()));
        taken.map(|(name, value)| format!("discovered {} {value}", text(name))).collect()
    }

    /// Returns the line of a body; `None` where none is sent.
    fn body(&self, body: &Body) -> Option<String> {
        Some(match body {
            Body::None => return None,
            Body::Json(json) => format!("body {}", self.json(json)),
            Body::Form(json) => format!("form {}", self.json(json)),
            Body::Multipart(json) => format!("multipart {}", self.json(json)),
            Body::Text(template) => format!("text {}", self.template(template)),
        })
    }

    /// Returns the lines of a job: what is asked for, and what of its answers leads to the rows.
    fn job(&self, job: &JobDef) -> Vec<String> {
        // Its headers are among those of the table, and how it is waited for and cancelled changes no row.
        let JobDef { headers: _, create, wait, params, urls, cancel: _, concurrency: _ } = job;
        let StepDef { path, method, headers, params: of_create, body, is_safe: _, graphql_errors: _, capture } = create;
        let pair = |word: &str, (name, value): &(String, Template)| format!("job {word} {} {}", text(name), self.template(value));
        let mut lines = vec![format!("job create {method} {}", self.template(path))];
        lines.extend(self.body(body).map(|body| format!("job create {body}")));
        lines.extend(sorted(headers.iter().map(|header| pair("header", header)).collect()));
        lines.extend(sorted(of_create.iter().map(|param| pair("param", param)).collect()));
        lines.extend(sorted(params.iter().map(|param| pair("fetch", param)).collect()));
        let captures = capture.iter().chain(&wait.step.capture);
        lines.extend(sorted(captures.map(|(name, capture)| format!("job captures {} {}", text(name), capture.identity())).collect()));
        lines.extend(urls.as_ref().map(|urls| format!("job files {}", self.template(urls))));
        lines
    }

    fn json(&self, json: &JsonTemplate) -> String {
        match json {
            JsonTemplate::Value(value) => value.to_string(),
            JsonTemplate::Text(template) => format!("fill {}", self.template(template)),
            // Nothing is written where rows are read.
            JsonTemplate::Row | JsonTemplate::Rows => "null".to_string(),
            JsonTemplate::List(elements) => {
                format!("[{}]", elements.iter().map(|element| self.json(element)).collect::<Vec<_>>().join(","))
            }
            JsonTemplate::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{}:{}", text(key), self.json(value))).collect();
                format!("{{{}}}", sorted(entries).join(","))
            }
        }
    }

    /// Returns the lines of all headers that a request has; the table's own replace those of the adapter.
    fn headers(&self, own: &[(String, Template)]) -> Vec<String> {
        let is_own = |name: &str| own.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let common = self.connection.adapter.headers.iter().filter(|(name, _)| !is_own(name));
        common.chain(own).map(|(name, value)| format!("header {} {}", text(&name.to_lowercase()), self.template(value))).collect()
    }

    /// Returns the line of a param; `None` for one that is never sent.
    fn param(&self, param_def: &ParamDef) -> Option<String> {
        // How many values go into one request changes no row.
        let ParamDef { names, values, many } = param_def;
        let values = match values {
            ParamValues::One(ParamValue::Null) => return None,
            ParamValues::One(value) => self.value(value),
            ParamValues::Each(elements) => {
                let element =
                    |values: &Vec<ParamValue>| format!("[{}]", values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(","));
                format!("each {}", sorted(elements.iter().map(element).collect()).join(" "))
            }
            ParamValues::Query(query) => format!("query {}", text(&query.sql)),
        };
        let many = many.map_or(String::new(), |many| format!(" as {}", many.form.name()));
        Some(format!("param {} {values}{many}", texts(names)))
    }

    fn window(&self, window_def: &WindowDef) -> String {
        let WindowDef { start, end, step, ends, unit, overlap } = window_def;
        format!("window {} {} {step:?} {ends:?} {unit:?} {overlap}", self.value(start), self.value(end))
    }

    fn value(&self, value: &ParamValue) -> String {
        match value {
            ParamValue::Null => "null".to_string(),
            ParamValue::Boolean(value) => value.to_string(),
            ParamValue::Integer(value) => value.to_string(),
            ParamValue::Double(value) => format!("{value:?}"),
            ParamValue::Text(value) => text(value),
            ParamValue::Raw(value) => format!("raw {}", text(value)),
            ParamValue::Template(template) => self.filled(template, |_| false),
            ParamValue::Many { values, .. } => format!("[{}]", values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(",")),
        }
    }

    /// Returns a template that may have holes for params.
    fn template(&self, template: &Template) -> String {
        self.filled(template, |name| self.table_def.params.iter().any(|param_def| param_def.names.iter().any(|own| own == name)))
    }

    /// Returns the template with options filled in. Params, moments and secrets stay holes.
    fn filled(&self, template: &Template, is_param: impl Fn(&str) -> bool) -> String {
        let part = |part: &Part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Hole(hole) if is_param(&hole.name) => format!("{{{hole}}}"),
            Part::Hole(hole) if hole.is_plain() => self.shown(&hole.name).unwrap_or_else(|| format!("{{{hole}}}")),
            Part::Hole(hole) => {
                let shown = hole.names().filter_map(|name| Some(format!(" {name}={}", self.shown(name)?)));
                format!("{{{hole}{}}}", shown.collect::<String>())
            }
        };
        text(&template.parts().iter().map(part).collect::<String>())
    }

    /// Returns the value of an option that is not secret.
    fn shown(&self, name: &str) -> Option<String> {
        let is_secret = self.connection.adapter.option(name).is_none_or(|option| option.secret);
        self.connection.option(name).filter(|_| !is_secret).map(|value| value.expose().to_string())
    }
}

fn select_line(pattern: &ColumnPattern) -> String {
    match pattern {
        ColumnPattern::Name(name) => format!("select {}", text(name)),
        ColumnPattern::Regex(regex) => format!("select regex {}", text(regex.as_str())),
    }
}

fn column_line(column: &ColumnSpec) -> String {
    // A key has a line of its own.
    let ColumnSpec { name, data_type, source, is_meta, reading, key: _, description: _ } = column;
    let data_type = data_type.map_or(String::new(), |declared| format!(" {}", crate::columns::ColumnType::from(declared).sql_name()));
    let source = source.as_ref().map_or(String::new(), |keys| format!(" from {}{}", if *is_meta { "body " } else { "" }, texts(keys)));
    let reading = reading.as_ref().map_or(String::new(), |reading| {
        let ColumnReading { trim, moment } = reading;
        let trim = if *trim { " trim" } else { "" };
        let moment = moment.as_ref().map_or(String::new(), |format| format!(" as {}", text(format.as_text())));
        format!("{trim}{moment}")
    });
    format!("column {}{data_type}{source}{reading}", text(name))
}

/// Returns the line of what a table asks for below its own rows. How deep it may go changes no row.
fn recurse_line(recurse: &RecurseDef) -> String {
    let RecurseDef { names, query, max_depth: _ } = recurse;
    format!("below {} query {}", texts(names), text(&query.sql))
}

/// Returns the lines of what the answers are.
fn answer_lines(answer: &AnswerDef) -> Vec<String> {
    let AnswerDef { body, tree, records, skip_when, deleted_when } = answer;
    let BodyStyle { format, csv, is_never_packed, files } = body;
    let mut lines = Vec::new();
    lines.extend(format.map(|format| format!("format {}", format.name())));
    lines.extend((*csv != CsvStyle::default()).then(|| csv_line(csv)));
    lines.extend(is_never_packed.then(|| "not packed".to_string()));
    lines.extend(files.as_ref().map(|files| format!("files {}", text(files.as_str()))));
    lines.extend(tree.as_ref().map(tree_line));
    match records {
        RecordForm::Plain => {}
        RecordForm::KeyedBy(name) => lines.push(format!("keyed by {}", text(name))),
        RecordForm::Rows(rows) => lines.extend(rows.iter().map(|NamedRow { field, names, value }| {
            let value = value.as_ref().map_or(String::new(), |value| format!(" value {}", text(value)));
            let field = field.as_ref().map_or(String::new(), |field| format!(" of {}", text(field)));
            match names {
                RowNames::Given(names) => format!("names{field} {}{value}", texts(names)),
                RowNames::At(path) => format!("names{field} at {}{value}", texts(path)),
            }
        })),
        RecordForm::Zip(lists) => lines.extend(lists.iter().map(|(name, path)| format!("zip {} from {}", text(name), texts(path)))),
    }
    let condition = |word: &str, FieldCondition { path, values }: &FieldCondition| {
        format!("{word} {}{}", texts(path), sorted(values.iter().map(|value| format!(" is {}", text(value))).collect()).concat())
    };
    lines.extend(skip_when.as_ref().map(|when| condition("skip", when)));
    lines.extend(deleted_when.as_ref().map(|when| condition("deleted", when)));
    lines
}

/// Returns the line of records below records.
fn tree_line(tree: &TreeDef) -> String {
    let TreeDef { below, also, label, column } = tree;
    let label = label.as_ref().map_or(String::new(), |label| format!(" by {}", texts(label)));
    format!("tree {} also {}{label} as {}", texts(below), texts(also), text(column))
}

fn csv_line(csv: &CsvStyle) -> String {
    let CsvStyle { delimiter, quote, header, skip, encoding, nulls } = csv;
    let byte = |byte: &Option<u8>| byte.map_or("-".to_string(), |byte| byte.to_string());
    let header = match header {
        Header::First => "first".to_string(),
        Header::Absent => "absent".to_string(),
        Header::Given(names) => texts(names),
    };
    let encoding = encoding.as_ref().map_or("-".to_string(), |name| text(&name.to_lowercase()));
    format!("csv {} {} {header} {skip} {encoding} {}", byte(delimiter), byte(quote), texts(nulls))
}

/// Returns the line of a table that is filled from lists in another one's records.
fn child_line(child_def: &ChildDef) -> String {
    let ChildDef { parent, path, copy, parent_key, keep } = child_def;
    let copies = sorted(copy.iter().map(|(name, path)| format!(" {} from {}", text(name), texts(path))).collect());
    let kept = if *keep { " kept" } else { "" };
    format!("child of {} at {} by {}{kept}{}", text(parent), texts(path), texts(parent_key), copies.concat())
}

fn nested_line(nested: Nested) -> Option<String> {
    match nested {
        Nested::Flatten => None,
        Nested::Json => Some("nested json".to_string()),
        Nested::Depth(depth) => Some(format!("nested {depth}")),
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn texts(list: &[String]) -> String {
    format!("[{}]", list.iter().map(|one| text(one)).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
