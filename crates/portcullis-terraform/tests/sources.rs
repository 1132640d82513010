//! Which files and modules belong to a root.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers outside #[test] functions

use portcullis_core::{MemoryFiles, Resolution};
use portcullis_terraform::{Project, Settings};

fn resolve(files: &[(&str, &str)], dir: &str) -> Resolution {
    let files = MemoryFiles::new(files.iter().map(|(p, t)| (*p, *t)));
    Project::new(&files, Settings::default()).resolve(dir)
}

fn addresses(resolution: &Resolution) -> Vec<&str> {
    resolution.graphs[0].resources.iter().map(|r| &*r.address).collect()
}

fn problems(resolution: &Resolution) -> Vec<&str> {
    resolution.diagnostics.iter().map(|d| d.message.as_str()).collect()
}

#[test]
fn a_tofu_file_stands_in_for_the_tf_file_of_its_name() {
    let found = resolve(
        &[
            ("main.tf", "resource \"aws_sqs_queue\" \"terraform\" {}\n"),
            ("main.tofu", "resource \"aws_sqs_queue\" \"tofu\" {}\n"),
            ("more.tf", "resource \"aws_sqs_queue\" \"both\" {}\n"),
            ("data.tofu.json", "{\"resource\": {\"aws_sqs_queue\": {\"json\": {}}}}"),
            ("data.tf.json", "{\"resource\": {\"aws_sqs_queue\": {\"not\": {}}}}"),
        ],
        "",
    );
    assert_eq!(problems(&found), [""; 0]);
    let mut found = addresses(&found);
    found.sort_unstable();
    assert_eq!(found, ["aws_sqs_queue.both", "aws_sqs_queue.json", "aws_sqs_queue.tofu"]);
}

/// OpenTofu computes sources of modules and settings of backends from variables and locals;
/// Terraform refuses that.
#[test]
fn what_opentofu_evaluates_early_is_read_in_its_files() {
    let root = "variable \"kind\" { default = \"queue\" }\nvariable \"key\" {}\nvariable \"other\" {}\n\
                locals { folder = \"./modules/${var.kind}\" }\n\
                terraform {\n  backend \"s3\" {\n    bucket = var.key\n    key = local.folder\n  }\n  \
                encryption {\n    key_provider \"pbkdf2\" \"p\" { passphrase = var.key }\n  }\n}\n\
                module \"m\" { source = local.folder }\n\
                module \"n\" { source = \"./modules/${var.other}\" }\n\
                resource \"aws_sqs_queue\" \"own\" { name = module.n.name }\n";
    let module = "resource \"aws_sqs_queue\" \"q\" {}\n";
    let files = |name| [(name, root), ("modules/queue/main.tf", module)];
    let found = resolve(&files("main.tofu"), "");
    assert_eq!(problems(&found), [""; 0]);
    assert_eq!(addresses(&found), ["aws_sqs_queue.own", "module.m.aws_sqs_queue.q"]);
    // What is not known is not guessed: it is told as a gap, and what hangs on it is unknown.
    let gaps: Vec<&str> = found.not_covered.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(gaps, ["\"./modules/${var.other}\""]);
    let name = found.graphs[0].resources[0].body.get("name").unwrap();
    assert!(name.as_unknown().is_some());

    let found = resolve(&files("main.tf"), "");
    assert_eq!(addresses(&found), ["aws_sqs_queue.own"]);
    let refused = problems(&found).iter().filter(|p| p.contains("literal")).count();
    assert_eq!(refused, 2, "{:?}", problems(&found));
}

#[test]
fn installed_modules_are_found_by_the_whole_path_of_calls() {
    let files = [
        (
            "env/main.tf",
            "module \"a\" {\n  source = \"acme/a/aws\"\n}\nmodule \"b\" {\n  source = \"acme/a/aws\"\n}\n",
        ),
        (
            "env/.terraform/modules/modules.json",
            "{\"Modules\": [{\"Key\": \"\", \"Source\": \"\", \"Dir\": \".\"}, \
             {\"Key\": \"a\", \"Source\": \"registry.terraform.io/acme/a/aws\", \"Dir\": \".terraform/modules/a\"}, \
             {\"Key\": \"a.inner\", \"Source\": \"git::https://example.com/x.git\", \"Dir\": \".terraform/modules/a.inner\"}, \
             {\"Key\": \"a.near\", \"Source\": \"./near\", \"Dir\": \".terraform/modules/a/near\"}]}",
        ),
        (
            "env/.terraform/modules/a/main.tf",
            "module \"inner\" { source = \"git::https://example.com/x.git\" }\n\
             module \"near\" { source = \"./near\" }\n",
        ),
        ("env/.terraform/modules/a.inner/main.tf", "resource \"aws_sqs_queue\" \"deep\" {}\n"),
        ("env/.terraform/modules/a/near/main.tf", "resource \"aws_sqs_queue\" \"near\" {}\n"),
    ];
    let found = resolve(&files, "env");
    assert_eq!(problems(&found), [""; 0]);
    assert_eq!(
        addresses(&found),
        ["module.a.module.inner.aws_sqs_queue.deep", "module.a.module.near.aws_sqs_queue.near"]
    );
    // `b` has the same source, but was not installed under that name.
    let gaps: Vec<&str> = found.not_covered.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(gaps, ["acme/a/aws"]);
}

#[test]
fn user_data_is_put_together_as_the_cloudinit_provider_does() {
    let text = "variable \"late\" {}\n\
                data \"cloudinit_config\" \"c\" {\n  gzip = false\n  base64_encode = false\n  boundary = \"//\"\n  \
                part {\n    content = \"a\\nb\"\n    content_type = \"text/x-shellscript\"\n    \
                filename = \"f.sh\"\n  }\n  part {\n    content = \"c\"\n    merge_type = \"list(append)\"\n  }\n}\n\
                data \"cloudinit_config\" \"small\" {\n  part {\n    content = \"a\"\n  }\n}\n\
                data \"cloudinit_config\" \"late\" {\n  gzip = false\n  part {\n    content = var.late\n  }\n}\n\
                output \"c\" { value = data.cloudinit_config.c.rendered }\n\
                output \"small\" { value = data.cloudinit_config.small.rendered }\n\
                output \"late\" { value = data.cloudinit_config.late.rendered }\n";
    let found = resolve(&[("main.tf", text)], "");
    assert_eq!(problems(&found), [""; 0]);
    let outputs = found.outputs.unwrap();
    let wanted = "Content-Type: multipart/mixed; boundary=\"//\"\nMIME-Version: 1.0\r\n\r\n\
                  --//\r\nContent-Disposition: attachment; filename=\"f.sh\"\r\n\
                  Content-Transfer-Encoding: 7bit\r\nContent-Type: text/x-shellscript\r\n\
                  Mime-Version: 1.0\r\n\r\na\nb\r\n--//\r\nContent-Transfer-Encoding: 7bit\r\n\
                  Content-Type: text/plain\r\nMime-Version: 1.0\r\nX-Merge-Type: list(append)\r\n\r\nc\
                  \r\n--//--\r\n";
    assert_eq!(outputs.get("c").unwrap().as_str(), Some(wanted));
    let why = |name: &str| {
        let unknown = outputs.get(name).unwrap().as_unknown().unwrap();
        assert!(unknown.not_null);
        unknown.why.text.to_string()
    };
    assert!(why("small").contains("gzip"));
    assert!(why("late").contains("var.late"));
}
