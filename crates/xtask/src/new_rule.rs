//! `new-rule`: a rule file with every field, to be filled in.

use std::path::Path;

/// Writes `rules/<path>.yaml`; refuses to overwrite.
pub(crate) fn write(path: &str) -> Result<(), String> {
    let parts: Vec<&str> = path.split('/').collect();
    let [provider, service, name] = parts.as_slice() else {
        return Err(format!("`{path}`: expected aws/SERVICE/NAME"));
    };
    let file = Path::new("rules").join(provider).join(service).join(format!("{name}.yaml"));
    if file.exists() {
        return Err(format!("{} exists already", file.display()));
    }
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    let text = TEMPLATE.replace("ID", &format!("{provider}-{service}-{name}"));
    std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    println!("{}: fill it in, then run `portcullis rules test {}`", file.display(), file.display());
    Ok(())
}

const TEMPLATE: &str = r#"id: ID
title: What is required, as a statement
severity: medium
rationale: What an attacker gains, or what is lost, in one sentence.
references:
  - https://docs.aws.amazon.com/
controls: {}
aliases: []
resources: { tf: aws_sqs_queue, cfn: "AWS::SQS::Queue" }
attributes:
  key: { tf: kms_master_key_id, cfn: KmsMasterKeyId, type: key }
require: { key: set }
message: "{resource} is what is wrong"
remediation:
  terraform: |
    What to change.
  cloudformation: |
    What to change.
examples:
  terraform:
    pass:
      - |
        resource "aws_sqs_queue" "q" {
          kms_master_key_id = "alias/q"
        }
    fail:
      - |
        resource "aws_sqs_queue" "q" {}
    unknown:
      - |
        variable "key" {}
        resource "aws_sqs_queue" "q" {
          kms_master_key_id = var.key
        }
  cloudformation:
    pass:
      - |
        Resources:
          Q: { Type: "AWS::SQS::Queue", Properties: { KmsMasterKeyId: alias/q } }
    fail:
      - |
        Resources:
          Q: { Type: "AWS::SQS::Queue" }
"#;
