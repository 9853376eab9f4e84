//! A look at one value of a body, without building the others.

use super::parse::without_mark;
use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Returns a body as a tree; `None` when it is not JSON.
pub fn tree_of(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(without_mark(body)).ok()
}

/// Returns a text as a tree. Fails, saying where, when it is not JSON.
pub fn read_json(text: &str) -> crate::Result<Value> {
    serde_json::from_str(text).map_err(|err| crate::Error::config(format!("it is not valid JSON: {err}")))
}

/// Returns the value that these keys and positions lead to; `None` when there is none, or the body is not JSON. A body that does not hold the
/// keys is not parsed.
pub fn value_at(body: &[u8], path: &[String]) -> Option<Value> {
    if !may_have(body, path) {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(without_mark(body));
    let found = Look { path }.deserialize(&mut reader).ok()?;
    reader.end().ok().and(found)
}

/// Returns whether each key stands somewhere in the body, or may stand there in another spelling.
fn may_have(body: &[u8], path: &[String]) -> bool {
    let is_there = |key: &&String| key.parse::<usize>().is_ok() || memmem::find(body, key.as_bytes()).is_some();
    path.iter().all(|key| is_there(&key)) || body.contains(&b'\\')
}

/// Follows the rest of a path.
#[derive(Clone, Copy)]
struct Look<'p> {
    path: &'p [String],
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Option<Value>, D::Error> {
        match self.path {
            [] => Value::deserialize(value).map(Some),
            _ => value.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    /// Of equal keys the last one counts.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Value>, A::Error> {
        let Some((key, rest)) = self.path.split_first() else { return Ok(None) };
        let mut found = None;
        while let Some(is_key) = entries.next_key_seed(IsKey(key))? {
            match is_key {
                true => found = entries.next_value_seed(Look { path: rest })?,
                false => _ = entries.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<Value>, A::Error> {
        let Some((key, rest)) = self.path.split_first() else { return Ok(None) };
        let mut found = None;
        if let Ok(position) = key.parse::<usize>() {
            let mut n_before = 0;
            while n_before < position && elements.next_element::<IgnoredAny>()?.is_some() {
                n_before += 1;
            }
            found = elements.next_element_seed(Look { path: rest })?.flatten();
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }
}

/// Tells a key from others, without a copy of either.
struct IsKey<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;
    use crate::document::tests::json_value;
    use proptest::prelude::*;

    fn found(body: &str, path: &str) -> Option<String> {
        let path: Vec<String> = path.split('.').map(str::to_string).collect();
        value_at(body.as_bytes(), &path).map(|value| value.to_string())
    }

    #[test]
    fn one_value_is_found_among_others() {
        let body = r#"{"a":{"b":[1,{"c":"x"},3]},"n":1.50,"e":null,"\u0065\u0072":{"r":true}}"#;
        assert_eq!(found(body, "a.b.1.c").as_deref(), Some("\"x\""));
        assert_eq!(found(body, "a.b.2").as_deref(), Some("3"));
        assert_eq!(found(body, "n").as_deref(), Some("1.50"));
        assert_eq!(found(body, "e").as_deref(), Some("null"));
        assert_eq!(found(body, "er.r").as_deref(), Some("true"));
        assert_eq!(found("\u{feff}{\"a\":1}", "a").as_deref(), Some("1"));
        assert_eq!(found(r#"{"a":1,"a":{"b":2},"a":{"b":3}}"#, "a.b").as_deref(), Some("3"));
        for path in ["a.b.3", "a.b.1.d", "n.x", "a.c", "zz", "e.x"] {
            assert_eq!(found(body, path), None, "{path}");
        }
    }

    #[test]
    fn what_is_not_json_has_no_value() {
        for body in ["", "a,b\n1,2", "<a>1</a>", "{\"a\":1", "{\"a\":1} x", "{\"a\":tru}"] {
            assert_eq!(found(body, "a"), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_look_finds_what_parsing_finds(value in json_value(), path in prop::collection::vec("[a-d]{0,2}|[0-3]", 1..4)) {
            let text = value.to_string();
            let mut bytes = text.clone().into_bytes();
            let parsed = parse(&mut bytes).unwrap().root().at(&path).map(|node| node.to_value());
            prop_assert_eq!(value_at(text.as_bytes(), &path), parsed);
        }
    }
}
