//! Text of which parts are not known, and what may stand in the holes; through the real resolvers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod common;

use common::{hcl, judge, letters, rule, template, world};

#[test]
fn identifiers_hold_no_wildcards() {
    let rules = rule(
        "resources: { cfn: 'AWS::IAM::ManagedPolicy', each: PolicyDocument.Statement }\n\
         attributes: { on: { cfn: Resource, type: list } }\n\
         require: { not: { on: { covers: 'arn:aws:s3:::any-bucket/key' } } }",
    );
    let of = |on: &str| {
        format!(
            "Parameters:\n  P: {{ Type: String }}\nResources:\n  B: {{ Type: AWS::S3::Bucket }}\n  \
             Policy:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        \
             Statement: {{ Effect: Allow, Action: s3:GetObject, Resource: {on} }}\n"
        )
    };
    for (on, want) in [
        ("!GetAtt B.Arn", "P"),
        ("!Sub '${B.Arn}/*'", "P"),
        ("!Sub 'arn:${AWS::Partition}:s3:::${B}/*'", "P"),
        ("!Sub 'arn:${AWS::Partition}:s3:::*'", "F"),
        ("!Sub 'arn:${AWS::Partition}:s3:::*/*'", "F"),
        ("!Sub 'arn:${AWS::Partition}:s3:::b/*'", "P"),
        ("!Sub 'arn:aws:s3:::${P}/*'", "U"),
        ("!Sub 'arn:${AWS::Partition}:s3:::${P}/*'", "U"),
        ("!Sub 'arn:${AWS::Partition}:s3:::${P}-${B}/*'", "U"),
        ("!Ref P", "U"),
    ] {
        assert_eq!(template(&rules, &of(on)), want, "{on}");
    }
}

#[test]
fn own_policies_are_none_of_aws() {
    let rules = rule(
        "resources: { tf: aws_iam_role_policy_attachment }\n\
         attributes: { policy: { tf: policy_arn } }\n\
         require: { not: { policy: { ends_with: ':iam::aws:policy/AdministratorAccess' } } }",
    );
    let of = |arn: &str| {
        format!(
            "variable \"p\" {{}}\nresource \"aws_iam_policy\" \"own\" {{}}\n\
             resource \"aws_iam_role_policy_attachment\" \"a\" {{\n  policy_arn = {arn}\n}}\n"
        )
    };
    for (arn, want) in [
        ("\"arn:aws:iam::aws:policy/AdministratorAccess\"", "F"),
        ("aws_iam_policy.own.arn", "P"),
        ("var.p", "U"),
        ("\"arn:${var.p}:iam::aws:policy/AdministratorAccess\"", "F"),
    ] {
        assert_eq!(hcl(&rules, &of(arn)), want, "{arn}");
    }
}

#[test]
fn principals_that_are_given_are_no_wildcards() {
    let rules = rule(
        "resources: { tf: aws_sqs_queue_policy, each: policy.Statement }\n\
         attributes: { who: { tf: Principal, type: principals } }\n\
         require: { not: { who: { some: { starts_with: 'AWS:', contains: '*' } } } }",
    );
    let of = |who: &str| {
        format!(
            "variable \"p\" {{}}\nresource \"aws_iam_role\" \"r\" {{}}\ndata \"aws_caller_identity\" \"me\" {{}}\n\
             resource \"aws_sqs_queue_policy\" \"q\" {{\n  queue_url = \"q\"\n  policy = jsonencode({{ Statement = \
             [{{ Effect = \"Allow\", Principal = {{ AWS = {who} }} }}] }})\n}}\n"
        )
    };
    for (who, want) in [
        ("\"*\"", "F"),
        ("aws_iam_role.r.arn", "P"),
        ("\"arn:aws:iam::${data.aws_caller_identity.me.account_id}:root\"", "P"),
        ("var.p", "U"),
        ("\"arn:aws:iam::${var.p}:root\"", "U"),
    ] {
        assert_eq!(hcl(&rules, &of(who)), want, "{who}");
    }
}

#[test]
fn documents_are_read_around_their_holes() {
    let rules = rule(
        "resources: { tf: aws_iam_policy, each: policy.Statement }\n\
         attributes: { effect: { tf: Effect }, actions: { tf: Action, type: actions }, on: { tf: Resource, type: list } }\n\
         when: { effect: Allow }\n\
         require: { not: { all: [{ actions: { covers: 's3:getobject' } }, { on: { covers: 'arn:aws:s3:::any/key' } }] } }",
    );
    let of = |action: &str, on: &str, more: &str| {
        format!(
            "variable \"p\" {{}}\nresource \"aws_s3_bucket\" \"b\" {{}}\n\
             resource \"aws_iam_policy\" \"p\" {{\n  policy = <<EOF\n{{\"Version\": \"2012-10-17\", \"Statement\": \
             [{{\"Effect\": \"Allow\", \"Action\": {action}, \"Resource\": {on}}}{more}]}}\nEOF\n}}\n"
        )
    };
    let bucket = "\"${aws_s3_bucket.b.arn}/*\"";
    for (action, on, more, want) in [
        ("\"s3:*\"", bucket, "", "P"),
        ("\"s3:*\"", "\"*\"", "", "F"),
        ("\"s3:*\"", "[\"*\", \"${aws_s3_bucket.b.arn}\"]", "", "F"),
        ("\"${var.p}\"", "\"*\"", "", "U"),
        ("\"s3:*\"", "${var.p}", "", "U"),
        ("\"sns:Publish\"", "\"*\"", ", ${var.p}", "U"),
        ("\"s3:*\"", "\"arn:aws:s3:::${var.p}\"", "", "U"),
    ] {
        assert_eq!(hcl(&rules, &of(action, on, more)), want, "{action} {on} {more}");
    }
}

#[test]
fn a_document_with_holes_that_is_none_is_unknown() {
    let rules = rule(
        "resources: { tf: aws_iam_policy, each: policy.Statement }\n\
         attributes: { effect: { tf: Effect } }\nrequire: { effect: Deny }",
    );
    for broken in ["{\"Resource\": \"${aws_s3_bucket.b.arn}\",\n  ]", "[${aws_s3_bucket.b.arn}"] {
        let text = format!(
            "resource \"aws_s3_bucket\" \"b\" {{}}\n\
             resource \"aws_iam_policy\" \"p\" {{\n  policy = <<EOF\n{broken}\nEOF\n}}\n"
        );
        assert_eq!(hcl(&rules, &text), "U", "{broken}");
    }
}

#[test]
fn text_read_from_a_resource_means_that_one() {
    let rules = rule(
        "resources: { tf: aws_config_configuration_recorder_status }\n\
         parts: { recorder: { tf: aws_config_configuration_recorder, via: name, name: name } }\n\
         attributes: { on: { tf: recorder/on } }\nrequire: { on: true }",
    );
    let of = |name: &str| {
        format!(
            "resource \"aws_config_configuration_recorder\" \"a\" {{\n  name = \"example\"\n  on = true\n}}\n\
             resource \"aws_config_configuration_recorder\" \"b\" {{\n  name = \"example\"\n  on = false\n}}\n\
             resource \"aws_config_configuration_recorder_status\" \"s\" {{\n  name = {name}\n}}\n"
        )
    };
    for (name, want) in [
        ("aws_config_configuration_recorder.a.name", "P"),
        ("aws_config_configuration_recorder.b.name", "F"),
        ("\"example\"", "F"),
    ] {
        assert_eq!(hcl(&rules, &of(name)), want, "{name}");
    }
}

#[test]
fn parts_without_a_key_and_names_with_a_prefix() {
    let verdicts = |logic: &str, cases: &[(&str, &str)]| {
        let rules = rule(logic);
        for (text, want) in cases {
            assert_eq!(letters(&judge(&rules, &world(text))), *want, "{text}");
        }
    };
    verdicts(
        "resources: { tf: aws_bucket }\n\
         parts: { trail: { tf: aws_trail, any: true, where: { pattern: { contains_all: [read, write] } } } }\n\
         attributes: { trail: { tf: trail/ } }\nrequire: { trail: set }",
        &[
            ("b: { Type: aws_bucket }", "F"),
            (
                "b: { Type: aws_bucket }\nt: { Type: aws_trail, Properties: { pattern: write read } }",
                "P",
            ),
            ("b: { Type: aws_bucket }\nt: { Type: aws_trail, Properties: { pattern: read } }", "F"),
            (
                "b: { Type: aws_bucket }\nt: { Type: aws_trail, Properties: { pattern: !Unknown p } }",
                "U",
            ),
        ],
    );
    verdicts(
        "resources: { tf: aws_f }\n\
         parts: { group: { tf: aws_g, by: name, name: name, prefix: /aws/lambda/ } }\n\
         attributes: { group: { tf: group/ } }\nrequire: { group: set }",
        &[
            (
                "f: { Type: aws_f, Properties: { name: x } }\ng: { Type: aws_g, Properties: { name: /aws/lambda/x } }",
                "P",
            ),
            (
                "f: { Type: aws_f, Properties: { name: x } }\ng: { Type: aws_g, Properties: { name: x } }",
                "F",
            ),
            (
                "f: { Type: aws_f, Properties: { name: x } }\ng: { Type: aws_g, Properties: { name: !Pieces [/aws/lambda/, null] } }",
                "U",
            ),
            (
                "f: { Type: aws_f, Properties: { name: x } }\ng: { Type: aws_g, Properties: { name: !Pieces [/aws/other/, null] } }",
                "F",
            ),
            ("f: { Type: aws_f }\ng: { Type: aws_g, Properties: { name: !Ref f.name } }", "P"),
            (
                "f: { Type: aws_f, Properties: { name: !Unknown n } }\ng: { Type: aws_g, Properties: { name: /aws/lambda/x } }",
                "U",
            ),
        ],
    );
}

#[test]
fn what_is_given_from_outside_refers_to_nothing() {
    let rules = rule(
        "resources: { cfn: 'AWS::Lambda::Function' }\n\
         attributes: { value: { cfn: 'Environment.Variables.*' } }\n\
         require: { not: { any: [{ value: { refers_to: 'AWS::RDS::DBInstance' } }, { value: { secret: true } }] } }",
    );
    let of = |value: &str| {
        format!(
            "Parameters:\n  P: {{ Type: String, NoEcho: true }}\nResources:\n  D: {{ Type: AWS::RDS::DBInstance }}\n  \
             F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Environment: {{ Variables: {{ V: {value} }} }}\n"
        )
    };
    for (value, want) in [
        ("!Ref AWS::StackName", "P"),
        ("!Sub '${AWS::Region}-x'", "P"),
        ("!GetAtt D.Endpoint.Address", "F"),
    ] {
        assert_eq!(template(&rules, &of(value)), want, "{value}");
    }
}

#[test]
fn what_a_collection_certainly_holds_decides() {
    let of = |value: &str| {
        format!("variable \"v\" {{}}\nresource \"aws_t\" \"t\" {{\n  a = {value}\n}}\n")
    };
    let lists = rule(
        "resources: { tf: aws_t }\nattributes: { a: { tf: a.on, type: bool } }\n\
         require: { a: { some: { equals: true } } }",
    );
    let all = rule(
        "resources: { tf: aws_t }\nattributes: { a: { tf: a.on, type: bool } }\n\
         require: { a: { equals: true } }",
    );
    for (value, some, every) in [
        ("concat([{ on = true }], var.v)", "P", "U"),
        ("concat([{ on = false }], var.v)", "U", "F"),
        ("concat(var.v, [{ on = true }, { on = false }])", "P", "F"),
        ("concat(var.v, [])", "U", "U"),
        ("concat([{ on = true }])", "P", "P"),
    ] {
        assert_eq!(hcl(&lists, &of(value)), some, "{value}");
        assert_eq!(hcl(&all, &of(value)), every, "{value}");
    }
    let member = rule(
        "resources: { tf: aws_t }\nattributes: { a: { tf: a.on }, k: { tf: 'a.*~', type: list } }\n\
         require: { a: { equals: x }, k: { includes: on } }",
    );
    for (value, want) in [
        ("merge(var.v, { on = \"x\" })", "P"),
        ("merge(var.v, { on = \"y\" })", "F"),
        ("merge({ on = \"y\" }, var.v)", "U"),
        ("merge({ off = \"y\" }, var.v)", "U"),
        ("{ (var.v) = \"y\", on = \"x\" }", "P"),
        ("{ on = \"x\", (var.v) = \"y\" }", "U"),
    ] {
        assert_eq!(hcl(&member, &of(value)), want, "{value}");
    }
}

#[test]
fn no_two_zones_of_a_list_are_the_same() {
    let two = |tf: bool| {
        let (kind, attr) = if tf { ("tf: aws_t", "tf: z") } else { ("cfn: 'A::B::T'", "cfn: Z") };
        rule(&format!(
            "resources: {{ {kind} }}\nattributes: {{ z: {{ {attr}, type: list }} }}\n\
             require: {{ z: {{ distinct: {{ at_least: 2 }} }} }}"
        ))
    };
    let data = "data.aws_availability_zones.all.names";
    for (zones, want) in [
        (format!("[{data}[0], {data}[1]]"), "P"),
        (format!("[{data}[0], {data}[0]]"), "F"),
        (format!("[{data}[0], element({data}, 1)]"), "U"),
        (format!("[{data}[0], slice({data}, 1, 3)[0]]"), "U"),
        ("[data.other_zones.all.names[0], data.other_zones.all.names[1]]".to_owned(), "U"),
    ] {
        let text = format!(
            "data \"aws_availability_zones\" \"all\" {{}}\ndata \"other_zones\" \"all\" {{}}\n\
             resource \"aws_t\" \"t\" {{\n  z = {zones}\n}}\n"
        );
        assert_eq!(hcl(&two(true), &text), want, "{zones}");
    }
    for (zones, want) in [
        ("[!Select [0, !GetAZs ''], !Select [1, !GetAZs '']]", "P"),
        ("[!Select [0, !GetAZs ''], !Select [0, !GetAZs !Ref 'AWS::Region']]", "F"),
        ("[!Select [0, !GetAZs ''], !Select [1, !GetAZs us-east-1]]", "U"),
    ] {
        let text =
            format!("Resources:\n  T:\n    Type: A::B::T\n    Properties:\n      Z: {zones}\n");
        assert_eq!(template(&two(false), &text), want, "{zones}");
    }
}

#[test]
fn a_key_that_nobody_declares_is_meant_to_be_ones_own() {
    let rules = rule(
        "resources: { tf: aws_t }\nattributes: { k: { tf: k, type: key } }\n\
         require: { k: { customer_key: true } }",
    );
    for (key, want) in [
        ("var.gone", "P"),
        ("local.gone", "P"),
        ("aws_kms_key.gone.arn", "P"),
        ("var.given", "U"),
        ("data.aws_kms_key.gone.arn", "U"),
        ("coalesce(var.gone, \"alias/aws/s3\")", "U"),
        ("var.gone == \"\" ? \"alias/aws/s3\" : var.gone", "U"),
    ] {
        let text =
            format!("variable \"given\" {{}}\nresource \"aws_t\" \"t\" {{\n  k = {key}\n}}\n");
        assert_eq!(hcl(&rules, &text), want, "{key}");
    }
}
