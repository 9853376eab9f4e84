//! Answers in other formats than JSON, files that are packed, and records in other forms than a list of objects.

use crate::control::Control;
use crate::{answer, Asked};
use axum::body::{Body, Bytes};
use axum::response::Response;
use flate2::write::GzEncoder;
use flate2::Compression;
use futures_util::stream;
use serde_json::{json, Map, Value};
use std::io::{self, Cursor, Write};

const N_ROWS: usize = 120;
const PAGE_SIZE: usize = 50;
/// Rows of a body that arrives in parts, and of a piece of it.
const N_MANY: usize = 300_000;
const PIECE: usize = 1000;

/// Answers a request below `/formats`.
pub fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    let all: Vec<usize> = (1..=N_ROWS).collect();
    let page = asked.number("page", 1).max(1) - 1;
    let paged: Vec<usize> = all.iter().copied().skip(page * PAGE_SIZE).take(PAGE_SIZE).collect();
    match parts {
        // Formats, by Content-Type or whatever the server says.
        ["ndjson"] => answer::body(200, "application/x-ndjson", lines(&paged)),
        ["lines_as_text"] => answer::body(200, "text/plain", lines(&all)),
        ["csv"] => answer::body(200, "text/csv; charset=utf-8", csv(&paged, ',')),
        ["csv_as_text"] => answer::body(200, "text/plain", format!("report\r\n{}", csv(&all, ';'))),
        ["tsv"] => answer::body(200, "text/tab-separated-values", csv(&all, '\t')),
        ["xml"] => answer::body(200, "application/xml", xml(&all)),
        ["latin1"] => answer::body(200, "text/csv; charset=iso-8859-1", b"id,name\n1,caf\xe9\n".to_vec()),
        ["windows"] => answer::body(200, "text/csv", b"id,name\n1,\x80 5\n".to_vec()),
        ["accept"] => answer::json(&json!([{ "accept": asked.accept }])),
        // Bodies that are broken in one way each.
        ["torn_csv"] => answer::body(200, "text/csv", "id,name\n1,a\n2\n"),
        ["open_csv"] => answer::body(200, "text/csv", "id,name\n1,a\n2,\"b"),
        ["torn_ndjson"] => answer::body(200, "application/x-ndjson", "{\"id\":1}\n{\"id\":2\n"),
        ["torn_xml"] => answer::body(200, "text/xml", "<rows><row><id>1</id></row><row>"),
        ["entities"] => answer::body(200, "text/xml", "<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>"),
        ["error_in_csv"] => answer::json(&json!({ "error": "the report is not ready" })),
        // Files.
        ["gzip"] => answer::body(200, "application/octet-stream", gzip(csv(&all, ',').as_bytes())),
        ["zip"] => answer::body(
            200,
            "application/zip",
            archive(&[("a.csv", &csv(&all[..70], ',')), ("b.csv", &csv(&all[70..], ',')), ("readme.txt", "x")]),
        ),
        // Bodies that are read while they arrive.
        ["many_csv"] => many("text/csv", csv, N_MANY),
        ["many_ndjson"] => many("application/x-ndjson", |ids, _| lines(ids), N_MANY),
        ["many_packed"] => packed(&csv(&(1..=N_MANY).collect::<Vec<_>>(), ',')),
        ["many_torn"] => many("text/csv", csv, if control.n_requests(&asked.path) == 1 { N_MANY / 2 } else { N_MANY }),
        ["many_changed"] if control.n_requests(&asked.path) == 1 => many("text/csv", csv, N_MANY / 2),
        ["many_changed"] => many("text/csv", |ids, delimiter| csv(ids, delimiter).replace("row", "line"), N_MANY),
        ["many_wrong"] => many("text/csv", |ids, _| csv(ids, ',').replace("250001,", "250001,,"), N_MANY),
        _ => records(&all, &paged, parts),
    }
}

/// Answers records in other forms than a list of objects.
fn records(all: &[usize], paged: &[usize], parts: &[&str]) -> Response {
    match parts {
        ["keyed"] => answer::json(&json!({ "things": keyed(all) })),
        ["rows"] => answer::json(&json!({ "columns": [{ "name": "id" }, { "name": "name" }], "data": rows(all) })),
        ["sheet"] => {
            let mut values = vec![json!(["id", "name"])];
            values.extend(rows(all));
            answer::json(&json!({ "values": values }))
        }
        ["zipped"] => answer::json(&json!({ "hourly": { "id": all, "name": all.iter().map(|id| name(*id)).collect::<Vec<_>>() } })),
        ["bank"] => {
            answer::json(&json!([{ "page": 1, "pages": 1, "total": N_ROWS }, all.iter().map(|id| object(*id)).collect::<Vec<_>>()]))
        }
        ["gone"] => answer::json(&Value::from(paged.iter().map(|id| gone(*id)).collect::<Vec<_>>())),
        // The texts of numbers, as they are.
        ["decimals"] => answer::body(
            200,
            "application/json",
            r#"[{"id": 1, "a": 0.1, "b": 12345678901234567890.12, "c": 1e-2, "d": [1.5, "2.25"]},
                {"id": 2, "a": "-12.50", "b": "-0.30", "c": 70000, "d": []}, {"id": 3, "a": null, "b": 3, "c": " 4.5 "}]"#,
        ),
        ["moments"] => answer::json(&json!([
            { "at": 1_714_558_830_123_i64, "day": "01.05.2024", "price": " 12.50 ", "name": " a " },
            { "at": "1714558830", "day": "", "price": "", "name": "" },
        ])),
        // Reports as trees: of sections with header and summary, and of rows that are lists of cells.
        ["report"] => answer::json(&json!({
            "Header": { "ReportName": "ProfitAndLoss" },
            "Columns": { "Column": [{ "ColTitle": "", "ColType": "Account" }, { "ColTitle": "Total", "ColType": "Money" }] },
            "Rows": { "Row": [
                { "type": "Section", "group": "Income", "Header": cells("Income", ""), "Summary": cells("Total Income", "30.50"), "Rows": { "Row": [
                    { "type": "Data", "ColData": [{ "value": "Sales", "id": "1" }, { "value": "10.50" }] },
                    { "type": "Section", "Header": cells("Services", ""), "Summary": cells("Total Services", "20.00"), "Rows": { "Row": [
                        { "type": "Data", "ColData": [{ "value": "Repair", "id": "2" }, { "value": "20.00" }] },
                    ] } },
                ] } },
                { "type": "Section", "group": "NetIncome", "Summary": cells("Net Income", "30.50") },
            ] },
        })),
        ["balance"] => answer::json(&json!({ "Reports": [{ "Rows": [
            { "RowType": "Header", "Cells": [{ "Value": "" }, { "Value": "31 Dec" }] },
            { "RowType": "Section", "Title": "Bank", "Rows": [
                { "RowType": "Row", "Cells": [{ "Value": "Cash", "Attributes": [{ "Id": "account", "Value": "7" }] }, { "Value": "1.50" }] },
                { "RowType": "SummaryRow", "Cells": [{ "Value": "Total Bank" }, { "Value": "1.50" }] },
            ] },
        ] }] })),
        ["tree_of_texts"] => answer::json(&json!([{ "id": 1, "below": [{ "id": 2, "below": ["x"] }] }])),
        ["json_dates"] => answer::json(&json!([
            { "id": 1, "at": "/Date(1573755038314+0000)/", "day": "/Date(1573755038314)/" },
            { "id": 2, "at": "/Date(1700000000000+0100)/", "day": "/Date(-1)/" },
            { "id": 3, "at": null, "day": "" },
        ])),
        _ => answer::error(404, "there is no such format"),
    }
}

fn cells(name: &str, amount: &str) -> Value {
    json!({ "ColData": [{ "value": name }, { "value": amount }] })
}

fn name(id: usize) -> String {
    format!("row {id}, \"{}\"", id % 7)
}

fn object(id: usize) -> Value {
    json!({ "id": id, "name": name(id), "day": format!("2024-01-{:02}", id % 28 + 1) })
}

/// Returns a row of which every third is gone.
fn gone(id: usize) -> Value {
    json!({ "id": id, "state": { "gone": id.is_multiple_of(3) } })
}

fn lines(ids: &[usize]) -> String {
    ids.iter().map(|id| format!("{}\n", object(*id))).collect()
}

fn csv(ids: &[usize], delimiter: char) -> String {
    let quoted = |id: &usize| format!("{id}{delimiter}\"{}\"{delimiter}2024-01-{:02}\r\n", name(*id).replace('"', "\"\""), id % 28 + 1);
    format!("id{delimiter}name{delimiter}day\r\n{}", ids.iter().map(quoted).collect::<String>())
}

fn xml(ids: &[usize]) -> String {
    let escaped = |id: &usize| name(*id).replace('"', "&quot;");
    let row = |id: &usize| format!("  <row id=\"{id}\"><name>{}</name><day>2024-01-{:02}</day></row>\n", escaped(id), id % 28 + 1);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows total=\"{N_ROWS}\">\n{}</rows>\n", ids.iter().map(row).collect::<String>())
}

/// Answers many rows in pieces; fewer than all, and the connection is lost.
fn many(content_type: &'static str, body_of: fn(&[usize], char) -> String, n_rows: usize) -> Response {
    let pieces = stream::unfold(0, move |n_sent| async move {
        if n_sent >= n_rows {
            return (n_rows < N_MANY).then(|| (Err(io::Error::other("the connection is lost")), N_MANY));
        }
        let ids: Vec<usize> = (n_sent + 1..=(n_sent + PIECE).min(n_rows)).collect();
        let mut text = body_of(&ids, ',');
        if n_sent > 0 && text.starts_with("id,") {
            text = text.split_off(text.find('\n').map_or(0, |end| end + 1));
        }
        Some((Ok::<_, io::Error>(Bytes::from(text)), n_sent + PIECE))
    });
    answer::body(200, content_type, Body::from_stream(pieces))
}

fn packed(text: &str) -> Response {
    answer::with_header(answer::body(200, "text/csv", gzip(text.as_bytes())), "content-encoding", "gzip")
}

fn keyed(ids: &[usize]) -> Map<String, Value> {
    ids.iter().map(|id| (format!("k{id}"), json!({ "id": id, "name": name(*id) }))).collect()
}

fn rows(ids: &[usize]) -> Vec<Value> {
    ids.iter().map(|id| json!([id, name(*id)])).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        let started = writer.start_file(*name, zip::write::SimpleFileOptions::default());
        if started.is_err() || writer.write_all(text.as_bytes()).is_err() {
            return Vec::new();
        }
    }
    writer.finish().map(Cursor::into_inner).unwrap_or_default()
}
