//! What GitHub code scanning requires of a SARIF file, as a check that tests of several crates
//! share. It reads the file as a stranger would: nothing of the writer is used.

use serde_json::Value;

/// The breaches of GitHub's requirements in a SARIF log, in words; empty when there are none.
/// `read` gives the text of a file by its boundary-relative path.
#[must_use]
pub fn check_github_profile(sarif: &Value, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut out = Breaches(Vec::new());
    out.require(sarif, "/$schema", "log");
    out.expect(sarif["version"] == "2.1.0", || "version is not 2.1.0".into());
    let runs = sarif["runs"].as_array().map_or(&[][..], Vec::as_slice);
    out.expect(runs.len() == 1, || format!("{} runs, not one", runs.len()));
    for run in runs {
        out.run(run, read);
    }
    out.0
}

struct Breaches(Vec<String>);

impl Breaches {
    fn expect(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.0.push(message());
        }
    }

    /// A text that must be there and not be empty.
    fn require<'a>(&mut self, value: &'a Value, pointer: &str, of: &str) -> &'a str {
        let text = value.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        self.expect(!text.is_empty(), || format!("{of}: {pointer} is missing or empty"));
        text
    }

    fn run(&mut self, run: &Value, read: &dyn Fn(&str) -> Option<String>) {
        self.require(run, "/tool/driver/name", "run");
        self.require(run, "/tool/driver/semanticVersion", "run");
        self.require(run, "/automationDetails/id", "run");
        let rules = run.pointer("/tool/driver/rules").and_then(Value::as_array);
        let rules = rules.map_or(&[][..], Vec::as_slice);
        self.expect(!rules.is_empty(), || "no rules".into());
        for rule in rules {
            self.rule(rule);
        }
        let Some(results) = run["results"].as_array() else {
            self.0.push("results is missing".into());
            return;
        };
        self.expect(results.len() <= 25_000, || format!("{} results", results.len()));
        for (i, result) in results.iter().enumerate() {
            self.result(i, result, rules, read);
        }
    }

    fn rule(&mut self, rule: &Value) {
        let id = self.require(rule, "/id", "rule").to_owned();
        for pointer in ["/shortDescription/text", "/fullDescription/text"] {
            let n = self.require(rule, pointer, &id).chars().count();
            self.expect(n <= 1024, || format!("{id}: {pointer} has {n} characters"));
        }
        let n = self.require(rule, "/name", &id).chars().count();
        self.expect(n <= 255, || format!("{id}: name has {n} characters"));
        self.require(rule, "/help/text", &id);
        self.require(rule, "/help/markdown", &id);
        self.require(rule, "/properties/precision", &id);
        let uri = rule.get("helpUri").map_or(Some("https://"), Value::as_str).unwrap_or("");
        self.expect(uri.starts_with("https://") && !uri.contains(' '), || {
            format!("{id}: helpUri is no address on the web: {uri:?}")
        });
        let level = self.require(rule, "/defaultConfiguration/level", &id).to_owned();
        self.expect(["note", "warning", "error"].contains(&&*level), || format!("{id}: {level}"));
        let score = self.require(rule, "/properties/security-severity", &id);
        let score: f64 = score.parse().unwrap_or(-1.0);
        self.expect(score > 0.0 && score <= 10.0, || format!("{id}: security-severity {score}"));
        let tags = rule.pointer("/properties/tags").and_then(Value::as_array);
        let tags = tags.map_or(&[][..], Vec::as_slice);
        self.expect(tags.len() <= 10, || format!("{id}: {} tags", tags.len()));
        self.expect(tags.iter().any(|t| t == "security"), || format!("{id}: no tag security"));
    }

    fn result(
        &mut self,
        i: usize,
        result: &Value,
        rules: &[Value],
        read: &dyn Fn(&str) -> Option<String>,
    ) {
        let id = format!("result {i} ({})", self.require(result, "/ruleId", "result"));
        self.require(result, "/message/text", &id);
        self.require(result, "/partialFingerprints/primaryLocationLineHash", &id);
        let index = result["ruleIndex"].as_u64().and_then(|n| rules.get(n as usize));
        self.expect(index.is_some_and(|r| r["id"] == result["ruleId"]), || {
            format!("{id}: ruleIndex names another rule")
        });
        let kind = result["kind"].as_str().unwrap_or("fail");
        self.expect((kind == "fail") == (result["level"] != "none"), || {
            format!("{id}: level {} of kind {kind}", result["level"])
        });
        let locations = result["locations"].as_array().map_or(&[][..], Vec::as_slice);
        self.expect(locations.len() == 1, || format!("{id}: {} locations", locations.len()));
        let related = result["relatedLocations"].as_array().map_or(&[][..], Vec::as_slice);
        for location in locations.iter().chain(related) {
            self.location(&id, location, read);
        }
    }

    fn location(&mut self, id: &str, location: &Value, read: &dyn Fn(&str) -> Option<String>) {
        let uri = self.require(location, "/physicalLocation/artifactLocation/uri", id).to_owned();
        let relative = !uri.starts_with('/') && !uri.contains(':') && !uri.contains('\\');
        self.expect(relative, || format!("{id}: {uri} is not relative"));
        let region = &location["physicalLocation"]["region"];
        let number = |name: &str| region[name].as_u64().unwrap_or(0) as usize;
        let (line, column) = (number("startLine"), number("startColumn"));
        let (end_line, end_column) = (number("endLine"), number("endColumn"));
        if line.min(column).min(end_line).min(end_column) == 0 {
            self.0.push(format!("{id}: the region lacks one of its four numbers"));
            return;
        }
        let Some(text) = decoded(&uri).and_then(|path| read(&path)) else {
            self.0.push(format!("{id}: there is no file {uri}"));
            return;
        };
        match sliced(&text, (line, column), (end_line, end_column)) {
            None => self.0.push(format!("{id}: the region lies outside {uri}")),
            Some(slice) => {
                let snippet = &region["snippet"]["text"];
                self.expect(snippet.is_null() || *snippet == slice, || {
                    format!("{id}: the snippet {snippet} is not the region's text {slice:?}")
                });
            }
        }
    }
}

/// Undoes percent-encoding.
fn decoded(uri: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The text between two places (line and column from 1, in characters, the end exclusive), or
/// `None` where they lie outside the text or in the wrong order.
fn sliced(text: &str, start: (usize, usize), end: (usize, usize)) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let offset = |(line, column): (usize, usize)| -> Option<usize> {
        let before: usize = lines.get(..line - 1)?.iter().map(|l| l.len()).sum();
        let line = lines.get(line - 1).copied().unwrap_or("");
        let inside = line.char_indices().map(|(i, _)| i).chain([line.len()]).nth(column - 1)?;
        Some(before + inside)
    };
    text.get(offset(start)?..offset(end)?).map(str::to_owned)
}
