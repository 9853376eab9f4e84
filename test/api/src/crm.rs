//! A system that says itself which objects it has, and which fields they have.
//!
//! `/crm/objects` lists the objects page by page, `/crm/objects/NAME/describe` the fields of one, and `/crm/query?q=SELECT a, b FROM NAME` its
//! records, with just these fields; `/crm/narrow` takes at most three of them. `/crm/properties/contacts` and `/crm/contacts?properties=a,b` are an object of a fixed name, and `/crm/base`
//! says objects and fields in one answer, whose rows are at `/crm/base/ID`; `/crm/bases` lists two bases, whose objects are at
//! `/crm/bases/BASE/tables`. `/__control?revision=1` adds a field and an object, `revision=2` takes
//! an object away; `mode=grown` changes the employees of accounts, `mode=twins` adds an object whose name differs only in its spelling, `mode=held` holds the list of objects at the gate.

use crate::control::Control;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Map, Value};

/// Rows of each object.
const N_ROWS: usize = 3;

/// Answers a request below `/crm`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    if !asked.is_authorized() {
        return answer::error(401, "who are you?");
    }
    let (revision, mode) = (control.revision(), control.mode());
    match parts {
        ["objects"] => {
            if mode == "held" {
                control.pass_gate().await;
            }
            let objects = objects(revision, &mode);
            let (page, size) = (asked.number("page", 1).max(1), asked.number("size", 2));
            let rows = answer::rows(objects.len(), (page - 1) * size, size, |idx| objects[idx].clone());
            answer::json(&json!({ "objects": rows, "total": objects.len() }))
        }
        ["objects", name, "describe"] => match fields(name, revision) {
            Some(fields) => answer::json(&json!({ "fields": fields })),
            None => answer::error(404, &format!("no object '{name}'")),
        },
        // As `query`, and refuses to give more than two fields besides the id at once.
        ["narrow"] => {
            let text = asked.value("q").unwrap_or_default();
            let n_fields = text.split(" FROM ").next().unwrap_or_default().split(", ").count();
            match n_fields > 3 {
                true => answer::error(414, "the query is too long"),
                false => query(text, revision, &mode),
            }
        }
        ["query"] => query(asked.value("q").unwrap_or_default(), revision, &mode),
        ["properties", "contacts"] => answer::json(&json!({ "results": [
            { "name": "email", "type": "string", "label": "E-mail" },
            { "name": "visits", "type": "number", "label": "Visits" },
            { "name": "first seen", "type": "datetime", "label": null },
            { "name": "internal", "type": "string", "hidden": true },
        ] })),
        ["contacts"] => contacts(asked.value("properties").unwrap_or_default()),
        ["base"] => answer::json(&json!({ "tables": [
            { "id": "tbl1", "name": "Projects", "fields": [{ "name": "Project Name", "type": "singleLineText" }, { "name": "Budget", "type": "number" }] },
            { "id": "tbl2", "name": "people; DROP TABLE x", "fields": [{ "name": "Full \"Name\"", "type": "singleLineText" }] },
        ] })),
        ["bases"] => answer::json(&json!({ "bases": [{ "id": "east" }, { "id": "west" }] })),
        ["bases", base @ ("east" | "west"), "tables"] => {
            let name = if *base == "east" { "Road Works" } else { "Rivers" };
            answer::json(&json!({ "tables": [{ "id": "t1", "name": "Projects" }, { "id": "t2", "name": name }] }))
        }
        ["bases", base @ ("east" | "west"), "rows", id] => {
            let parts = json!([{ "no": 1, "what": format!("part of {id}") }, { "no": 2, "what": "another" }]);
            answer::json(&json!({ "records": [{ "id": 1, "of": format!("{id} of {base}"), "parts": parts }] }))
        }
        ["base", "tbl1"] => answer::json(&json!({ "records": [
            { "id": "rec1", "fields": { "Project Name": "Bridge", "Budget": 12 } },
            { "id": "rec2", "fields": { "Project Name": "Road" } },
        ] })),
        ["base", "tbl2"] => answer::json(&json!({ "records": [{ "id": "rec3", "fields": { "Full \"Name\"": "Ada L." } }] })),
        _ => answer::error(404, "no such thing"),
    }
}

fn objects(revision: usize, mode: &str) -> Vec<Value> {
    let object = |name: &str, label: &str, queryable: bool| json!({ "name": name, "label": label, "queryable": queryable });
    let mut objects = vec![
        object("Account", "Customers and partners", true),
        object("AccountFeed", "What nobody can ask for", false),
        object("LineItem__c", "Lines of orders", true),
        object("Odd'& Name", "A name with everything", true),
    ];
    if revision >= 1 {
        objects.push(object("Ticket", "Questions", true));
    }
    if revision >= 2 {
        objects.retain(|object| object["name"] != "LineItem__c");
    }
    if mode == "twins" {
        objects.push(object("line item c", "Named nearly as another", true));
    }
    objects
}

fn fields(object: &str, revision: usize) -> Option<Vec<Value>> {
    let field = |name: &str, field_type: &str| json!({ "name": name, "type": field_type, "label": format!("The {name}") });
    let mut fields = vec![field("Id", "id"), field("Name", "string")];
    match object {
        "Account" => {
            fields.extend([field("Employees", "int"), field("Created", "datetime"), field("Address", "address")]);
            fields.push(json!({ "name": "Secret", "type": "string", "restricted": true }));
            if revision >= 1 {
                fields.push(field("Rating", "double"));
            }
        }
        "LineItem__c" | "line item c" | "Odd'& Name" | "Ticket" => {}
        _ => return None,
    }
    Some(fields)
}

fn query(text: &str, revision: usize, mode: &str) -> Response {
    let parsed = text.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM "));
    let Some((names, object)) = parsed else { return answer::error(400, &format!("not a query: {text}")) };
    let object = object.trim_matches('`');
    let is_there = objects(revision, mode).iter().any(|known| known["name"] == object && known["queryable"] == true);
    let Some(fields) = fields(object, revision).filter(|_| is_there) else { return answer::error(400, &format!("no object '{object}'")) };
    let names: Vec<&str> = names.split(", ").collect();
    let is_known = |name: &str| fields.iter().any(|field| field["name"] == name && field["restricted"] != true);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        return answer::error(400, &format!("no field '{unknown}' in '{object}'"));
    }
    let record = |idx: usize| -> Value {
        let value = |name: &str| match name {
            "Id" => json!(format!("{:03}", idx + 1)),
            "Employees" if mode == "grown" => json!((idx + 1) * 100),
            "Employees" => json!((idx + 1) * 10),
            "Created" => json!(format!("2026-01-0{}T10:00:00Z", idx + 1)),
            "Address" => json!({ "city": "Bern", "street": { "name": "Main", "number": idx } }),
            "Rating" => json!(1.5 + idx as f64),
            _ => json!(format!("{object} {}", idx + 1)),
        };
        Value::Object(names.iter().map(|name| (name.to_string(), value(name))).collect::<Map<_, _>>())
    };
    answer::json(&json!({ "records": answer::rows(N_ROWS, 0, N_ROWS, record) }))
}

fn contacts(names: &str) -> Response {
    let value = |name: &str, idx: usize| match name {
        "visits" => json!(idx.to_string()),
        "first seen" => json!("2026-02-01T00:00:00Z"),
        _ => json!(format!("{name}{idx}@example.com")),
    };
    let row = |idx: usize| {
        let properties = names.split(',').map(|name| (name.to_string(), value(name, idx))).collect::<Map<_, _>>();
        json!({ "id": idx.to_string(), "properties": properties })
    };
    answer::json(&json!({ "results": answer::rows(N_ROWS, 0, N_ROWS, row) }))
}
