//! Cloud assemblies through the public API, from memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use portcullis_cloudformation::{Project, Settings};
use portcullis_core::{Files, Kind, Level, MemoryFiles, Resolution};

const HASH: &str = "475dfef4f81c14b65a401d8dc9af998f1613993f78bb8bc10bd536a36a242cce";

/// An assembly inside an assembly, with a nested stack that only its hash names.
fn assembly() -> MemoryFiles {
    let manifest = r#"{"version": "36.0.0", "artifacts": {
        "S": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1",
            "properties": {"templateFile": "S.template.json", "parameters": {"Size": "7"}},
            "additionalMetadataFile": "S.metadata.json",
            "metadata": {"/Prod/S/Old/Resource": [
                {"type": "aws:cdk:logicalId", "data": "Old1", "trace": [
                    "new Old (/ci/build/node_modules/x/index.js:1:2)",
                    "new S (/ci/build/lib/s.ts:2:3)"]}]}},
        "A": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}}}}"#;
    let metadata = r#"{
        "/Prod/S/In": [{"type": "aws:cdk:templateFile", "data": "In.nested.template.json"}],
        "/Prod/S/In/Web/Group": [{"type": "aws:cdk:logicalId", "data": "Group1"},
            {"type": "aws:cdk:creationStack", "data": ["...", "new In (/ci/build/lib/s.ts:3:1)"]}],
        "/Prod/S/In/Web/Rule": [{"type": "aws:cdk:logicalId", "data": "Rule1"},
            {"type": "aws:cdk:creationStack", "data": ["(no user code in 10 frames)"]}]}"#;
    let assets = format!(
        r#"{{"files": {{"{HASH}": {{"source": {{"path": "In.nested.template.json"}}}}}}}}"#
    );
    let parent = format!(
        r#"{{"Parameters": {{"Size": {{"Type": "Number"}}}}, "Resources": {{
        "Old1": {{"Type": "AWS::S3::Bucket", "Properties": {{"BucketName":
            {{"Fn::Sub": "b-${{AWS::AccountId}}-${{AWS::Region}}-${{Size}}"}}}}}},
        "In1": {{"Type": "AWS::CloudFormation::Stack", "Properties": {{"TemplateURL":
            {{"Fn::Join": ["", ["https://s3.", {{"Ref": "AWS::Region"}}, "/{HASH}.json"]]}}}}}}}}}}"#
    );
    let child = r#"{"Resources": {"Group1": {"Type": "AWS::EC2::SecurityGroup"},
        "Rule1": {"Type": "AWS::EC2::SecurityGroupIngress",
            "Metadata": {"aws:cdk:path": "Prod/S/In/Web/Rule"}}}}"#;
    MemoryFiles::new([
        ("app/cdk.out/assembly-Prod/manifest.json", manifest),
        ("app/cdk.out/assembly-Prod/S.metadata.json", metadata),
        ("app/cdk.out/assembly-Prod/S.assets.json", &assets),
        ("app/cdk.out/assembly-Prod/S.template.json", &parent),
        ("app/cdk.out/assembly-Prod/In.nested.template.json", child),
        ("app/lib/s.ts", "class S {\n  a();\nb();\n"),
    ])
}

const ROOT: &str = "app/cdk.out/assembly-Prod/S.template.json";

fn resolve<'f>(files: &'f MemoryFiles) -> (Project<'f>, Resolution) {
    let project = Project::new(files, Settings::default());
    let resolution = project.resolve(ROOT);
    assert!(resolution.diagnostics.iter().all(|d| d.level != Level::Error), "{resolution:?}");
    (project, resolution)
}

#[test]
fn the_assembly_gives_account_region_and_parameters() {
    let files = assembly();
    let (project, r) = resolve(&files);
    let graph = &r.graphs[0];
    let bucket = graph.get(graph.by_address("Old1").unwrap()).unwrap();
    let name = &bucket.body.get("BucketName").unwrap().kind;
    assert!(matches!(name, Kind::Str(t) if &**t == "b-111122223333-eu-west-1-7"), "{name:?}");
    assert_eq!(project.children(ROOT), ["app/cdk.out/assembly-Prod/In.nested.template.json"]);
    assert!(r.not_covered.is_empty());
}

#[test]
fn resources_know_their_constructs_and_the_lines_that_made_them() {
    let files = assembly();
    let (project, r) = resolve(&files);
    let graph = &r.graphs[0];
    let made = |address: &str| {
        let construct =
            project.construct(graph.get(graph.by_address(address).unwrap()).unwrap()).unwrap();
        let span = construct.span.unwrap();
        let source = files.sources().get(span.file);
        (construct.path.to_string(), source.slice(span).to_owned())
    };
    assert_eq!(made("Old1"), ("Prod/S/Old/Resource".to_owned(), "a();".to_owned()));
    assert_eq!(made("In1/Group1"), ("Prod/S/In/Web/Group".to_owned(), "b();".to_owned()));
    // No line of its own: that of everything around it.
    assert_eq!(made("In1/Rule1"), ("Prod/S/In/Web/Rule".to_owned(), "b();".to_owned()));
    let stack = graph.get(graph.by_address("In1").unwrap()).unwrap();
    assert_eq!(project.construct(stack), None);
}
