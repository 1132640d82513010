//! Mistakes whose meaning is plain: reported, and judged as what is meant.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{MemoryFiles, Resolution, Resource, Value};

fn resolve(text: &str) -> Resolution {
    let files = MemoryFiles::new([("t.yaml", text)]);
    Project::new(&files, Settings::default()).resolve("t.yaml")
}

fn of_type<'r>(r: &'r Resolution, kind: &str) -> &'r Resource {
    r.graphs[0].resources.iter().find(|r| &*r.kind == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn a_policy_in_a_role() {
    let r = resolve(
        "
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies: [{PolicyName: a, PolicyDocument: {Statement: []}}]
      PolicyDocument: {Statement: [{Effect: Allow, NotAction: x, Resource: '*'}]}
  P:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: a, PolicyDocument: {Statement: []}}
",
    );
    let rows = of_type(&r, "AWS::IAM::Role").body.get("Policies").and_then(Value::as_list).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[1].get("PolicyDocument").and_then(|d| d.get("Statement")).is_some());
    let [problem] = &r.diagnostics[..] else { panic!("{:?}", r.diagnostics) };
    assert_eq!(problem.message, "AWS::IAM::Role has no property PolicyDocument");
}

#[test]
fn a_domain_without_a_name() {
    let r = resolve(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Domain: {SecurityPolicy: TLS_1_2}
",
    );
    let domain = of_type(&r, "AWS::ApiGateway::DomainName");
    assert_eq!(domain.body.get("SecurityPolicy").and_then(Value::as_str), Some("TLS_1_2"));
    assert!(domain.body.get("DomainName").is_none());
    let found: Vec<&str> = r.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(found, ["Domain needs DomainName and CertificateArn"]);
}

#[test]
fn zones_of_a_region_are_told_apart() {
    let r = resolve(
        "
Parameters:
  Zones: {Type: 'List<AWS::EC2::AvailabilityZone::Name>'}
Resources:
  A:
    Type: AWS::EC2::Subnet
    Properties:
      AvailabilityZone: !Select [0, !GetAZs '']
      First: !Select [0, !GetAZs {Ref: 'AWS::Region'}]
      Second: !Select ['1', !GetAZs '']
      Other: !Select [0, !GetAZs us-east-1]
      Given: !Select [0, !Ref Zones]
      GivenToo: !Select [1, !Ref Zones]
",
    );
    let zone = |name: &str| {
        let value = of_type(&r, "AWS::EC2::Subnet").body.get(name).unwrap();
        value.as_unknown().unwrap().refs.first().cloned()
    };
    let first = zone("AvailabilityZone").unwrap();
    assert_eq!(first.same_zone(&zone("First").unwrap()), Some(true));
    assert_eq!(first.same_zone(&zone("Second").unwrap()), Some(false));
    assert_eq!(first.same_zone(&zone("Other").unwrap()), None);
    // Who gives the zones may give one twice.
    assert!(zone("Given").is_none() && zone("GivenToo").is_none());
}
