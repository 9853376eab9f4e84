//! Reads the path of a request, and its method.

use super::text::below_base_url;
use super::Fields;
use crate::spec::{Method, Template};

/// Returns the path, and the method where one is written.
pub(super) fn path_of(fields: &Fields<'_>, methods: &[&str]) -> (Template, Option<Method>) {
    let mut path = fields.text("resource_path");
    let mut method = fields.text("method").map(|method| ("method", method));
    if let Some(resource) = fields.text("query_resource") {
        let words: Vec<&str> = resource.split_whitespace().collect();
        match (words.as_slice(), &path) {
            (_, Some(_)) => fields
                .mistakes()
                .at(fields.mapping_node(), format!("{} has both resource_path and query_resource; keep one", fields.place())),
            ([word, resource], None) => {
                method = method.or(Some(("query_resource", word.to_string())));
                path = Some(resource.to_string());
            }
            _ => fields.wrong(
                "query_resource",
                fields.get("query_resource").unwrap_or(fields.mapping_node()),
                "a method and a path, such as 'GET /repos'",
            ),
        }
    }
    let method = method.and_then(|(key, name)| {
        let method = Method::named(name.trim()).filter(|method| methods.contains(&method.name()));
        if method.is_none() {
            let node = fields.get(key).unwrap_or(fields.mapping_node());
            let hint = fields.mistakes().suggestions().suggestion(&name, methods);
            fields.mistakes().at(node, format!("method '{name}' of {} does not read; {hint}", fields.place()));
        }
        method
    });
    let path = path.unwrap_or_default();
    (below_base_url(&path, fields.get("resource_path").unwrap_or(fields.mapping_node()), fields), method)
}
