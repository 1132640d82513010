//! Which folders a configuration file may call, told without parsing it.
//!
//! A repository of thousands of modules is searched for the callers of one: most files call nobody,
//! and of the others only those that name the module need to be parsed.

use memchr::memmem;

/// The local module sources that may stand in the text of a configuration file: every one that does,
/// and perhaps other texts in quotes. `None` where only parsing tells.
#[must_use]
pub fn local_sources(text: &str) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    if !mentions_module(text) {
        return Some(Vec::new());
    }
    // Escapes that may spell a dot.
    if memmem::find(bytes, b"\"\\u").is_some() || memmem::find(bytes, b"\"\\U").is_some() {
        return None;
    }
    // The text of a heredoc begins where no quote stands.
    let heredoc = |at: usize| {
        let rest = text.get(at + "source".len()..).unwrap_or_default().trim_start();
        let value = rest.strip_prefix('=').map(str::trim_start);
        value.is_some_and(|value| value.starts_with(['<', '(', '/', '#']))
    };
    if memmem::find_iter(bytes, b"source").any(heredoc) {
        return None;
    }
    let mut out = Vec::new();
    for at in memmem::find_iter(bytes, b"\".") {
        let rest = text.get(at + 1..).unwrap_or_default();
        let source = rest.split('"').next().unwrap_or_default();
        if is_local(source) {
            // Escapes and marks of templates that stand for other text.
            if source.contains(['\\', '$', '%']) {
                return None;
            }
            out.push(source);
        }
    }
    Some(out)
}

/// Whether the text of a configuration file may call a module at all.
pub(crate) fn mentions_module(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"module").is_some()
}

/// Whether a module source names a folder beside the calling one.
pub(crate) fn is_local(source: &str) -> bool {
    source.starts_with("./") || source.starts_with("../") || matches!(source, "." | "..")
}

#[cfg(test)]
mod tests {
    use portcullis_core::MemoryFiles;

    use super::*;
    use crate::{Project, Settings};

    #[test]
    fn every_source_that_parsing_finds_is_told_or_left_to_parsing() {
        let texts = [
            "module \"a\" {\n  source = \"../a\"\n}\n",
            "module \"a\" { source = \"./x/y\" }\nmodule \"b\" {\n  source=\"..\"\n}\n",
            "module \"a\" {\n  source = (\"../a\")\n}\n",
            "module \"a\" {\n  source = /* here */ \"../a\"\n}\n",
            "module \"a\" {\n  source = \"\\u002e./a\"\n}\n",
            "module \"a\" {\n  source = \"../\\u0061\"\n}\n",
            "module \"a\" {\n  source = \"../$${x}\"\n}\n",
            "module \"a\" {\n  source = <<EOT\n../a\nEOT\n}\n",
            "module \"a\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n",
            "module \"a\" {\n  source = \".\"\n}\nlocals {\n  t = \"a\".b\n  n = join(\"\\n\", [\"./q\"])\n}\n",
        ];
        let json = [
            "{\"module\": {\"a\": {\"source\": \"../a\"}, \"b\": {\"source\": \"./b\"}}}",
            "{\"module\": {\"a\": {\"source\":\n \"\\u002e./a\"}}}",
        ];
        let named = texts.iter().map(|t| ("main.tf", t));
        let mut parsed = 0;
        for (name, text) in named.chain(json.iter().map(|t| ("main.tf.json", t))) {
            let files = MemoryFiles::new([(format!("m/n/{name}"), text)]);
            let calls = Project::new(&files, Settings::default()).calls("m/n");
            let Some(told) = local_sources(text) else { continue };
            for call in calls.iter().filter(|call| is_local(&call.source)) {
                assert!(told.contains(&call.source.as_str()), "{text}: {told:?}");
                parsed += 1;
            }
        }
        assert_eq!(parsed, 6);
        assert_eq!(local_sources("resource \"x\" \"y\" {\n  path = \"./z\"\n}\n"), Some(vec![]));
        assert_eq!(local_sources(texts[0]), Some(vec!["../a"]));
        assert_eq!(local_sources(texts[7]), None);
    }
}
