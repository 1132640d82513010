//! Files that give parameters their values: CloudFormation's, CodePipeline's, Git sync's and SAM's.

use std::sync::Arc;

use portcullis_core::{Diagnostic, FileId, Span};
use portcullis_syntax::{Node, NodeKind};
use toml::de::{DeTable, DeValue};

use crate::parameters::{Given, text_of};

/// Text with its place.
type Text = (String, Span);

/// What SAM's configuration says for one environment.
#[derive(Default)]
struct Deploy {
    overrides: Vec<Text>,
    /// Pseudo parameters that follow from other settings.
    pseudo: Vec<(&'static str, Text)>,
}

/// Settings of `sam deploy` that fix a pseudo parameter.
const PSEUDO: [(&str, &str); 2] = [("region", "AWS::Region"), ("stack_name", "AWS::StackName")];
/// Tables of an environment, the more general first.
const COMMANDS: [&str; 2] = ["global", "deploy"];

/// Reads a parameter file: CloudFormation's list of `ParameterKey` and `ParameterValue` or of
/// `Key=Value`, CodePipeline's object with `Parameters`, Git sync's with `parameters`, a plain map,
/// or SAM's configuration in YAML.
pub(crate) fn read(
    node: &Node,
    environment: Option<&str>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Given> {
    let mut out = Vec::new();
    if let Some(items) = node.as_seq() {
        for item in items {
            let name = item.get("ParameterKey").and_then(Node::as_text);
            let value = item.get("ParameterValue").and_then(text_of);
            match (name, value) {
                (Some(name), Some((text, span))) => {
                    out.push(Given { name: Arc::from(name), text, span: Some(span) });
                }
                (Some(_), None) if item.get("UsePreviousValue").is_some() => {}
                (None, _) if item.as_text().is_some_and(|t| t.contains('=')) => {
                    let pair = item.as_text().and_then(|t| t.split_once('='));
                    out.extend(pair.map(|(name, text)| Given {
                        name: Arc::from(name),
                        text: Arc::from(text),
                        span: Some(item.span),
                    }));
                }
                _ => diagnostics.push(Diagnostic::error(
                    item.span,
                    "expected an object with ParameterKey and ParameterValue",
                )),
            }
        }
        return out;
    }
    if let Some(deploy) = sam_yaml(node, environment, diagnostics) {
        return deploy.given();
    }
    let inner = node.get("Parameters").or_else(|| node.get("parameters"));
    let map = inner.filter(|n| n.as_map().is_some()).unwrap_or(node);
    let Some(entries) = map.as_map() else {
        diagnostics.push(Diagnostic::error(
            node.span,
            "a parameter file is a list of ParameterKey and ParameterValue, or a mapping",
        ));
        return out;
    };
    for (key, value) in entries {
        match text_of(value) {
            Some((text, span)) => {
                out.push(Given { name: key.text.clone(), text, span: Some(span) });
            }
            None => diagnostics.push(Diagnostic::error(
                value.span,
                format!("the value of parameter {} must be text", key.text),
            )),
        }
    }
    out
}

/// Reads `samconfig.toml`.
///
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html>
pub(crate) fn read_toml(
    file: FileId,
    text: &str,
    environment: Option<&str>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Given> {
    let span = |range: std::ops::Range<usize>| {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span::new(file, at(range.start), at(range.end))
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(e) => {
            let at = e.span().map_or(Span::new(file, 0, 0), span);
            diagnostics.push(Diagnostic::error(at, e.message().trim().to_owned()));
            return Vec::new();
        }
    };
    let table = table.get_ref();
    let name = environment.unwrap_or("default");
    let Some(commands) = table.get(name).and_then(|t| t.get_ref().as_table()) else {
        diagnostics.push(no_environment(Span::new(file, 0, 0), name));
        return Vec::new();
    };
    let mut deploy = Deploy::default();
    for command in COMMANDS {
        let parameters = commands
            .get(command)
            .and_then(|c| c.get_ref().as_table())
            .and_then(|c| c.get("parameters"))
            .and_then(|p| p.get_ref().as_table());
        let Some(parameters) = parameters else { continue };
        if let Some(value) = parameters.get("parameter_overrides") {
            deploy.overrides = match value.get_ref() {
                DeValue::String(text) => vec![(text.to_string(), span(value.span()))],
                DeValue::Array(items) => items
                    .iter()
                    .filter_map(|i| Some((i.get_ref().as_str()?.to_owned(), span(i.span()))))
                    .collect(),
                _ => Vec::new(),
            };
        }
        for (key, pseudo) in PSEUDO {
            if let Some(value) = parameters.get(key)
                && let Some(text) = value.get_ref().as_str()
            {
                deploy.pseudo.push((pseudo, (text.to_owned(), span(value.span()))));
            }
        }
    }
    deploy.given()
}

fn no_environment(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(span, format!("this SAM configuration has no environment {name}"))
        .with_help("name another one behind the file, as in `--parameters samconfig.toml#prod`")
}

/// SAM's configuration in YAML; `None` for anything else.
fn sam_yaml(
    node: &Node,
    environment: Option<&str>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Deploy> {
    let is_environment = |n: &Node| {
        let parameters = |c: &str| n.get(c).is_some_and(|c| c.get("parameters").is_some());
        ["global", "deploy", "build", "validate", "package", "sync"].into_iter().any(parameters)
    };
    if !node.as_map()?.iter().any(|(_, n)| is_environment(n)) {
        return None;
    }
    let name = environment.unwrap_or("default");
    let mut deploy = Deploy::default();
    let Some(commands) = node.get(name) else {
        diagnostics.push(no_environment(node.span, name));
        return Some(deploy);
    };
    for command in COMMANDS {
        let Some(parameters) = commands.get(command).and_then(|c| c.get("parameters")) else {
            continue;
        };
        let text = |n: &Node| text_of(n).map(|(text, span)| (text.to_string(), span));
        if let Some(value) = parameters.get("parameter_overrides") {
            deploy.overrides = match &value.kind {
                NodeKind::Seq(items) => items.iter().filter_map(text).collect(),
                _ => text(value).into_iter().collect(),
            };
        }
        for (key, pseudo) in PSEUDO {
            deploy.pseudo.extend(parameters.get(key).and_then(text).map(|t| (pseudo, t)));
        }
    }
    Some(deploy)
}

impl Deploy {
    fn given(self) -> Vec<Given> {
        let pseudo = self.pseudo.into_iter().map(|(name, (text, span))| Given {
            name: Arc::from(name),
            text: Arc::from(text),
            span: Some(span),
        });
        pseudo.chain(self.overrides.iter().flat_map(overrides)).collect()
    }
}

/// The pairs in SAM's `parameter_overrides`: `Key=Value` or `ParameterKey=Key,ParameterValue=Value`,
/// separated by blanks; values may stand in quotes.
fn overrides((text, span): &Text) -> Vec<Given> {
    words(text)
        .into_iter()
        .filter_map(|word| {
            let (name, value) = match word.strip_prefix("ParameterKey=") {
                Some(rest) => rest.split_once(",ParameterValue=")?,
                None => word.split_once('=')?,
            };
            let name = name.trim().trim_matches(['"', '\'']);
            Some(Given { name: Arc::from(name), text: Arc::from(value), span: Some(*span) })
        })
        .collect()
}

/// Words as a shell has them: quotes and backslashes keep blanks and are dropped.
fn words(text: &str) -> Vec<String> {
    let (mut out, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => {
                any = true;
                word.extend(chars.next());
            }
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => {
                any = true;
                quote = Some(c);
            }
            (c, None) if c.is_whitespace() => {
                if any {
                    out.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (c, None) => {
                any = true;
                word.push(c);
            }
        }
    }
    if any {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_syntax::yaml;

    fn pairs(given: &[Given]) -> Vec<(&str, &str)> {
        given.iter().map(|g| (&*g.name, &*g.text)).collect()
    }

    fn read_text(text: &str, environment: Option<&str>) -> (Vec<Given>, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let tree = yaml::parse(FileId(0), text).documents.remove(0);
        (read(&tree, environment, &mut problems), problems)
    }

    #[test]
    fn every_form_of_a_parameter_file() {
        let want = [("Env", "prod"), ("Zones", "a,b")];
        for text in [
            "[{ParameterKey: Env, ParameterValue: prod}, {ParameterKey: Zones, ParameterValue: 'a,b'}]",
            "[{ParameterKey: X, UsePreviousValue: true}, 'Env=prod', 'Zones=a,b']",
            "{Parameters: {Env: prod, Zones: [a, b]}, StackPolicy: {}}",
            "{template-file-path: t.yaml, parameters: {Env: prod, Zones: 'a,b'}, tags: {}}",
            "{Env: prod, Zones: 'a,b'}",
            "{version: 0.1, default: {global: {parameters: {parameter_overrides: X=y}}, \
             deploy: {parameters: {parameter_overrides: [Env=prod, 'Zones=\"a,b\"']}}}}",
        ] {
            let (given, problems) = read_text(text, None);
            assert_eq!(pairs(&given), want, "{text}");
            assert!(problems.is_empty(), "{text}: {problems:?}");
        }
        assert_eq!(read_text("[1, {ParameterKey: A}]", None).1.len(), 2);
        assert_eq!(read_text("{A: {b: c}}", None).1.len(), 1);
    }

    #[test]
    fn samconfig_has_environments() {
        let text = "version = 0.1\n[default.global.parameters]\nstack_name = \"app\"\n\
            [default.deploy.parameters]\nregion = \"eu-west-1\"\n\
            parameter_overrides = \"Env=\\\"prod two\\\" ParameterKey=Size,ParameterValue=3 \
            Odd='a=b' Empty=\"\n[test.deploy.parameters]\nparameter_overrides = [\"Env=test\"]\n";
        let mut problems = Vec::new();
        let given = read_toml(FileId(0), text, None, &mut problems);
        assert_eq!(
            pairs(&given),
            [
                ("AWS::StackName", "app"),
                ("AWS::Region", "eu-west-1"),
                ("Env", "prod two"),
                ("Size", "3"),
                ("Odd", "a=b"),
                ("Empty", "")
            ]
        );
        let span = given[1].span.unwrap();
        assert_eq!(&text[span.start as usize..span.end as usize], "\"eu-west-1\"");
        let test = read_toml(FileId(0), text, Some("test"), &mut problems);
        assert_eq!(pairs(&test), [("Env", "test")]);
        assert!(problems.is_empty());
        assert!(read_toml(FileId(0), text, Some("x"), &mut problems).is_empty());
        assert!(read_toml(FileId(0), "a = [", None, &mut problems).is_empty());
        assert_eq!(problems.len(), 2);
    }
}
