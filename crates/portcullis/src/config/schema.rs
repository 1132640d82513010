//! The JSON Schema of `portcullis.toml`, written into the book from the types that read it.

use super::file::File;

/// Where editors find it.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/portcullis.schema.json");

/// Written anew with `UPDATE_SCHEMA=1 cargo test -p portcullis schema`.
#[test]
#[allow(clippy::unwrap_used, reason = "tests may")]
fn the_schema_in_the_book_is_that_of_the_reader() {
    let schema = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut text = serde_json::to_string_pretty(&schema.into_root_schema_for::<File>()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(PATH, &text).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(kept == text, "write it anew: UPDATE_SCHEMA=1 cargo test -p portcullis schema");
}

/// The schema and the reader agree on what is right and what is wrong.
#[test]
#[allow(clippy::unwrap_used, reason = "tests may")]
fn the_schema_takes_what_the_reader_takes() {
    let schema = schemars::schema_for!(File);
    let schema = jsonschema::validator_for(schema.as_value()).unwrap();
    for (text, fine) in [
        ("profile = \"strict\"\nfail-on = \"high\"", true),
        ("extends = { path = \"a.toml\", sha256 = \"00\" }", true),
        ("[rules.aws-x]\nmin_days = 3\n[[rules.aws-x.for]]\ntag = \"a=b\"\nmin_days = 4", true),
        ("[[environments]]\nname = \"p\"\npaths = [\"*\"]\nvars = { a = 1 }", true),
        ("[[environments]]\nname = \"p\"", false),
        ("profil = \"strict\"", false),
        ("[[exceptions]]\nrule = \"a\"", false),
        ("[governance]\nlocked = []", false),
    ] {
        let value: toml::Value = toml::from_str(text).unwrap();
        let json = serde_json::to_value(&value).unwrap();
        assert_eq!(schema.is_valid(&json), fine, "schema: {text}");
        assert_eq!(toml::from_str::<File>(text).is_ok(), fine, "reader: {text}");
    }
}
