//! Clauses in words.

use serde_json::Value as Json;

use crate::checks::Check;

/// What a clause requires; `shown` gives a value of the document by its path.
pub(crate) fn wanted(check: &Check, shown: &dyn Fn(&str) -> Option<String>) -> String {
    // Of a comparison with something missing the report does not tell the other side.
    if check.missing.is_some() && check.wanted.is_empty() {
        return "set".to_owned();
    }
    let values: Vec<String> = check
        .wanted
        .iter()
        .map(|(path, value)| shown(path).unwrap_or_else(|| shorten(&value.to_string())))
        .collect();
    let value = match values.as_slice() {
        [] => "what the rule compares it with".to_owned(),
        [one] => one.clone(),
        many => shorten(&many.join(", ")),
    };
    let list = matches!(check.wanted.as_slice(), [(_, Json::Array(_))]) || check.wanted.len() > 1;
    let positive = match check.operator.as_str() {
        "Eq" => value,
        "In" if list => format!("one of {value}"),
        "In" => format!("in {value}"),
        "Lt" => format!("less than {value}"),
        "Le" => format!("at most {value}"),
        "Gt" => format!("more than {value}"),
        "Ge" => format!("at least {value}"),
        "Empty" => "empty".to_owned(),
        "IsString" => "text".to_owned(),
        "IsList" => "a list".to_owned(),
        "IsMap" => "an object".to_owned(),
        "IsInt" => "a whole number".to_owned(),
        "IsFloat" => "a decimal number".to_owned(),
        "IsBool" => "a boolean".to_owned(),
        "IsNull" => "null".to_owned(),
        _ => "set".to_owned(),
    };
    if check.negated { format!("not {positive}") } else { positive }
}

/// Cuts a long text.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A rule's name as a title: `S3_BUCKET_LOGGING` is `S3 BUCKET LOGGING`.
pub(crate) fn title(name: &str) -> String {
    name.split(['_', '-']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text in lower case with hyphens for all that is neither letter nor digit.
pub(crate) fn slug(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect()
}

/// FNV-1a: stable across runs and versions, since fingerprints hold it.
pub(crate) fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| {
        (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
