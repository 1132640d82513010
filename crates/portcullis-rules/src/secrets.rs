//! Secrets in the clear: by where a value comes from, by its shape, and by the name it has.

mod line;
mod shapes;

use portcullis_core::{How, Kind, Unknown, Value, WhyKind};

use crate::project::World;
use crate::row::{Case, Found};
use crate::text::Known;
use crate::truth::Truth;
pub(crate) use line::{Line, of_credential};
use shapes::{is_credential, looks_random, names_secret};

/// Characters in a row that only encoded or random text has.
const ENCODED: usize = 40;

/// Whether the last of some lines of code may hold a secret, by the shape of what it holds or by a
/// name on it or above it. In doubt it does: the lines are for reports that leave the project.
#[must_use]
pub fn may_hold_secret(lines: &[&str]) -> bool {
    let Some((line, above)) = lines.split_last() else { return false };
    let encoded = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    if is_credential(line) || line.split(|c| !encoded(c)).any(|run| run.len() >= ENCODED) {
        return true;
    }
    let Some((name, value)) = line.split_once(['=', ':']) else { return false };
    if value.trim().is_empty() {
        return false;
    }
    let name = name.trim().trim_matches('"');
    // A default, a value in a list of variables: named by what is above.
    let nameless = ["default", "value", "secret_string"];
    let header = || above.iter().any(|l| l.split(['"', ':', '=']).any(|w| names_secret(w.trim())));
    names_secret(name) || nameless.contains(&name.to_ascii_lowercase().as_str()) && header()
}

/// Whether anyone who reads the code, or may describe the stack, reads the value.
///
/// Known text is in the clear wherever it was written, a default included. A template's parameter
/// without `NoEcho` is shown with the stack's description
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>),
/// and so is what a plain parameter of the parameter store resolves to
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html>).
pub(crate) fn plaintext(case: &Case<'_, '_>, value: &Value) -> Truth {
    let u = match &value.kind {
        Kind::Str(s) => return (!s.is_empty()).into(),
        Kind::Bool(_) | Kind::Num(_) => return Truth::True,
        Kind::Unknown(u) => u,
        _ => return Truth::False,
    };
    // A plan tells no cause of the parts: what it says to come from a resource is taken to.
    if from_resources(u) || u.why.kind == WhyKind::Plan && !u.refs.is_empty() {
        return Truth::False;
    }
    if case.terraform() {
        return Truth::Unknown;
    }
    if u.why.kind == WhyKind::External {
        return (!value.marks.is_sensitive()).into();
    }
    match of_parameter(case, value) {
        true => (!value.marks.is_sensitive()).into(),
        false if !u.refs.is_empty() && value.marks.is_sensitive() => Truth::False,
        false => Truth::Unknown,
    }
}

/// Whether all of a value that is not known is what resources or data sources give. A text may
/// refer to a resource and to a variable without a value: then its cause is the variable. What refers
/// to nothing that there is, is an error of its own, and is never deployed.
fn from_resources(u: &Unknown) -> bool {
    !u.refs.is_empty() && (u.why.kind.is_given() || u.why.kind == WhyKind::Invalid)
}

/// Whether a value is a template's parameter that is not shown, and that has no value in the
/// template.
pub(crate) fn no_echo(case: &Case<'_, '_>, value: &Value) -> Truth {
    let Kind::Unknown(u) = &value.kind else { return Truth::False };
    if !u.refs.is_empty() || u.why.kind == WhyKind::External {
        return Truth::False;
    }
    if !of_parameter(case, value) {
        return Truth::Unknown;
    }
    value.marks.is_sensitive().into()
}

/// Whether a value came from a template's parameter without a value.
fn of_parameter(case: &Case<'_, '_>, value: &Value) -> bool {
    let origins = &case.world.graph.origins;
    origins.chain(value.origin).any(|o| o.how == How::Parameter)
}

/// Whether a value is a credential, by its shape or by the name of the member it stands in.
pub(crate) fn secret(world: &World<'_>, found: &Found) -> Truth {
    let name =
        found.place.key.map(|s| world.sources.get(s.file).slice(s).trim_matches('"').to_owned());
    let by_name = |text: &str| match &name {
        Some(name) => (names_secret(name) && looks_random(text)).into(),
        None => Truth::False,
    };
    judge(world, found, &by_name)
}

/// The same where another attribute has the name.
pub(crate) fn named_by(world: &World<'_>, found: &Found, names: &[Found]) -> Truth {
    judge(world, found, &|text| {
        if !looks_random(text) {
            return Truth::False;
        }
        Truth::any(names.iter().map(|n| match n.value.as_str() {
            Some(name) => names_secret(name).into(),
            None => Truth::Unknown,
        }))
    })
}

fn judge(world: &World<'_>, found: &Found, by_name: &dyn Fn(&str) -> Truth) -> Truth {
    let encoded = match &found.value.kind {
        // Base64 of a text with holes is not known; the text before it is, in part.
        Kind::Unknown(u) if !u.has_known_text() => world.graph.origins.encoded(found.value.origin),
        _ => None,
    };
    let value = match encoded {
        Some(text) if matches!(text.kind, Kind::Str(_) | Kind::Unknown(_)) => text,
        _ => &found.value,
    };
    match (&value.kind, Known::of(value)) {
        (Kind::Str(text), _) if is_credential(text) => Truth::True,
        (Kind::Str(text), _) => by_name(text),
        (Kind::Unknown(u), known) => {
            let pieces: &[Option<std::sync::Arc<str>>] = match known {
                Some(Known::Pieces(pieces, _)) => pieces,
                _ => &[],
            };
            if pieces.iter().flatten().any(|p| is_credential(p)) {
                return Truth::True;
            }
            // What a resource or a secret store gives is not written here. A plan tells what an
            // expression refers to, but not the text around it.
            let elsewhere =
                from_resources(u) || matches!(u.why.kind, WhyKind::External | WhyKind::Pseudo);
            if elsewhere { Truth::False } else { Truth::Unknown }
        }
        _ => Truth::False,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_may_hold_a_secret_are_known() {
        let hidden = |lines: &[&str]| may_hold_secret(lines);
        assert!(hidden(&["  master_password = \"hunter2\""]));
        assert!(hidden(&["  MasterUserPassword: hunter2"]));
        assert!(hidden(&["variable \"db_password\" {", "  default = \"hunter2\""]));
        assert!(hidden(&["  DbPassword:", "    Type: String", "    Default: hunter2"]));
        assert!(hidden(&["  x = \"AKIAIOSFODNN7EXAMPLQ\""]));
        assert!(hidden(&["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"]));
        assert!(!hidden(&["  cidr_blocks = [\"0.0.0.0/0\"]"]));
        assert!(!hidden(&["variable \"name\" {", "  default = \"web\""]));
        assert!(!hidden(&["  DbPassword:"]));
        assert!(!hidden(&[]));
    }
}
