//! Lists in lists, as deep as nobody knows: each node is asked for what is below it.

use crate::{answer, Asked, Control};
use axum::response::Response;
use serde_json::{json, Value};

/// Nodes of the tree: below the root there are 1 and 2, and below any other one N there are 3N, 3N + 1 and 3N + 2, up to this one.
const N_NODES: usize = 40;
const PAGE_SIZE: usize = 2;

/// Answers a request below `/tree`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    match parts {
        ["nodes", node, "below"] => match node.parse() {
            Ok(node) => page(asked, node),
            Err(_) if *node == "root" => page(asked, 0),
            Err(_) => answer::error(404, "no such node"),
        },
        // The third level fails until the test says that it does not.
        ["fails", node, "below"] => match node.parse() {
            Ok(4 | 7) if control.mode() != "fine" => answer::error(500, "told to fail"),
            Ok(node) => page(asked, node),
            Err(_) => answer::error(404, "no such node"),
        },
        // The third level waits until the gate opens.
        ["held", node, "below"] => match node.parse() {
            Ok(node) => {
                if node > 2 {
                    control.pass_gate().await;
                }
                page(asked, node)
            }
            Err(_) => answer::error(404, "no such node"),
        },
        // a is above b, b above a and c, and both above d, which nobody can see.
        ["circle", node] => answer::json(&match *node {
            "a" => json!([{ "id": "b", "name": "B" }, { "id": "d", "name": "D" }]),
            "b" => json!([{ "id": "a", "name": "A" }, { "id": "c", "name": "C" }, { "id": "d", "name": "D" }]),
            "d" => return answer::error(404, "not for you"),
            _ => json!([]),
        }),
        ["endless", node] => answer::json(&json!([{ "id": node.parse().unwrap_or(0) + 1 }])),
        _ => answer::error(404, "there is no such tree"),
    }
}

fn page(asked: &Asked, node: usize) -> Response {
    let below: Vec<usize> = (1..=N_NODES).filter(|id| *id != node && id / 3 == node).collect();
    let start = asked.number("start", 0);
    let row = |id: &usize| json!({ "id": id, "has_more": id * 3 <= N_NODES, "lines": [{ "no": 1 }, { "no": 2 }] });
    let rows: Vec<Value> = below.iter().skip(start).take(PAGE_SIZE).map(row).collect();
    let next = (start + PAGE_SIZE < below.len()).then_some(start + PAGE_SIZE);
    answer::json(&json!({ "rows": rows, "next": next }))
}
