//! What a request sends besides its URL and headers.

use super::{JsonTemplate, Method, Template};

/// The parts of a table's request that few tables have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestDef {
    pub method: Method,
    /// Where the table is, if elsewhere than the others.
    pub base_url: Option<Template>,
    pub body: Body,
    /// Whether a request that is not a GET may be sent twice.
    pub is_safe: Option<bool>,
    /// What the errors of an answer mean that is GraphQL's; `None`: it is another's.
    pub graphql_errors: Option<GraphqlErrors>,
    /// What the first page is asked for with instead, if with something else.
    pub first: Option<Box<FirstRequest>>,
}

/// What it means when an answer of a GraphQL API has data and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GraphqlErrors {
    /// Something is missing in the data: an error.
    #[default]
    Fail,
    /// The data may be used: a warning.
    Warn,
}

/// The request for the first page, where it differs from those for later ones.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstRequest {
    pub path: Template,
    pub method: Method,
    pub body: Body,
}

impl FirstRequest {
    /// Returns all texts with holes.
    pub fn templates(&self) -> Vec<&Template> {
        std::iter::once(&self.path).chain(self.body.templates()).collect()
    }
}

impl RequestDef {
    /// Returns whether the API takes the same request twice as if it came once.
    pub fn may_repeat(&self) -> bool {
        self.is_safe.unwrap_or(true)
    }
}

/// The body of a request, with holes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Body {
    /// Nothing is sent.
    #[default]
    None,
    Json(JsonTemplate),
    /// `application/x-www-form-urlencoded`: the entries of an object.
    Form(JsonTemplate),
    /// `multipart/form-data`: the entries of an object.
    Multipart(JsonTemplate),
    Text(Template),
}

impl Body {
    /// Returns all texts with holes, in order.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Body::None => Vec::new(),
            Body::Json(json) | Body::Form(json) | Body::Multipart(json) => json.templates(),
            Body::Text(template) => vec![template],
        }
    }

    /// Returns whether `wanted`, such as the rows that are written, stands in it.
    pub fn has(&self, wanted: &JsonTemplate) -> bool {
        match self {
            Body::None | Body::Text(_) => false,
            Body::Json(json) | Body::Form(json) | Body::Multipart(json) => json.has(wanted),
        }
    }
}
