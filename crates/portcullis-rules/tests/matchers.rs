//! Every matcher and type over values that pass, fail and are unknown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{judge, letters, rule, world};

/// `(type, matcher, value, verdict)`; an empty value leaves the attribute out.
fn table(rows: &[(&str, &str, &str, char)]) {
    for (ty, matcher, value, want) in rows {
        let rules = rule(&format!(
            "resources: {{ tf: aws_t }}\nattributes: {{ x: {{ tf: b.x, type: {ty} }} }}\n\
             require: {{ x: {matcher} }}"
        ));
        let member = if value.is_empty() { "y: 1".to_owned() } else { format!("x: {value}") };
        let graph = world(&format!("t: {{ Type: aws_t, Properties: {{ b: {{ {member} }} }} }}"));
        let got = letters(&judge(&rules, &graph));
        assert_eq!(got, want.to_string(), "{ty} {matcher} over {value:?}");
    }
}

#[test]
fn presence() {
    table(&[
        ("any", "set", "1", 'P'),
        ("any", "set", "''", 'F'),
        ("any", "set", "", 'F'),
        ("any", "set", "[]", 'F'),
        ("any", "set", "{}", 'F'),
        ("any", "set", "null", 'F'),
        ("any", "set", "!Unknown var.x", 'U'),
        ("any", "set", "!Ref aws_q.q.arn", 'P'),
        ("any", "set", "!Pieces [a, null]", 'P'),
        ("any", "unset", "", 'P'),
        ("any", "unset", "1", 'F'),
        ("any", "unset", "!Unknown var.x", 'U'),
        ("any", "unset", "!Ref aws_q.q.arn", 'F'),
        ("any", "{ equals: set }", "set", 'P'),
    ]);
}

#[test]
fn blocks_without_content_are_there() {
    table(&[
        ("block", "set", "[{}]", 'P'),
        ("block", "set", "{}", 'P'),
        ("block", "set", "", 'F'),
        ("block", "set", "[]", 'F'),
        ("block", "unset", "[{}]", 'F'),
        ("block", "set", "!Unknown var.x", 'U'),
    ]);
}

#[test]
fn sums() {
    table(&[
        ("int", "{ sum: { at_most: 10 } }", "[4, 6]", 'P'),
        ("int", "{ sum: { at_most: 10 } }", "[4, 7]", 'F'),
        ("int", "{ sum: 10 }", "[4, '6']", 'P'),
        ("int", "{ sum: { at_most: 10 } }", "[4, !Unknown n]", 'U'),
        ("int", "{ sum: { at_most: 10 } }", "[11, !Unknown n]", 'F'),
        ("int", "{ sum: { at_least: 10 } }", "[11, !Unknown n]", 'P'),
        ("int", "{ sum: 11 }", "[11, !Unknown n]", 'U'),
        ("int", "{ sum: { at_most: 10 } }", "", 'F'),
    ]);
}

#[test]
fn expressions_over_text_known_in_part() {
    table(&[
        ("string", "{ matches: '^5[.]7' }", "!Pieces ['5.7.', null]", 'P'),
        ("string", "{ matches: '^8[.]' }", "!Pieces ['5.7.', null]", 'F'),
        ("string", "{ matches: '^5[.]7[.]44$' }", "!Pieces ['5.7.', null]", 'U'),
        ("string", "{ matches: '^a.*z$' }", "!Pieces [a, null, z]", 'P'),
        ("string", "{ matches: '^a' }", "!Unknown var.x", 'U'),
    ]);
}

#[test]
fn tags_in_every_spelling() {
    let owner = "{ some: { like: 'Owner=?*' } }";
    table(&[
        ("tags", owner, "{ Owner: web }", 'P'),
        ("tags", owner, "{ owner: web }", 'F'),
        ("tags", owner, "{ Owner: null }", 'F'),
        ("tags", owner, "{ Owner: '' }", 'F'),
        ("tags", owner, "[{ Key: Owner, Value: web }]", 'P'),
        ("tags", owner, "[{ key: Owner, value: web }]", 'P'),
        ("tags", owner, "[{ Key: Name, Value: web }]", 'F'),
        ("tags", owner, "{ Owner: !Pieces [team-, null] }", 'P'),
        ("tags", owner, "{ Owner: !Unknown var.o }", 'U'),
        ("tags", owner, "!Unknown var.tags", 'U'),
        ("tags", "{ some: { like: 'key=k' } }", "{ key: k, value: v }", 'P'),
    ]);
}

#[test]
fn conditions_known_in_part() {
    let block =
        |variable: &str| format!("{{ test: StringEquals, variable: {variable}, values: [x] }}");
    let tag = block("!Pieces ['aws:PrincipalTag/', null]");
    let open = block("!Unknown var.key");
    table(&[
        ("conditions", "{ some: { like: '* aws:principaltag/*' } }", &tag, 'P'),
        ("conditions", "{ some: { like: '* aws:sourcevpce' } }", &tag, 'U'),
        ("conditions", "{ some: { contains: ' aws:principaltag/' } }", &tag, 'P'),
        ("conditions", "{ some: { matches: '^StringEquals aws:principaltag/team$' } }", &tag, 'U'),
        ("conditions", "{ some: { like: '* aws:sourcevpce' } }", &open, 'U'),
        ("conditions", "{ some: { starts_with: 'StringLike ' } }", &open, 'F'),
    ]);
}

#[test]
fn accounts_in_arns_and_addresses() {
    let own = "{ only: ['111122223333'] }";
    table(&[
        ("accounts", own, "arn:aws:iam::111122223333:role/x", 'P'),
        ("accounts", own, "arn:aws:iam::444455556666:role/x", 'F'),
        ("accounts", own, "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app:1", 'F'),
        ("accounts", own, "'444455556666'", 'F'),
        ("accounts", own, "!Pieces ['arn:aws:iam::444455556666:role/', null]", 'F'),
        ("accounts", own, "!Pieces ['arn:aws:iam::', null, ':role/x']", 'U'),
        ("accounts", "unset", "!Pieces [name-, null]", 'P'),
        ("accounts", "unset", "arn:aws:s3:::bucket", 'P'),
        ("accounts", "unset", "!Ref aws_q.q.arn", 'P'),
    ]);
}

#[test]
fn scalars_compare_as_text_and_numbers() {
    table(&[
        ("any", "1", "'1'", 'P'),
        ("any", "'1'", "1", 'P'),
        ("any", "true", "'true'", 'P'),
        ("any", "true", "'True'", 'P'),
        ("any", "'true'", "true", 'P'),
        ("any", "true", "false", 'F'),
        ("any", "a", "", 'F'),
        ("any", "a", "!Unknown var.x", 'U'),
        ("any", "a", "!Pieces [b, null]", 'F'),
        ("any", "a", "[a, a]", 'P'),
        ("any", "a", "[a, b]", 'F'),
        ("any", "a", "[b, !Unknown v]", 'F'),
        ("any", "a", "[a, !Unknown v]", 'U'),
        ("any", "{ some: a }", "[b, a]", 'P'),
        ("any", "{ some: { starts_with: a, ends_with: c } }", "[ab, bc]", 'F'),
        ("any", "{ some: a }", "[b, !Unknown v]", 'U'),
        ("word", "enabled", "Enabled", 'P'),
        ("word", "ENABLED", "enabled", 'P'),
        ("string", "Enabled", "enabled", 'F'),
        ("any", "{ in: [a, b] }", "b", 'P'),
        ("any", "{ in: [a, b] }", "c", 'F'),
        ("int", "{ at_least: 7 }", "'7'", 'P'),
        ("int", "{ at_least: 7 }", "6", 'F'),
        ("int", "{ at_least: 7 }", "seven", 'U'),
        ("int", "{ at_least: 7 }", "7.5", 'U'),
        ("number", "{ more_than: 7, less_than: 8 }", "7.5", 'P'),
        ("any", "{ at_most: 7 }", "'8'", 'F'),
        ("bool", "true", "'TRUE'", 'P'),
        ("bool", "true", "maybe", 'U'),
    ]);
}

#[test]
fn text() {
    table(&[
        ("any", "{ matches: '^a.c$' }", "abc", 'P'),
        ("any", "{ matches: '^a.c$' }", "xabc", 'F'),
        ("any", "{ matches: '^a.c$' }", "!Pieces [abc, null]", 'U'),
        ("any", "{ starts_with: ab }", "abc", 'P'),
        ("any", "{ starts_with: ab }", "!Pieces [abc, null]", 'P'),
        ("any", "{ starts_with: ab }", "!Pieces [x, null]", 'F'),
        ("any", "{ starts_with: ab }", "!Pieces [a, null]", 'U'),
        ("any", "{ ends_with: bc }", "!Pieces [null, abc]", 'P'),
        ("any", "{ contains: b }", "!Pieces [null, abc, null]", 'P'),
        ("any", "{ contains: b }", "!Unknown v", 'U'),
        ("any", "{ like: 'a*c' }", "abbc", 'P'),
        ("any", "{ like_any: ['x*', 'a?c'] }", "abc", 'P'),
        ("any", "{ like: 'a*' }", "!Pieces [ab, null]", 'P'),
        ("any", "{ like: 'a*' }", "!Pieces [b, null]", 'F'),
        ("actions", "{ covers: 'iam:PassRole' }", "['s3:*', 'iam:Pass*']", 'P'),
        ("actions", "{ covers: 'iam:PassRole' }", "['s3:*', 'iam:Get*']", 'F'),
        ("actions", "{ covers: 'iam:PassRole' }", "['s3:*', !Unknown v]", 'U'),
        ("actions", "{ covers_any: ['kms:Decrypt', 's3:GetObject'] }", "'*'", 'P'),
    ]);
}

#[test]
fn collections() {
    table(&[
        ("list", "{ includes: a }", "[b, a]", 'P'),
        ("list", "{ includes: a }", "[b]", 'F'),
        ("list", "{ includes: a }", "[a, !Unknown v]", 'P'),
        ("list", "{ includes: a }", "[b, !Unknown v]", 'U'),
        ("list", "{ includes: a }", "", 'F'),
        ("list", "{ includes_any: [a, z] }", "[b, a]", 'P'),
        ("list", "{ includes_all: [a, b] }", "[b, a]", 'P'),
        ("list", "{ includes_all: [a, c] }", "[b, a]", 'F'),
        ("list", "{ only: [a, b] }", "[b, a]", 'P'),
        ("list", "{ only: [a] }", "[b, !Unknown v]", 'F'),
        ("list", "{ only: [a] }", "[a, !Unknown v]", 'U'),
        ("list", "{ only: [a] }", "", 'F'),
        ("list", "{ count: 2 }", "[b, a]", 'P'),
        ("list", "{ count: { at_least: 2 } }", "[a, b, !Unknown v]", 'P'),
        ("list", "{ count: { at_least: 2 } }", "[a, !Unknown v]", 'U'),
        ("list", "{ count: { at_most: 2 } }", "[a, b, c, !Unknown v]", 'F'),
        ("list", "{ count: { at_least: 1 } }", "!Unknown v", 'U'),
        ("list", "{ count: { at_most: 2 } }", "", 'P'),
        ("list", "{ count: { at_least: 1 } }", "", 'F'),
    ]);
}

#[test]
fn networks_and_ports() {
    table(&[
        ("cidrs", "{ cover: 0.0.0.0/0 }", "[10.0.0.0/8, 0.0.0.0/0]", 'P'),
        ("cidrs", "{ cover: 0.0.0.0/0 }", "10.0.0.0/8", 'F'),
        ("cidrs", "{ cover_any: [0.0.0.0/0, '::/0'] }", "'0:0::/0'", 'P'),
        ("cidrs", "{ cover: 0.0.0.0/0 }", "!Unknown v", 'U'),
        ("cidrs", "{ cover: 0.0.0.0/0 }", "!Pieces [null, /32]", 'F'),
        ("cidrs", "{ cover: 0.0.0.0/0 }", "nonsense", 'U'),
        ("cidrs", "{ prefix_at_least: 16 }", "[10.0.0.0/16, 10.1.2.3]", 'P'),
        ("cidrs", "{ prefix_at_least: 16 }", "[10.0.0.0/15]", 'F'),
        ("ports", "{ include: 22 }", "20-30", 'P'),
        ("ports", "{ include: 22 }", "443", 'F'),
        ("ports", "{ include: 'udp:53' }", "'tcp:53'", 'F'),
        ("ports", "{ include_all: [22, 23] }", "[22, 23]", 'P'),
        ("ports", "{ include_all: [22, 23] }", "[22, 80]", 'F'),
        ("ports", "{ include_any: [22, 23] }", "!Unknown v", 'U'),
        ("ports", "{ every_port: true }", "'-1'", 'P'),
        ("ports", "{ wider_than: 10 }", "1-5", 'F'),
    ]);
}

#[test]
fn keys() {
    table(&[
        ("key", "{ customer_key: true }", "arn:aws:kms:eu-west-1:1:key/abc", 'P'),
        ("key", "{ customer_key: true }", "alias/mine", 'P'),
        ("key", "{ customer_key: true }", "alias/aws/s3", 'F'),
        ("key", "{ customer_key: true }", "aws/s3", 'F'),
        ("key", "{ customer_key: true }", "", 'F'),
        ("key", "{ customer_key: true }", "!Unknown v", 'U'),
        ("key", "{ customer_key: true }", "!Ref aws_kms_key.k.arn", 'P'),
        ("key", "{ customer_key: true }", "!Ref data.aws_kms_key.k.arn", 'U'),
        ("key", "{ customer_key: true }", "!Ref aws_sns_topic.k.key", 'U'),
        ("key", "{ customer_key: true }", "!Pieces ['arn:aws:kms:', null, ':key/1']", 'P'),
        ("key", "{ customer_key: true }", "!Pieces [null, ':alias/aws/s3']", 'F'),
        ("any", "{ refers_to: aws_lb }", "!Ref aws_alb.a.arn", 'P'),
        ("any", "{ refers_to: aws_lb }", "!Ref aws_sqs_queue.a.arn", 'F'),
        ("any", "{ refers_to: aws_lb }", "!Unknown v", 'U'),
        ("any", "{ refers_to: aws_lb }", "text", 'F'),
    ]);
}

#[test]
fn policies() {
    let principals = "{ AWS: ['*', 'arn:aws:iam::1:root'], Service: ec2.amazonaws.com }";
    table(&[
        ("principals", "{ includes: 'AWS:*' }", "'*'", 'P'),
        ("principals", "{ includes: 'AWS:*' }", principals, 'P'),
        ("principals", "{ includes: 'Service:ec2.amazonaws.com' }", principals, 'P'),
        ("principals", "{ includes: 'AWS:*' }", "{ Service: '*' }", 'F'),
        ("principals", "{ includes: 'AWS:*' }", "{ AWS: !Unknown v }", 'U'),
        ("principals", "{ includes: 'AWS:*' }", "{ Service: !Unknown v }", 'F'),
        ("principals", "{ includes: 'AWS:*' }", "[{ type: '*', identifiers: ['*'] }]", 'P'),
        ("principals", "{ includes: 'AWS:*' }", "'{\"AWS\": \"*\"}'", 'P'),
        (
            "conditions",
            "{ some: { like: '* aws:sourcevpce' } }",
            "{ StringEquals: { 'aws:SourceVpce': vpce-1 } }",
            'P',
        ),
        (
            "conditions",
            "{ some: { like: '* aws:sourcevpce' } }",
            "[{ test: StringEquals, variable: 'aws:SourceVpce', values: [x] }]",
            'P',
        ),
        (
            "conditions",
            "{ some: { like: '* aws:sourcevpce' } }",
            "{ Bool: { 'aws:SecureTransport': 'true' } }",
            'F',
        ),
    ]);
}

#[test]
fn text_that_holds_json_is_read() {
    let rules = rule(
        "resources: { tf: aws_t }\nattributes: { e: { tf: p.Statement.Effect } }\n\
         require: { e: Allow }",
    );
    for (text, want) in [
        ("'{\"Statement\": [{\"Effect\": \"Allow\"}]}'", "P"),
        ("'{\"Statement\": {\"Effect\": \"Deny\"}}'", "F"),
        ("'{\"Statement\": '", "U"),
        ("!Unknown v", "U"),
        ("plain", "F"),
    ] {
        let graph = world(&format!("t: {{ Type: aws_t, Properties: {{ p: {text} }} }}"));
        assert_eq!(letters(&judge(&rules, &graph)), want, "{text}");
    }
}
