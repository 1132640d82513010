//! Secrets in the clear, values compared with each other, and the order of network ACL entries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use portcullis_core::{Files as _, MemoryFiles};
use portcullis_rules::{Overrides, evaluate};

use common::{hcl, judge, refused, rule, template, verdicts, world};

#[test]
fn text_in_the_clear_is_told_by_where_it_comes_from() {
    let of = |parameters: &str, password: &str| {
        format!(
            "Parameters:\n  Unused: {{ Type: String }}\n{parameters}\
             Resources:\n  D:\n    Type: AWS::DirectoryService::MicrosoftAD\n    Properties:\n      \
             Password: {password}\n  S: {{ Type: AWS::SecretsManager::Secret }}\n"
        )
    };
    let hidden = "  P: { Type: String, NoEcho: true }\n";
    let shown = "  P: { Type: String }\n";
    let cases = [
        (of("", "hunter2"), "F", "F"),
        (of("", "''"), "P", "F"),
        (of("  P: { Type: String, NoEcho: true, Default: hunter2 }\n", "!Ref P"), "F", "F"),
        (of("  P: { Type: String, NoEcho: false }\n", "!Ref P"), "F", "F"),
        (of(shown, "!Ref P"), "F", "F"),
        (of(shown, "!Sub '${P}'"), "F", "F"),
        (of(hidden, "!Ref P"), "P", "P"),
        (of("", "'{{resolve:secretsmanager:s:SecretString:password}}'"), "P", "F"),
        (of("", "!Sub '{{resolve:secretsmanager:${S}:SecretString:password}}'"), "P", "F"),
        (of("", "'{{resolve:ssm-secure:p:1}}'"), "P", "F"),
        (of("", "'{{resolve:ssm:p:1}}'"), "F", "F"),
        (of("", "!Ref S"), "P", "F"),
        (of("", "!ImportValue other"), "F", "F"),
    ];
    let plain = rule(
        "resources: { cfn: 'AWS::DirectoryService::MicrosoftAD' }\n\
         attributes: { password: { cfn: Password } }\n\
         require: { not: { password: { plaintext: true } } }",
    );
    let parameter = rule(
        "resources: { cfn: 'AWS::DirectoryService::MicrosoftAD' }\n\
         attributes: { password: { cfn: Password } }\n\
         require: { password: { no_echo: true } }",
    );
    for (text, clear, no_echo) in &cases {
        assert_eq!(template(&plain, text), *clear, "{text}");
        assert_eq!(template(&parameter, text), *no_echo, "{text}");
    }
    refused(
        "resources: { tf: aws_t }\nattributes: { p: { tf: p } }\nrequire: { p: { plaintext: false } }",
        "write `not:",
    );
}

#[test]
fn a_terraform_variable_without_value_may_be_anything() {
    verdicts(
        "resources: { tf: aws_t }\nattributes: { p: { tf: [p, q.p] } }\n\
         require: { not: { p: { plaintext: true } } }",
        &[
            ("t: { Type: aws_t, Properties: { p: hunter2 } }", "F"),
            ("t: { Type: aws_t, Properties: { p: !Unknown var.p } }", "U"),
            ("t: { Type: aws_t, Properties: { p: !Ref random_password.p.result } }", "P"),
            ("t: { Type: aws_t, Properties: { p: !Unknown v, q: [{ p: x }] } }", "F"),
            ("t: { Type: aws_t }", "P"),
        ],
    );
}

const SECRET: &str = "resources: { tf: aws_t, each: 'env.*' }\n\
    attributes: { value: { tf: . } }\n\
    require: { not: { value: { secret: true } } }\nmessage: \"{resource} shows {value}\"";

#[test]
fn credentials_are_told_by_shape_and_by_name() {
    let of = |entry: &str| format!("t: {{ Type: aws_t, Properties: {{ env: {{ {entry} }} }} }}");
    verdicts(
        SECRET,
        &[
            (&of("KEY: AKIAIOSFODNN7EXAMPLE"), "F"),
            (&of("DB_PASSWORD: x9Kq2vTz8Lm4Rw7Pb1"), "F"),
            (&of("BUILD: x9Kq2vTz8Lm4Rw7Pb1"), "P"),
            (
                &of("DB_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:a1B2c3'"),
                "P",
            ),
            (&of("DB_PASSWORD: !Unknown var.p"), "U"),
            (&of("DB_PASSWORD: !Ref aws_secretsmanager_secret.s.arn"), "P"),
        ],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { url: { tf: url } }\n\
         require: { not: { url: { secret: true } } }",
        &[
            (
                "t: { Type: aws_t, Properties: { url: !Pieces ['postgres://app:hunter2@', null] } }",
                "F",
            ),
            ("t: { Type: aws_t, Properties: { url: !Pieces ['postgres://app:', null] } }", "U"),
        ],
    );
    let outcomes = judge(&rule(SECRET), &world(&of("KEY: AKIAIOSFODNN7EXAMPLE")));
    assert!(outcomes[0].evidence[0].secret, "reports must know");
    assert_eq!(outcomes[0].evidence[0].found.as_deref(), Some("(sensitive)"));
    assert_eq!(outcomes[0].message, "t shows (sensitive)");
    verdicts(
        "resources: { tf: aws_t, each: env }\n\
         attributes: { name: { tf: name }, value: { tf: value } }\n\
         require: { not: { value: { secret: { named: name } } } }",
        &[
            (
                "t: { Type: aws_t, Properties: { env: [{ name: TOKEN, value: x9Kq2vTz8Lm4Rw7Pb1 }] } }",
                "F",
            ),
            (
                "t: { Type: aws_t, Properties: { env: [{ name: BUILD, value: x9Kq2vTz8Lm4Rw7Pb1 }] } }",
                "P",
            ),
            (
                "t: { Type: aws_t, Properties: { env: [{ name: !Unknown n, value: x9Kq2vTz8Lm4Rw7Pb1 }] } }",
                "U",
            ),
            ("t: { Type: aws_t, Properties: { env: [{ name: !Unknown n, value: short }] } }", "P"),
        ],
    );
}

#[test]
fn a_variable_beside_a_resource_in_one_text_may_hold_the_secret() {
    let rules = rule(
        "resources: { tf: aws_t, cfn: 'AWS::EC2::Instance' }\n\
         attributes: { data: { tf: data, cfn: UserData } }\n\
         require: { not: { data: { secret: true } } }",
    );
    let parts = [
        ("host=${aws_db_instance.d.endpoint} password=${var.p}", "U"),
        ("password=${var.p} host=${aws_db_instance.d.endpoint}", "U"),
        ("host=${aws_db_instance.d.endpoint} key=${data.aws_kms_key.k.arn}", "P"),
        ("host=${aws_db_instance.d.endpoint} password=${var.given}", "F"),
    ];
    let call = |f: &str| format!("{f}(\"host=%s password=%s\", aws_db_instance.d.endpoint, var.p)");
    let cases = parts.map(|(text, want)| (format!("\"{text}\""), want)).into_iter().chain([
        (call("format"), "U"),
        ("join(\" \", [aws_db_instance.d.endpoint, var.p])".to_owned(), "U"),
        ("base64encode(\"${aws_db_instance.d.endpoint}${var.p}\")".to_owned(), "U"),
    ]);
    for (data, want) in cases {
        let text = format!(
            "variable \"p\" {{}}\nvariable \"given\" {{\n  default = \"Aa1234321Bb\"\n}}\n\
             resource \"aws_db_instance\" \"d\" {{}}\ndata \"aws_kms_key\" \"k\" {{}}\n\
             resource \"aws_t\" \"t\" {{\n  data = {data}\n}}\n"
        );
        assert_eq!(hcl(&rules, &text), want, "{text}");
    }
    let data = [
        ("!Sub 'host=${D.Endpoint.Address} password=${P}'", "U"),
        ("!Sub 'password=${P} host=${D.Endpoint.Address}'", "U"),
        ("!Sub '{{resolve:secretsmanager:s}} host=${D.Endpoint.Address} password=${P}'", "U"),
        ("!Join ['', ['host=', !GetAtt D.Endpoint.Address, ' password=', !Ref P]]", "U"),
        ("!Sub 'host=${D.Endpoint.Address} zone=${AWS::Region}'", "P"),
        // An error of its own, and never deployed.
        ("!Sub 'host=${Nothing}'", "P"),
    ];
    for (data, want) in data {
        let text = format!(
            "Parameters:\n  P: {{ Type: String }}\nResources:\n\
             \x20 D: {{ Type: AWS::RDS::DBInstance }}\n\
             \x20 W:\n    Type: AWS::EC2::Instance\n    Properties:\n\
             \x20     UserData:\n        Fn::Base64: {data}\n"
        );
        assert_eq!(template(&rules, &text), want, "{text}");
    }
}

#[test]
fn the_line_of_a_text_that_holds_the_secret_is_told_and_where_it_came_from() {
    let rules = rule(
        "resources: { tf: aws_t, cfn: 'AWS::EC2::Instance' }\n\
         attributes: { data: { tf: data, cfn: UserData } }\n\
         require: { not: { data: { secret: true } } }",
    );
    // The text at the finding's place, and at the end of the trail from there.
    let places = |files: &MemoryFiles, found: &portcullis_core::Resolution| {
        let graph = &found.graphs[0];
        let outcomes = evaluate(&rules, &[0], graph, files.sources(), &Overrides::default());
        let at = |s: portcullis_core::Span| files.sources().get(s.file).slice(s).to_owned();
        let e = outcomes.iter().flat_map(|o| &o.evidence).next().expect("evidence");
        assert!(e.secret, "reports must know");
        assert_eq!(e.origin, e.through);
        (at(e.span), graph.origins.chain(e.origin).last().map(|o| at(o.span)))
    };
    let hcl = |data: &str| {
        let text = format!(
            "variable \"p\" {{\n  default = \"Aa1234321Bb\"\n}}\n\
             resource \"aws_db_instance\" \"d\" {{}}\n\
             resource \"aws_t\" \"t\" {{\n  data = {data}\n}}\n"
        );
        let files = MemoryFiles::new([("main.tf", &*text)]);
        let found = portcullis_terraform::Project::new(&files, Default::default()).resolve("");
        places(&files, &found)
    };
    let host = "host=${aws_db_instance.d.endpoint}";
    let key = "key=AKIAIOSFODNN7EXAMPLQ";
    assert_eq!(
        hcl(&format!("<<E\n{host}\n  password=${{var.p}}\nE")),
        ("password=${var.p}".to_owned(), Some("\"Aa1234321Bb\"".to_owned()))
    );
    assert_eq!(hcl(&format!("<<E\n{host}\n{key}\nE")), (key.to_owned(), None));
    assert_eq!(hcl(&format!("base64encode(<<E\n#!/bin/sh\n{key}\nE\n)")), (key.to_owned(), None));
    let template = |data: &str| {
        let text = format!(
            "Resources:\n  W:\n    Type: AWS::EC2::Instance\n    Properties:\n\
             \x20     UserData:\n        Fn::Base64: {data}\n"
        );
        let files = MemoryFiles::new([("t.yaml", &*text)]);
        let found =
            portcullis_cloudformation::Project::new(&files, Default::default()).resolve("t.yaml");
        places(&files, &found)
    };
    let lines = format!("|\n          #!/bin/sh\n          {key}\n          exit");
    assert_eq!(template(&lines), (key.to_owned(), None));
}

#[test]
fn a_variable_beside_a_resource_may_be_in_the_clear() {
    let rules = rule(
        "resources: { tf: aws_t }\nattributes: { p: { tf: p } }\n\
         require: { not: { p: { plaintext: true } } }",
    );
    let text = "variable \"p\" {}\nresource \"random_pet\" \"r\" {}\n\
                resource \"aws_t\" \"t\" {\n  p = \"${random_pet.r.id}${var.p}\"\n}\n";
    assert_eq!(hcl(&rules, text), "U");
}

#[test]
fn attributes_are_compared() {
    verdicts(
        "resources: { tf: aws_t }\nattributes: { a: { tf: a }, b: { tf: b } }\n\
         require: { a: { equals_attribute: b } }",
        &[
            ("t: { Type: aws_t, Properties: { a: x, b: x } }", "P"),
            ("t: { Type: aws_t, Properties: { a: x, b: y } }", "F"),
            ("t: { Type: aws_t, Properties: { a: 1, b: '1' } }", "P"),
            ("t: { Type: aws_t, Properties: { a: [x, x], b: x } }", "P"),
            ("t: { Type: aws_t, Properties: { a: [x, y], b: x } }", "F"),
            ("t: { Type: aws_t, Properties: { a: !Unknown v, b: x } }", "U"),
            ("t: { Type: aws_t, Properties: { a: !Ref s.id, b: !Ref s.id } }", "P"),
            ("t: { Type: aws_t, Properties: { a: !Ref s.id, b: !Ref r.id } }", "U"),
            ("t: { Type: aws_t, Properties: { a: !Unknown v, b: !Unknown v } }", "U"),
            ("t: { Type: aws_t, Properties: { b: x } }", "F"),
        ],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { zones: { tf: zones } }\n\
         require: { zones: { distinct: { at_least: 2 } } }",
        &[
            ("t: { Type: aws_t, Properties: { zones: [a, b] } }", "P"),
            ("t: { Type: aws_t, Properties: { zones: [a, a] } }", "F"),
            ("t: { Type: aws_t, Properties: { zones: [a, !Unknown z] } }", "U"),
            ("t: { Type: aws_t, Properties: { zones: [a, b, !Unknown z] } }", "P"),
            ("t: { Type: aws_t, Properties: { zones: [!Ref s.az, !Ref s.az] } }", "F"),
            ("t: { Type: aws_t, Properties: { zones: !Unknown z } }", "U"),
            ("t: { Type: aws_t }", "F"),
        ],
    );
    verdicts(
        "resources: { tf: aws_t }\nattributes: { to: { tf: to } }\nrequire: { to: { refers_to: 'aws_*' } }",
        &[
            ("t: { Type: aws_t, Properties: { to: !Ref aws_eip.a.id } }", "P"),
            ("t: { Type: aws_t, Properties: { to: !Ref data.aws_eip.a.id } }", "F"),
            ("t: { Type: aws_t, Properties: { to: 10.0.0.1 } }", "F"),
        ],
    );
}

#[test]
fn rows_name_their_siblings() {
    let of = |named: &str, policies: &str| {
        format!(
            "t: {{ Type: aws_t, Properties: {{ l: [{{ names: {named} }}], p: [{policies}] }} }}"
        )
    };
    let safe = "{ name: a, tls: new }, { name: b, tls: old }";
    verdicts(
        "resources: { tf: aws_t, each: l }\n\
         attributes: { tls: { tf: '^p[name=$.names].tls' } }\nrequire: { tls: new }",
        &[
            (&of("[a]", safe), "P"),
            (&of("[b]", safe), "F"),
            (&of("[a, b]", safe), "F"),
            (&of("[c]", safe), "F"),
            (&of("!Unknown n", safe), "U"),
            (&of("[a]", "{ name: a, tls: new }, { name: !Unknown n, tls: old }"), "U"),
        ],
    );
}

#[test]
fn links_may_stand_within_a_longer_text() {
    let of = |id: &str| {
        format!(
            "t: {{ Type: aws_table, Properties: {{ name: orders }} }}\n\
             s: {{ Type: aws_target, Properties: {{ id: {id} }} }}"
        )
    };
    verdicts(
        "resources: { tf: aws_table }\n\
         parts: { target: { tf: aws_target, by: id, name: name, within: true } }\n\
         attributes: { target: { tf: target/ } }\nrequire: { target: set }",
        &[
            (&of("table/orders"), "P"),
            (&of("table/orders-old"), "F"),
            (&of("orders"), "P"),
            (&of("!Ref t.name"), "P"),
            (&of("!Pieces ['table/', null]"), "U"),
        ],
    );
}

#[test]
fn commas_in_documents_are_forgiven() {
    verdicts(
        "resources: { tf: aws_t }\nattributes: { a: { tf: p.a } }\nrequire: { a: { includes: 'x,]' } }",
        &[
            (r#"t: { Type: aws_t, Properties: { p: '{"a": ["x,]", "y", ], }' } }"#, "P"),
            (r#"t: { Type: aws_t, Properties: { p: '{"a": ["z",]}' } }"#, "F"),
            (r#"t: { Type: aws_t, Properties: { p: '{"a": [x]}' } }"#, "U"),
            // Those that lack between two values, too; a colon that lacks is something else.
            (
                r#"t: { Type: aws_t, Properties: { p: '{"b": {"c": "{\" [" } "a": ["y" "x,]"]}' } }"#,
                "P",
            ),
            (r#"t: { Type: aws_t, Properties: { p: '{"b": 1 "a": [true "z"]}' } }"#, "F"),
            (r#"t: { Type: aws_t, Properties: { p: '{"a" ["x,]"]}' } }"#, "U"),
        ],
    );
}

#[test]
fn earlier_entries_of_a_network_acl_decide() {
    let of =
        |entries: &str| format!("t: {{ Type: aws_nacl, Properties: {{ ingress: [{entries}] }} }}");
    let allow = "{ rule_no: 100, action: allow, protocol: -1, from_port: 0, to_port: 0, cidr_block: 0.0.0.0/0 }";
    let deny = |no: &str, protocol: &str, port: &str, range: &str| {
        format!(
            "{{ rule_no: {no}, action: deny, protocol: {protocol}, from_port: {port}, \
             to_port: {port}, cidr_block: {range} }}"
        )
    };
    let with = |d: String| of(&format!("{allow}, {d}"));
    verdicts(
        "resources: { tf: aws_nacl, each: ingress }\n\
         attributes:\n  action: { tf: action }\n  number: { tf: rule_no, type: int }\n\
         \x20 cidrs: { tf: cidr_block, type: cidrs }\n  siblings: { tf: ^ingress }\n\
         when: { action: allow }\n\
         require: { native: { nacl_denied_first: { port: 'tcp:22' } } }",
        &[
            (&of(allow), "F"),
            (&with(deny("10", "tcp", "22", "0.0.0.0/0")), "P"),
            (&with(deny("10", "6", "'22'", "0.0.0.0/0")), "P"),
            (&with(deny("10", "-1", "0", "0.0.0.0/0")), "P"),
            (&with(deny("110", "tcp", "22", "0.0.0.0/0")), "F"),
            (&with(deny("10", "udp", "22", "0.0.0.0/0")), "F"),
            (&with(deny("10", "tcp", "23", "0.0.0.0/0")), "F"),
            (&with(deny("10", "tcp", "22", "10.0.0.0/8")), "F"),
            (&with(deny("!Unknown n", "tcp", "22", "0.0.0.0/0")), "U"),
            (&with(deny("10", "tcp", "22", "!Unknown range")), "U"),
        ],
    );
}
