//! The shop: a well-behaved API with every way of paging, parents and children, and data that is hard to type.

use crate::control::Control;
use crate::{answer, Asked};
use axum::response::Response;
use serde_json::{json, Map, Value};

const N_ORDERS: usize = 250;
const N_PRODUCTS: usize = 300;
const N_CUSTOMERS: usize = 120;
const N_EVENTS: usize = 230;
const N_STORES: usize = 3;
const N_GATED: usize = 30;
const N_HALFWAY: usize = 100;

/// Answers a request below `/shop`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    if parts != ["open"] && !asked.is_authorized() {
        return answer::error(401, "who are you?");
    }
    match parts {
        ["open"] => answer::json(&json!([{ "id": 1 }])),
        ["orders"] => orders(asked),
        ["products"] => {
            let (start, count) = (asked.number("offset", 0), asked.number("limit", 20).min(100));
            answer::json(&Value::Array(answer::rows(N_PRODUCTS, start, count, product)))
        }
        ["customers"] => customers(asked),
        ["events"] => answer::linked_page(asked, N_EVENTS, event),
        ["stores"] => answer::json(&Value::Array(answer::rows(N_STORES, 0, N_STORES, store))),
        ["stores", store, "staff"] => staff(store),
        ["stores", store, "staff", id] => badge(store, id),
        ["prices"] => prices(asked),
        ["stock"] => stock(asked, control),
        ["gated"] => gated(asked, control).await,
        ["halfway"] => halfway(asked, control).await,
        ["profile"] => {
            answer::json(&json!({ "id": 7, "name": "The shop", "address": { "city": "Berlin", "geo": { "lat": 52.5, "lon": 13.4 } } }))
        }
        ["nothing"] => answer::json(&json!({ "rows": null })),
        ["no_rows"] => answer::json(&json!({ "rows": [] })),
        ["late"] => numbered_pages(asked, 6, 10, late_row),
        ["widening"] => numbered_pages(asked, 5, 2, widening_row),
        ["types"] => answer::json(&types()),
        ["names"] => answer::json(&names()),
        ["wide"] => answer::json(&json!([(0..2000).map(|idx| (format!("field_{idx}"), json!(idx))).collect::<Map<_, _>>()])),
        ["big_field"] => answer::json(&json!([{ "id": 1, "content": "x".repeat(16 << 20) }])),
        ["big_page"] => {
            answer::json(&Value::Array(answer::rows(60, 0, 60, |idx| json!({ "id": idx + 1, "content": "y".repeat(1 << 20) }))))
        }
        ["numbers"] => numbered_pages(asked, asked.number("pages", 1), 1000, |idx| json!({ "n": idx + 1 })),
        ["numbers", n] => answer::json(&json!([{ "square": n.parse::<u64>().map_or(Value::Null, |n| json!(n * n)) }])),
        ["many"] => numbered_pages(
            asked,
            asked.number("pages", 20),
            100,
            |idx| json!({ "id": idx, "name": format!("row {idx}"), "group": idx % 7 }),
        ),
        _ => answer::error(404, "no such thing"),
    }
}

/// Returns page `page` (from 1) of a list of `n_pages * page_size` rows, whatever page size was asked.
fn numbered_pages(asked: &Asked, n_pages: usize, page_size: usize, row_of: impl Fn(usize) -> Value) -> Response {
    let page = asked.number("page", 1).max(1);
    answer::json(&Value::Array(answer::rows(n_pages * page_size, (page - 1) * page_size, page_size, row_of)))
}

fn orders(asked: &Asked) -> Response {
    let count = asked.number("count", 10).clamp(1, 100);
    let page = asked.number("page", 1).max(1);
    let rows = answer::rows(N_ORDERS, (page - 1) * count, count, order);
    answer::json(&json!({ "meta": { "total": N_ORDERS, "page": page, "source": "shop" }, "orders": rows }))
}

fn order(idx: usize) -> Value {
    let id = idx + 1;
    json!({
        "id": id,
        "placed_at": format!("2024-{:02}-{:02}T10:{:02}:00+02:00", idx % 12 + 1, idx % 28 + 1, idx % 60),
        "ship_date": format!("2024-{:02}-{:02}", idx % 12 + 1, idx % 28 + 1),
        "paid": idx.is_multiple_of(2),
        "amount": idx as f64 * 1.5,
        "note": if idx.is_multiple_of(10) { json!("call 555-123-4567") } else { Value::Null },
        "customer": { "id": idx % N_CUSTOMERS + 1, "name": format!("Customer {}", idx % N_CUSTOMERS + 1), "address": { "city": (["Berlin", "Paris"][idx % 2]), "zip": format!("{:05}", idx) } },
        "tags": (0..idx % 3).map(|tag| format!("tag{tag}")).collect::<Vec<_>>(),
        "lines": [{ "product": idx % N_PRODUCTS + 1, "quantity": idx % 5 + 1 }],
    })
}

fn product(idx: usize) -> Value {
    json!({ "id": idx + 1, "name": format!("Product {}", idx + 1), "price": idx as f64 + 0.25, "stock": idx % 11 })
}

/// Answers with the customers after the one named, and whether there are more.
fn customers(asked: &Asked) -> Response {
    let limit = asked.number("limit", 10).clamp(1, 50);
    let start = match asked.value("after") {
        None => 0,
        Some(token) => match token.strip_prefix("cus_").and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => number,
            None => return answer::error(400, "unknown token"),
        },
    };
    let row = |idx: usize| json!({ "id": format!("cus_{}", idx + 1), "number": idx + 1, "name": format!("Customer {}", idx + 1), "vip": idx.is_multiple_of(10) });
    let data = answer::rows(N_CUSTOMERS, start, limit, row);
    answer::json(&json!({ "object": "list", "has_more": start + limit < N_CUSTOMERS, "data": data }))
}

fn event(idx: usize) -> Value {
    json!({ "id": format!("evt_{:04}", idx + 1), "kind": (["view", "click", "buy"][idx % 3]), "at": format!("2024-05-01T{:02}:{:02}:00Z", idx / 60, idx % 60) })
}

fn store(idx: usize) -> Value {
    json!({ "id": format!("store/{}", idx + 1), "city": (["Berlin", "Paris", "Rome"][idx]) })
}

/// Answers with the staff of a store: two people, one, and none.
fn staff(store: &str) -> Response {
    match store.strip_prefix("store/").and_then(|number| number.parse::<usize>().ok()) {
        Some(number @ 1..=N_STORES) => {
            let person =
                |idx: usize| json!({ "id": number * 10 + idx, "name": format!("Person {number}{idx}"), "store": { "manager": idx == 0 } });
            answer::json(&Value::Array(answer::rows(N_STORES - number, 0, N_STORES, person)))
        }
        _ => answer::error(404, "no such store"),
    }
}

fn badge(store: &str, id: &str) -> Response {
    answer::json(&json!({ "badge": format!("{store}#{id}"), "valid": true }))
}

/// Answers with a price per currency and region, and what else was asked.
fn prices(asked: &Asked) -> Response {
    let asked_for: Map<String, Value> =
        asked.query.iter().filter(|(key, _)| key != "api_key").map(|(key, value)| (format!("asked_{key}"), json!(value))).collect();
    let mut row = Map::new();
    row.insert("price".to_string(), json!(asked.query.len() * 10));
    row.extend(asked_for);
    answer::json(&json!([row]))
}

/// Answers with rows whose number and revision `/__control` sets.
fn stock(asked: &Asked, control: &Control) -> Response {
    let (count, page) = (asked.number("count", 10).clamp(1, 10), asked.number("page", 1).max(1));
    let revision = control.revision();
    let row = |idx: usize| json!({ "id": idx + 1, "revision": revision });
    answer::json(&Value::Array(answer::rows(control.rows().unwrap_or(25), (page - 1) * count, count, row)))
}

/// Answers the first page at once and the others when the gate is open.
async fn gated(asked: &Asked, control: &Control) -> Response {
    let page = asked.number("page", 1).max(1);
    if page > 1 {
        control.pass_gate().await;
    }
    answer::json(&Value::Array(answer::rows(N_GATED, (page - 1) * 10, 10, |idx| json!({ "id": idx + 1 }))))
}

/// Answers the first half of its pages at once and the others when the gate is open. Each page says which is the last.
async fn halfway(asked: &Asked, control: &Control) -> Response {
    if asked.number("page", 1) * asked.number("per_page", 10) > N_HALFWAY / 2 {
        control.pass_gate().await;
    }
    answer::linked_page(asked, N_HALFWAY, |idx| json!({ "id": idx + 1 }))
}

/// Fields that come late: `null` for two pages, then an object; a new field from page 5 on.
fn late_row(idx: usize) -> Value {
    let mut row = json!({ "id": idx + 1, "seen": true });
    row["details"] = if idx < 20 { Value::Null } else { json!({ "size": idx, "color": "red" }) };
    if idx >= 40 {
        row["appeared"] = json!("2024-06-01");
    }
    row
}

/// One field that needs a wider type on each page.
fn widening_row(idx: usize) -> Value {
    let two_to_63 = json!(9_223_372_036_854_775_808_u64);
    let number = [json!(1), Value::Null, json!(2), two_to_63.clone(), json!(3), two_to_63, json!("text"), json!(4), Value::Null, json!(5)];
    let exact = [json!(1), json!(2), json!(0.5), json!(3), json!(4), json!(5), json!(6), json!(7), json!(8), json!(9)];
    let flag = [
        json!(true),
        json!(false),
        Value::Null,
        json!(true),
        json!("maybe"),
        json!(true),
        json!(true),
        json!(true),
        json!(true),
        json!(true),
    ];
    let moment = |idx: usize| if idx == 7 { json!("soon") } else { json!("2024-01-01T00:00:00Z") };
    let thing = if idx == 9 { json!({ "inner": 1 }) } else { json!("plain") };
    json!({ "id": idx + 1, "number": number[idx % 10], "exact": exact[idx % 10], "flag": flag[idx % 10], "moment": moment(idx), "thing": thing })
}

fn types() -> Value {
    json!([
        {
            "an_integer": 1, "a_number": 1.5, "a_boolean": true, "a_text": "x", "a_null": null,
            "a_date": "2024-02-29", "a_timestamp": "2024-02-29T12:30:00Z", "an_offset": "2024-02-29T12:30:00+02:00",
            "nine_digits": "2024-02-29T12:30:00.123456789Z", "no_zone": "2024-02-29T12:30:00",
            "phone": "555-123-4567", "isbn": "978-3-16-148410-0", "mac": "00:1B:44:11:3A:B7", "release": "1.2.3",
            "us_date": "02/29/2024", "a_uuid": "123e4567-e89b-12d3-a456-426614174000",
            "integers": [1, 2], "texts": ["a", "b"], "mixed": [1, "a"], "nothing": [], "lists": [[1], [2]], "objects": [{ "a": 1 }],
            "empty_object": {}, "deep": { "a": { "b": { "c": 1 } } }, "big": 9_223_372_036_854_775_807_i64, "empty_text": ""
        },
        {
            "an_integer": null, "a_number": 2, "a_boolean": null, "a_text": null, "a_null": null,
            "a_date": null, "a_timestamp": null, "an_offset": null, "nine_digits": null, "no_zone": null,
            "phone": null, "isbn": null, "mac": null, "release": null, "us_date": null, "a_uuid": null,
            "integers": [], "texts": null, "mixed": null, "nothing": null, "lists": null, "objects": [],
            "empty_object": null, "deep": null, "big": -9_223_372_036_854_775_808_i64, "empty_text": "é☃😀"
        }
    ])
}

/// One row whose field names are awkward. Each value is the number of the field.
fn names() -> Value {
    let long = "n".repeat(300);
    let fields = [
        "plain",
        "Capital",
        "with space",
        "with.dot",
        "with\"quote",
        "with'apostrophe",
        "with-dash",
        "emoji😀",
        "select",
        "rowid",
        "table",
        "a_b",
        "1st",
        "semi;colon",
        "per%cent",
        "new\nline",
        "",
        " ",
        "ünïcödé",
        "UPPER",
        "upper",
    ];
    let mut row: Map<String, Value> = fields.iter().enumerate().map(|(idx, name)| (name.to_string(), json!(idx))).collect();
    row.insert("a".to_string(), json!({ "b": 100 }));
    row.insert(long, json!(101));
    json!([row])
}
