//! Which files are looked at: nothing outside the boundary, and not as Terraform what is Terragrunt.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod common;

use common::{Folder, code, json, run_in};

/// Where nothing marks a project, the boundary is the smallest folder that holds PATH and the local
/// modules called from it.
#[test]
fn without_a_mark_called_modules_are_read_and_nothing_outside() {
    let main = "module \"m\" {\n  source = \"../../shared/m\"\n}\n\
                module \"etc\" {\n  source = \"../../../../../../../../etc\"\n}\n\
                output \"own\" { value = file(\"note.txt\") }\n\
                output \"outside\" { value = try(file(\"../../../note.txt\"), \"refused\") }\n\
                output \"far\" { value = try(file(\"/etc/passwd\"), \"refused\") }\n\
                output \"module\" { value = module.m.note }\n";
    let module = "resource \"aws_sqs_queue\" \"q\" {}\n\
                  output \"note\" { value = file(\"${path.module}/../notes/note.txt\") }\n";
    let dir = Folder::new(
        "boundary",
        &[
            ("note.txt", "secret"),
            ("project/apps/prod/main.tf", main),
            ("project/apps/prod/note.txt", "own"),
            ("project/shared/m/main.tf", module),
            ("project/shared/notes/note.txt", "module's"),
        ],
    );
    let out = run_in(&dir.0.join("project/apps/prod"), &["inspect", ".", "--format", "json"]);
    let report = json(&out);
    let output = |name: &str| report["outputs"][name].clone();
    assert_eq!(output("own"), "own");
    assert_eq!(output("module"), "module's");
    for name in ["outside", "far"] {
        let value = output(name);
        assert!(value == "refused" || value.get("$unknown").is_some(), "{name}: {value}");
    }
    assert_eq!(report["resources"][0]["address"], "module.m.aws_sqs_queue.q");
    // A folder that is no module widens nothing: it is refused, and that is an error.
    assert_eq!(code(&out), 3);
    let errors = report["errors"].as_array().unwrap();
    assert!(errors.iter().any(|e| e["line"] == 5), "{errors:?}");
    assert!(!out.stdout.windows(6).any(|w| w == b"secret"));
}

/// Several paths have a boundary each: what lies between them is not read.
#[test]
fn what_lies_between_two_projects_is_not_read() {
    let main = "output \"between\" { value = try(file(\"../note.txt\"), \"refused\") }\n\
                resource \"aws_sqs_queue\" \"q\" {\n  name = try(file(\"../note.txt\"), \"refused\")\n}\n";
    let dir = Folder::new(
        "between",
        &[
            ("note.txt", "zq81xw"),
            ("a/main.tf", main),
            ("b/main.tf", main),
            ("c/main.tf", "module \"a\" {\n  source = \"../a\"\n}\n"),
        ],
    );
    let args = ["scan", "a", "b", "--format", "json", "--include-passed"];
    let out = run_in(&dir.0, &args);
    assert!(!out.stdout.windows(6).any(|w| w == b"zq81xw"));
    let report = json(&out);
    let files: Vec<&str> =
        report["inputs"].as_array().unwrap().iter().map(|i| i["path"].as_str().unwrap()).collect();
    assert_eq!(files, ["a/main.tf", "b/main.tf"]);
}

/// Inside a marked project the mark bounds everything, called modules included.
#[test]
fn a_mark_bounds_modules_too() {
    let main = "module \"m\" {\n  source = \"../../outside\"\n}\n";
    let dir = Folder::new(
        "marked",
        &[
            ("project/portcullis.toml", ""),
            ("project/root/main.tf", main),
            ("outside/main.tf", "resource \"aws_sqs_queue\" \"q\" {}\n"),
        ],
    );
    let out = run_in(&dir.0.join("project/root"), &["inspect", ".", "--format", "json"]);
    assert_eq!(code(&out), 3);
    let report = json(&out);
    assert_eq!(report["resources"].as_array().unwrap().len(), 0, "{report:#}");
    assert!(report["errors"][0]["message"].as_str().unwrap().contains("outside"), "{report:#}");
}

/// Terragrunt files are no configuration of Terraform: each is told as a gap, nothing of it is
/// misread, and the modules that it would call are judged by themselves.
#[test]
fn terragrunt_is_told_apart() {
    let unit = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n\
                terraform {\n  source = \"../../modules/queue\"\n}\n\
                inputs = {\n  encrypted = false\n}\n";
    let module = "variable \"encrypted\" { default = true }\n\
                  resource \"aws_sqs_queue\" \"q\" {\n  sqs_managed_sse_enabled = var.encrypted\n}\n";
    let dir = Folder::new(
        "terragrunt",
        &[
            ("root.hcl", "remote_state {\n  backend = \"s3\"\n  config = {}\n}\n"),
            ("live/prod/terragrunt.hcl", unit),
            (
                "live/test/terragrunt.hcl.json",
                "{\"terraform\": {\"source\": \"../../modules/queue\"}}",
            ),
            ("live/prod/.terragrunt-cache/a/b/main.tf", module),
            ("modules/queue/main.tf", module),
        ],
    );
    let out = run_in(&dir.0, &["scan", ".", "--format", "json", "--include-passed"]);
    let report = json(&out);
    let gaps = report["not_covered"].as_array().unwrap();
    let names: Vec<&str> = gaps.iter().map(|g| g["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["live/prod/terragrunt.hcl", "live/test/terragrunt.hcl.json", "root.hcl"]);
    assert!(gaps.iter().all(|g| g["what"] == "terragrunt"));
    assert_eq!(code(&out), 3);
    assert_eq!(report["errors"].as_array().unwrap().len(), 0, "{report:#}");
    let files: Vec<&str> =
        report["inputs"].as_array().unwrap().iter().map(|i| i["path"].as_str().unwrap()).collect();
    assert_eq!(files, ["modules/queue/main.tf"]);
}

/// A call that a commit adds brings the module's findings with it, though no changed line is theirs;
/// what another file calls is not the commit's matter.
#[test]
fn a_named_file_shows_what_the_modules_that_it_calls_add() {
    let open = "resource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";
    let nested = "module \"inner\" {\n  source = \"../open\"\n}\n";
    let dir = Folder::new(
        "calls",
        &[
            ("portcullis.toml", ""),
            ("main.tf", "module \"a\" {\n  source = \"./modules/nested\"\n}\n"),
            ("other.tf", "module \"b\" {\n  source = \"./modules/open\"\n}\n"),
            ("plain.tf", "locals {\n  a = 1\n}\n"),
            ("modules/open/main.tf", open),
            ("modules/nested/main.tf", nested),
        ],
    );
    let shown = |file: &str| -> Vec<String> {
        let out = run_in(&dir.0, &["scan", file, "--format", "json"]);
        let report = json(&out);
        let all = report["results"].as_array().unwrap().iter();
        all.filter(|r| r["rule"] == "aws-ec2-sg-ingress-admin-ports-open")
            .map(|r| r["resource"]["address"].as_str().unwrap().to_owned())
            .collect()
    };
    let (a, b) = ("module.a.module.inner.aws_security_group.g", "module.b.aws_security_group.g");
    assert_eq!(shown("main.tf"), [a]);
    assert_eq!(shown("other.tf"), [b]);
    assert_eq!(shown("modules/nested/main.tf"), [a]);
    assert_eq!(shown("modules/open/main.tf"), [a, b]);
    assert_eq!(shown("plain.tf"), [""; 0]);
}

/// PowerShell's `>` writes UTF-16: what the program cannot read must not look like nothing.
#[test]
fn templates_in_utf_16_are_errors() {
    let text =
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Q:\n    Type: AWS::SQS::Queue\n";
    let little = |text: &str| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let big: Vec<u8> = little(text).chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    let wide: Vec<u8> = std::iter::once('\u{feff}')
        .chain(text.chars())
        .flat_map(|c| (c as u32).to_be_bytes())
        .collect();
    for (name, bytes, encoding) in [
        ("t.yaml", little(text), "UTF-16"),
        ("t.template", big, "UTF-16"),
        ("t.json", little("{\"Resources\": {}}"), "UTF-16"),
        ("t.yml", wide, "UTF-32"),
    ] {
        let dir = Folder::new("utf16", &[("portcullis.toml", "")]);
        std::fs::write(dir.0.join(name), bytes).unwrap();
        std::fs::write(dir.0.join("photo.template"), [0xffu8, 0xd8, 0xff, 0xe0]).unwrap();
        for path in [".", name] {
            let out = run_in(&dir.0, &["scan", path, "--format", "json", "--allow-empty"]);
            let report = json(&out);
            let errors = report["errors"].as_array().unwrap();
            assert_eq!(errors.len(), 1, "{path}: {report:#}");
            assert_eq!(errors[0]["file"], name);
            let wanted = format!("cannot be read: {encoding}, not UTF-8");
            assert_eq!(errors[0]["message"], wanted.as_str());
            assert_eq!(code(&out), 3, "{path}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_outside_is_not_covered_and_no_module() {
    use std::os::unix::fs::symlink;
    let dir = Folder::new(
        "outward",
        &[
            ("in/portcullis.toml", ""),
            ("in/main.tf", "module \"m\" {\n  source = \"./linked\"\n}\n"),
            ("in/inner/main.tf", "locals {\n  a = 1\n}\n"),
            ("out/main.tf", "resource \"aws_sqs_queue\" \"q\" {}\n"),
        ],
    );
    let inside = dir.0.join("in");
    symlink("../out", inside.join("linked")).unwrap();
    symlink("inner", inside.join("again")).unwrap();
    symlink("../out", inside.join("node_modules")).unwrap();
    let scan = || {
        let out = run_in(&inside, &["scan", ".", "--format", "json"]);
        (code(&out), json(&out))
    };
    let (exit, report) = scan();
    assert_eq!(exit, 3);
    let gaps = report["not_covered"].as_array().unwrap();
    assert_eq!(gaps.len(), 1, "{report:#}");
    assert_eq!((&gaps[0]["what"], &gaps[0]["name"]), (&"link".into(), &"linked".into()));
    let message = "the module in \"linked\" lies outside the scanned project";
    assert_eq!(report["errors"][0]["message"], message, "{report:#}");
    // Where nothing calls it, the gap can be accepted.
    std::fs::write(inside.join("main.tf"), "locals {\n  a = 1\n}\n").unwrap();
    assert_eq!(scan().0, 3);
    let accept = "[[coverage.accept]]\nlink = \"linked\"\nreason = \"scanned there\"\n";
    std::fs::write(inside.join("portcullis.toml"), accept).unwrap();
    let (exit, report) = scan();
    assert_eq!(exit, 0, "{report:#}");
}
