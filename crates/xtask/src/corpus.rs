//! Generated corpora: the same bytes every time.

use std::fmt::Write;
use std::path::Path;

use portcullis_core::FileId;
use portcullis_syntax::{print, yaml};

/// Kinds of corpus that are measured.
pub(crate) const KINDS: [&str; 3] = ["cloudformation", "sam", "terraform"];

/// Every kind: those of a hundred resources a file, in either notation, and repositories of modules
/// besides.
pub(crate) const ALL: [&str; 7] = [
    "cloudformation",
    "sam",
    "terraform",
    "cloudformation-100",
    "cloudformation-100-json",
    "modules",
    "modules-mixed",
];

/// Writes `n` files of a kind below `dir`, or a repository of `n` modules.
pub(crate) fn write(dir: &Path, kind: &str, n: usize) -> std::io::Result<()> {
    if kind.starts_with("modules") {
        return crate::monorepo::write(dir, n, kind == "modules-mixed");
    }
    for i in 0..n {
        // A hundred files a folder, and each Terraform file a root of its own.
        let folder = match kind {
            "terraform" => dir.join(format!("d{:03}/r{i:05}", i / 100)),
            _ => dir.join(format!("d{:03}", i / 100)),
        };
        std::fs::create_dir_all(&folder)?;
        let (name, text) = match kind {
            "terraform" => ("main.tf".to_owned(), terraform(i)),
            "sam" => (format!("t{i:05}.yaml"), sam(i)),
            "cloudformation-100" => (format!("t{i:05}.yaml"), cloudformation(i, 100)),
            "cloudformation-100-json" => {
                (format!("t{i:05}.json"), as_json(&cloudformation(i, 100)))
            }
            _ => (format!("t{i:05}.yaml"), cloudformation(i, 10)),
        };
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// A template of ten resources; every tenth one has the one after it for a nested stack, `n` being
/// how many there are.
pub(crate) fn template(i: usize, n: usize) -> String {
    let mut t = cloudformation(i, 10);
    if i.is_multiple_of(10) && i + 1 < n {
        let _ = write!(
            t,
            "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: ./t{:05}.yaml\n",
            i + 1
        );
    }
    t
}

fn as_json(text: &str) -> String {
    let parsed = yaml::parse(FileId(0), text);
    parsed.documents.first().map(print::json).unwrap_or_default()
}

/// About 3 KB for ten resources.
fn cloudformation(i: usize, resources: usize) -> String {
    let mut t = String::from(
        "AWSTemplateFormatVersion: \"2010-09-09\"\nParameters:\n  Stage:\n    Type: String\n    Default: dev\n    AllowedValues: [dev, prod]\nConditions:\n  IsProd: !Equals [!Ref Stage, prod]\nResources:\n",
    );
    for r in 0..resources {
        let _ = match r % 5 {
            0 => write!(
                t,
                "  Bucket{r}:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Sub \"data-{i}-{r}-${{AWS::AccountId}}\"\n      VersioningConfiguration:\n        Status: !If [IsProd, Enabled, Suspended]\n      PublicAccessBlockConfiguration:\n        BlockPublicAcls: true\n        BlockPublicPolicy: true\n        IgnorePublicAcls: true\n        RestrictPublicBuckets: true\n"
            ),
            1 => write!(
                t,
                "  Queue{r}:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: queue-{i}-{r}\n      KmsMasterKeyId: alias/aws/sqs\n      VisibilityTimeout: 60\n"
            ),
            2 => write!(
                t,
                "  Group{r}:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: group {i}\n      SecurityGroupIngress:\n        - IpProtocol: tcp\n          FromPort: 443\n          ToPort: 443\n          CidrIp: 10.0.0.0/8\n        - IpProtocol: tcp\n          FromPort: 22\n          ToPort: 22\n          CidrIp: 192.168.0.0/16\n"
            ),
            3 => write!(
                t,
                "  Function{r}:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: app.handler\n      Runtime: python3.13\n      Role: arn:aws:iam::111122223333:role/app-{i}\n      Environment:\n        Variables:\n          QUEUE: !Ref Queue1\n          STAGE: !Ref Stage\n      Code:\n        S3Bucket: artifacts\n        S3Key: !Join [\"/\", [functions, !Ref Stage, \"{r}.zip\"]]\n"
            ),
            _ => write!(
                t,
                "  Logs{r}:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupName: /app/{i}/{r}\n      RetentionInDays: 30\n"
            ),
        };
    }
    t
}

fn sam(i: usize) -> String {
    let mut t = String::from(
        "AWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Runtime: python3.13\n    Timeout: 10\nResources:\n",
    );
    for r in 0..5 {
        let _ = write!(
            t,
            "  Function{r}:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: app{i}.handler\n      CodeUri: src/\n      Policies: [AWSLambdaBasicExecutionRole]\n      Events:\n        Get:\n          Type: Api\n          Properties: {{ Path: /f{r}, Method: get }}\n"
        );
    }
    t
}

fn terraform(i: usize) -> String {
    let mut t = String::from(
        "variable \"ranges\" {\n  type    = list(string)\n  default = [\"10.0.0.0/8\"]\n}\n\nlocals {\n  names = [\"a\", \"b\", \"c\"]\n}\n",
    );
    let _ = write!(
        t,
        "\nresource \"aws_s3_bucket\" \"b\" {{\n  for_each = toset(local.names)\n  bucket   = \"data-{i}-${{each.key}}\"\n}}\n\nresource \"aws_s3_bucket_versioning\" \"b\" {{\n  for_each = aws_s3_bucket.b\n  bucket   = each.value.id\n  versioning_configuration {{\n    status = \"Enabled\"\n  }}\n}}\n"
    );
    for r in 0..5 {
        let _ = write!(
            t,
            "\nresource \"aws_security_group\" \"g{r}\" {{\n  name = \"g-{i}-{r}\"\n  ingress {{\n    from_port   = 443\n    to_port     = 443\n    protocol    = \"tcp\"\n    cidr_blocks = var.ranges\n  }}\n}}\n"
        );
    }
    t
}
