//! Whether a text is a template, told by its content alone.

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniff {
    /// A CloudFormation template.
    CloudFormation,
    /// A template with the SAM transform.
    Sam,
    /// Something else.
    No,
}

/// Tells templates from other YAML and JSON without parsing.
///
/// A text counts when it has `AWSTemplateFormatVersion` or the SAM transform as a key at the top,
/// or a top-level `Resources` with a type of `AWS::`, `Custom::` or `Alexa::`. Broken templates are
/// recognised too, so that they can be reported instead of passed over.
#[must_use]
pub fn sniff(text: &str) -> Sniff {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['{', '[']) { sniff_json(text) } else { sniff_yaml(text) }
}

fn sniff_json(text: &str) -> Sniff {
    if !text.contains("\"AWSTemplateFormatVersion\"") && !text.contains("\"Resources\"") {
        return Sniff::No;
    }
    let (mut version, mut resources, mut transform) = (false, false, false);
    top_keys(text, &mut |key| match key {
        "AWSTemplateFormatVersion" => version = true,
        "Resources" => resources = true,
        "Transform" => transform = true,
        _ => {}
    });
    if transform && text.contains("\"AWS::Serverless-2016-10-31\"") {
        Sniff::Sam
    } else if version || (resources && has_json_type(text)) {
        Sniff::CloudFormation
    } else {
        Sniff::No
    }
}

/// Calls `f` for the keys of the outermost object; copes with broken text.
fn top_keys<'t>(text: &'t str, f: &mut impl FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at + 1;
                at = start;
                while bytes.get(at).is_some_and(|b| *b != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let rest = text.get(at + 1..).unwrap_or("");
                if depth == 1 && rest.trim_start().starts_with(':') {
                    f(text.get(start..at).unwrap_or(""));
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn has_json_type(text: &str) -> bool {
    text.match_indices("\"Type\"").any(|(at, key)| {
        let rest = text[at + key.len()..].trim_start();
        rest.strip_prefix(':')
            .map(str::trim_start)
            .and_then(|r| r.strip_prefix('"'))
            .is_some_and(is_type)
    })
}

fn is_type(name: &str) -> bool {
    ["AWS::", "Custom::", "Alexa::"].iter().any(|p| name.starts_with(p))
}

fn sniff_yaml(text: &str) -> Sniff {
    let (mut version, mut sam, mut resources, mut typed) = (false, false, false, false);
    let mut section = "";
    // The whole document may be indented.
    let mut margin = None;
    for line in text.lines() {
        let bare = line.trim_start();
        if bare.is_empty() || bare.starts_with('#') || line.starts_with("---") {
            continue;
        }
        let indent = line.len() - bare.len();
        let top = indent == *margin.get_or_insert(indent);
        if let Some((key, rest)) = key_of(bare) {
            if top {
                section = key;
                match key {
                    "AWSTemplateFormatVersion" => version = true,
                    "Resources" => {
                        resources = true;
                        typed |= has_flow_type(rest);
                    }
                    _ => {}
                }
            } else if section == "Resources" {
                typed |= key == "Type" && is_type(rest.trim().trim_start_matches(['"', '\'']));
                typed |= has_flow_type(bare);
            }
        } else if section == "Resources" {
            typed |= has_flow_type(bare);
        }
        sam |= section == "Transform" && line.contains("AWS::Serverless-2016-10-31");
        if version && resources && sam {
            break;
        }
    }
    match (sam, version || (resources && typed)) {
        (true, _) => Sniff::Sam,
        (false, true) => Sniff::CloudFormation,
        (false, false) => Sniff::No,
    }
}

/// `{T: {Type: AWS::SNS::Topic}}`: a type that does not begin its line.
fn has_flow_type(text: &str) -> bool {
    text.match_indices("Type: ")
        .any(|(at, key)| is_type(text[at + key.len()..].trim_start_matches(['"', '\''])))
}

/// The key of a line of block YAML and what follows its colon.
fn key_of(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = line.split_once(':')?;
    let plain = key.trim_end().trim_matches(['"', '\'']);
    let after = rest.chars().next();
    (after.is_none_or(char::is_whitespace) && !plain.is_empty()).then_some((plain, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_recognised() {
        use Sniff::{CloudFormation, Sam};
        for (text, want) in [
            ("AWSTemplateFormatVersion: '2010-09-09'\nResources:\n", CloudFormation),
            ("Resources:\n  B: {Type: AWS::S3::Bucket}\n", CloudFormation),
            ("Resources: {B: {Type: AWS::S3::Bucket}}\n", CloudFormation),
            ("Resources: {B: {Type: 'AWS::S3::Bucket'}}\n", CloudFormation),
            ("Resources:\n  B:\n    {Type: \"Custom::Thing\"}\n", CloudFormation),
            ("---\n  Resources:\n    B:\n      Type: AWS::S3::Bucket\n", CloudFormation),
            ("# x\nResources:\n  B:\n    Type: \"Custom::Thing\"\n", CloudFormation),
            ("{\"Resources\": {\"B\": {\"Type\" : \"AWS::S3::Bucket\"}}}", CloudFormation),
            ("\u{feff}{\"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\",}}", CloudFormation),
            ("Transform: AWS::Serverless-2016-10-31\nResources: {}\n", Sam),
            ("Transform:\n  - X\n  - 'AWS::Serverless-2016-10-31'\nGlobals:\n", Sam),
            ("{\"Transform\": \"AWS::Serverless-2016-10-31\", \"Resources\": {}}", Sam),
        ] {
            assert_eq!(sniff(text), want, "{text}");
        }
    }

    #[test]
    fn other_yaml_and_json_is_not() {
        for text in [
            "",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers: []\n",
            "service: x\nprovider:\n  name: aws\nresources:\n  Resources:\n    B:\n      Type: AWS::S3::Bucket\n",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          Type: AWS::S3::Bucket\n",
            "{\"service\":\"x\",\"resources\":{\"Resources\":{\"B\":{\"Type\":\"AWS::S3::Bucket\"}}}}",
            "[{\"ParameterKey\": \"A\", \"ParameterValue\": \"AWS::S3::Bucket\"}]",
            "{\"Parameters\": {\"A\": \"b\"}}",
            "{\"format_version\":\"1.2\",\"planned_values\":{\"t\":\"{\\\"Resources\\\":{\\\"B\\\":{\\\"Type\\\":\\\"AWS::S3::Bucket\\\"}}}\"}}",
            "{\"version\":\"36\",\"artifacts\":{\"S\":{\"type\":\"aws:cloudformation:stack\",\"properties\":{}}}}",
            "- just\n- a list\n",
        ] {
            assert_eq!(sniff(text), Sniff::No, "{text}");
        }
    }
}
