//! JSON text whose members keep their order.

use std::fmt;

/// A JSON value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    /// Text that is JSON already: numbers, `true`, `null`.
    Raw(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Json::Text(text.into())
    }

    pub(crate) fn raw(text: impl Into<String>) -> Self {
        Json::Raw(text.into())
    }

    pub(crate) fn object<'k>(members: impl IntoIterator<Item = (&'k str, Json)>) -> Self {
        Json::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Raw(text) => f.write_str(text),
            Json::Text(text) => f.write_str(&quoted(text)),
            Json::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                for (i, (key, value)) in members.iter().enumerate() {
                    write!(f, "{}{}: {value}", if i > 0 { ",\n" } else { "" }, quoted(key))?;
                }
                f.write_str("}")
            }
        }
    }
}
