//! Evidence packs from the command line: made, verified, compared, put in a row, and held against
//! what was deployed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Output;

use common::git::Repository;
use common::{Folder, code, json, root, run_in, stderr, stdout};
use serde_json::Value;

const OPEN: &str = r#"
variable "password" {
  default   = "hunter2-planted-secret"
  sensitive = true
}

resource "aws_db_instance" "main" {
  identifier = "main"
  password   = var.password
}

resource "aws_security_group" "admin" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# portcullis:ignore aws-s3-access-logging reason="this is the log bucket" until=2099-06-30 owner=ops
resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}
"#;

/// Runs `portcullis report`, which has to give this exit code.
fn report(dir: &Path, expected: i32, args: &[&str]) -> Output {
    let out = run_in(dir, &[&["report"], args].concat());
    assert_eq!(code(&out), expected, "{args:?}\n{}\n{}", stdout(&out), stderr(&out));
    out
}

/// Makes a pack; its digest.
fn pack(dir: &Path, args: &[&str], to: &str) -> String {
    let out = run_in(
        dir,
        &[&["report", "--format", "markdown=report.md"], args, &["--evidence", to]].concat(),
    );
    assert!([0, 3].contains(&code(&out)), "{}", stderr(&out));
    let said = stderr(&out);
    let line = said.lines().find(|l| l.starts_with("evidence ")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn what_was_packed_derives_again_whatever_was_scanned() {
    let work = Folder::new("packs-fixtures", &[]);
    let projects = root().join("fixtures/projects");
    let derives_again = |project: &Path| {
        let name = project.file_name().unwrap().to_string_lossy().into_owned();
        let (zip, folder) = (format!("{name}.zip"), name.clone());
        let path = project.to_string_lossy();
        let formats = ["csv=r.csv", "oscal=o.json", "html=r.html", "xlsx=r.xlsx"];
        let formats = formats.map(|f| ["--format", f]).concat();
        let digest = pack(&work.0, &[&[&*path][..], &formats[..]].concat(), &zip);
        let args = [&[&*path][..], &formats[..], &["--jobs", "1"]].concat();
        let same = pack(&work.0, &args, &folder);
        assert_eq!(digest, same, "{name}");
        for pack in [&zip, &folder] {
            let seen = json(&report(
                &work.0,
                0,
                &["verify", pack, "--digest", &digest, "--format", "json"],
            ));
            assert_eq!(seen["consistent"], true, "{seen}");
            assert_eq!(seen["origin"]["digest"], true);
            assert_eq!(seen["notes"], serde_json::json!([]));
            assert!(seen["figures"].as_u64().unwrap() > 1000, "{}", seen["figures"]);
            let derived: Vec<&str> =
                seen["derived"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
            assert_eq!(
                derived,
                [
                    "catalogue.json",
                    "exceptions.csv",
                    "inputs.csv",
                    "oscal.json",
                    "population.csv",
                    "report.csv",
                    "report.html",
                    "report.json",
                    "report.md",
                    "report.xlsx",
                    "unread.csv"
                ]
            );
        }
    };
    // Side by side: a run has little for a second core.
    std::thread::scope(|scope| {
        let derives_again = &derives_again;
        for entry in std::fs::read_dir(&projects).unwrap() {
            let project = entry.unwrap().path();
            scope.spawn(move || derives_again(&project));
        }
    });
}

const OWN_RULE: &str = r#"
id: acme-bucket-name
title: Buckets carry the team's name
severity: low
rationale: Owners are found by name.
resources: { tf: aws_s3_bucket, cfn: "AWS::S3::Bucket" }
attributes:
  name: { tf: bucket, cfn: BucketName }
require: { name: { starts_with: acme- } }
message: "{resource} is not named after its team"
remediation: Begin the name with acme-.
examples:
  terraform:
    pass: ['resource "aws_s3_bucket" "q" { bucket = "acme-q" }']
    fail: ['resource "aws_s3_bucket" "q" { bucket = "q" }']
"#;

#[test]
fn what_a_framework_of_ones_own_excepts_is_shown_and_derives_again() {
    let framework = "id: acme\ntitle: Acme\ncontrols:\n  - id: N-1\n    title: Doors are shut\n    \
        rules: [acme-bucket-name, \"aws-ec2-sg-ingress-*\"]\n    \
        except: [{ rule: \"aws-ec2-sg-ingress-*\", because: the network team looks at them }]\n";
    let files =
        [("main.tf", OPEN), ("acme.yaml", framework), (".portcullis/rules/name.yaml", OWN_RULE)];
    let work = Folder::new("packs-own", &files);
    let dir = &work.0;
    let args = ["--framework-file", "acme.yaml", "--format", "json=r.json"];
    pack(dir, &args, "p.zip");
    let seen = json(&report(dir, 0, &["verify", "p.zip", "--format", "json"]));
    assert_eq!(seen["differences"], serde_json::json!([]), "{seen}");
    assert!(seen["derived"].as_array().unwrap().contains(&"catalogue.json".into()), "{seen}");
    let own: Vec<(&str, &str)> = seen["made"]["own"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| (o["kind"].as_str().unwrap(), o["path"].as_str().unwrap()))
        .collect();
    assert_eq!(own, [("framework", "acme.yaml"), ("rules", ".portcullis/rules/name.yaml")]);

    let told: Value = serde_json::from_slice(&std::fs::read(dir.join("r.json")).unwrap()).unwrap();
    let control = &told["frameworks"][0]["controls"][0];
    assert_eq!(control["rules"].as_array().unwrap().len(), 1, "{control}");
    let excepted = control["excepted"].as_array().unwrap();
    assert!(excepted.len() > 1, "{control}");
    assert!(
        excepted
            .iter()
            .all(|e| e["strength"] == "direct" && e["because"] == "the network team looks at them")
    );
    let text = std::fs::read_to_string(dir.join("report.md")).unwrap();
    assert!(text.contains("Excepted by the framework's file: aws-ec2-sg-ingress-"), "{text}");
}

#[test]
fn the_same_scan_gives_the_same_bytes() {
    let folder = Folder::new("packs-same", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    for (jobs, to) in [("1", "a.zip"), ("2", "b.zip"), ("8", "c.zip")] {
        // The same options: they are kept in the pack.
        pack(&folder.0, &["--framework", "soc2", "--jobs", jobs], to);
    }
    let read = |name: &str| std::fs::read(folder.0.join(name)).unwrap();
    assert!(read("a.zip") == read("b.zip") && read("b.zip") == read("c.zip"));
}

#[test]
fn no_secret_is_in_a_pack() {
    let folder = Folder::new("packs-secret", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let args = [
        "--framework",
        "soc2",
        "--var",
        "password=other-planted-secret",
        "--format",
        "csv=report.csv",
    ];
    pack(&folder.0, &args, "pack");
    let mut files = 0;
    for entry in walkdir::WalkDir::new(folder.0.join("pack")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            files += 1;
            let text = String::from_utf8(std::fs::read(entry.path()).unwrap()).unwrap();
            assert!(!text.contains("planted-secret"), "{}", entry.path().display());
        }
    }
    assert!(files >= 11, "{files}");
    let context = std::fs::read_to_string(folder.0.join("pack/context.json")).unwrap();
    assert!(context.contains("\"--var password=(not kept)\""), "{context}");
}

#[test]
fn a_change_is_named_and_the_origin_is_said() {
    let folder = Folder::new("packs-change", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let digest = pack(&folder.0, &["--framework", "soc2"], "pack.zip");
    let out = stdout(&report(&folder.0, 0, &["verify", "pack.zip"]));
    assert!(out.starts_with("pack.zip: internally consistent\n"), "{out}");
    assert!(out.contains(&format!("digest: {digest}\n")), "{out}");
    assert!(out.contains("\norigin: not shown; give --digest or --signature"), "{out}");
    // A statement of the same run is about the pack.
    let args = ["--framework", "soc2", "--format", "in-toto", "--evidence", "again.zip"];
    let statement = json(&report(&folder.0, 0, &args));
    let subject = &statement["subject"][0];
    assert_eq!(subject["name"], "again.zip/manifest.json");
    let manifest = json(&report(&folder.0, 0, &["verify", "again.zip", "--format", "json"]));
    let hex = subject["digest"]["sha256"].as_str().unwrap();
    assert_eq!(manifest["digest"], format!("sha256:{hex}"));
    let upper = digest.trim_start_matches("sha256:").to_uppercase();
    let out = stdout(&report(&folder.0, 0, &["verify", "pack.zip", "--digest", &upper]));
    assert!(out.contains("origin: the digest is the one that was given\n"), "{out}");
    let other = format!("sha256:{}", "0".repeat(64));
    let out = stdout(&report(&folder.0, 1, &["verify", "pack.zip", "--digest", &other]));
    assert!(out.contains("origin: NOT the pack that was asked for"), "{out}");

    // Any byte of the archive: a few hundred of them, from the first to the last.
    let whole = std::fs::read(folder.0.join("pack.zip")).unwrap();
    let step = whole.len() / 40;
    let places = (0..whole.len()).step_by(step).chain(whole.len() - 22..whole.len());
    for at in places {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(folder.0.join("changed.zip"), bytes).unwrap();
        report(&folder.0, 1, &["verify", "changed.zip", "--digest", &digest]);
    }

    // A changed figure in a folder.
    pack(&folder.0, &["--framework", "soc2"], "pack");
    let path = folder.0.join("pack/report.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let passed = text.find("\"passed\":").unwrap() + 9;
    let changed = format!("{}9{}", &text[..passed], &text[passed..]);
    std::fs::write(&path, changed).unwrap();
    let out = stdout(&report(&folder.0, 1, &["verify", "pack"]));
    assert!(out.contains("report.json: expected a file of "), "{out}");
    assert!(out.contains("report.json, $.frameworks[0].figures.passed: expected "), "{out}");
    // Such a pack is not compared either.
    let out = stderr(&report(&folder.0, 2, &["--compare", "pack", "pack.zip"]));
    assert!(out.starts_with("error: pack: report.json: "), "{out}");
}

#[test]
fn a_signature_shows_the_origin() {
    let folder = Folder::new("packs-signed", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    pack(&folder.0, &["--framework", "soc2"], "pack.zip");
    pack(&folder.0, &["--framework", "soc2"], "pack");
    let key = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let sign = |file: &str, to: &str| {
        let bytes = std::fs::read(folder.0.join(file)).unwrap();
        let signed =
            minisign::sign(Some(&key.pk), &key.sk, &bytes[..], Some("audit of 2026"), None)
                .unwrap();
        std::fs::write(folder.0.join(to), signed.into_string()).unwrap();
    };
    sign("pack.zip", "zip.minisig");
    sign("pack/manifest.json", "manifest.minisig");
    sign("main.tf", "other.minisig");
    std::fs::write(folder.0.join("key.pub"), key.pk.to_box().unwrap().into_string()).unwrap();
    let verify = |expected: i32, pack: &str, signature: &str, key: &str| {
        let args = ["verify", pack, "--signature", signature, "--public-key", key];
        let out = report(&folder.0, expected, &args);
        stdout(&out) + &stderr(&out)
    };
    let out = verify(0, "pack.zip", "zip.minisig", "key.pub");
    assert!(
        out.contains("origin: the key signed the archive; the signer says: audit of 2026"),
        "{out}"
    );
    let out = verify(0, "pack.zip", "manifest.minisig", &key.pk.to_base64());
    assert!(out.contains("origin: the key signed manifest.json"), "{out}");
    verify(0, "pack", "manifest.minisig", "key.pub");
    for (pack, signature) in [("pack", "zip.minisig"), ("pack.zip", "other.minisig")] {
        let out = verify(1, pack, signature, "key.pub");
        assert!(out.contains("origin: NOT signed by this key"), "{out}");
    }
    let stranger = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let out = verify(1, "pack.zip", "zip.minisig", &stranger.pk.to_base64());
    assert!(out.contains("origin: NOT signed by this key"), "{out}");
    let out = verify(2, "pack.zip", "main.tf", "key.pub");
    assert!(out.contains("sigstore bundles cannot be checked offline"), "{out}");
    let out = verify(2, "pack.zip", "zip.minisig", "no-such-key");
    assert!(out.contains("expected a minisign key"), "{out}");
}

#[test]
fn wrong_questions_are_refused() {
    let folder = Folder::new(
        "packs-wrong",
        &[("main.tf", OPEN), ("portcullis.toml", ""), ("full/notes.txt", "mine"), ("x.txt", "x")],
    );
    let refused = |args: &[&str], said: &str| {
        let out = stderr(&report(&folder.0, 2, args));
        assert!(out.contains(said), "{args:?}: {out}");
    };
    refused(&["--evidence", "full"], "holds other files than a pack");
    refused(&["--evidence", "x.txt"], "does not end in .zip");
    assert_eq!(std::fs::read_to_string(folder.0.join("full/notes.txt")).unwrap(), "mine");
    refused(&["verify", "nowhere.zip"], "nowhere.zip: ");
    refused(&["verify", "x.txt", "--digest", "abc"], "expected sha256: and 64 hexadecimal digits");
    refused(&["verify", "x.txt", "--signature", "x.txt"], "--public-key");
    refused(&["--compare", "a.zip"], "2 values required");
    refused(&["--compare", "a.zip", "b.zip"], "a.zip: no evidence pack, or a damaged one");
    refused(&["--trend", "full"], "no evidence pack is in it");
    refused(&["--deployments", "full"], "--branch");
    refused(&["--branch", "main"], "--deployments");
    // What means nothing there is not passed over.
    for option in [
        "--framework=soc2",
        "--previous=x.json",
        "--account=1",
        "--run-url=u",
        "--min-severity=high",
        "--var=a=b",
        "--var-file=x",
        "--rules=x",
        "--policy=x",
        "--as-of=2026-01-01",
        "--config=x",
        "--no-suppressions",
    ] {
        refused(&["--compare", "a.zip", "b.zip", option], "cannot be used with");
        refused(&["--trend", "full", option], "cannot be used with");
        refused(&["--deployments", "full", "--branch", "main", option], "cannot be used with");
    }
    refused(&["--evidence", "."], "has no name of its own");
    // It is there, and is no pack.
    let out = stdout(&report(&folder.0, 1, &["verify", "x.txt"]));
    assert!(
        out.contains("the pack: expected a pack that can be read, found no evidence pack"),
        "{out}"
    );
    // A pack is replaced by a pack, as long as nothing of anybody else is in it.
    pack(&folder.0, &["--framework", "soc2"], "pack");
    pack(&folder.0, &["--framework", "hipaa"], "pack");
    report(&folder.0, 0, &["verify", "pack"]);
    std::fs::write(folder.0.join("pack/mine.txt"), "mine").unwrap();
    refused(&["--evidence", "pack"], "holds other files than a pack");
    let hidden: Vec<_> = std::fs::read_dir(&folder.0)
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_leads_nowhere() {
    let folder = Folder::new("packs-link", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    pack(&folder.0, &["--framework", "soc2"], "pack");
    std::fs::remove_file(folder.0.join("pack/unread.csv")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.0.join("pack/unread.csv")).unwrap();
    let out = stdout(&report(&folder.0, 1, &["verify", "pack"]));
    assert!(out.contains("unread.csv: is no file: a pack holds files only"), "{out}");
}

#[test]
fn two_packs_are_compared_and_many_make_a_trend() {
    let folder = Folder::new("packs-time", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let read = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
    std::fs::create_dir(folder.0.join("packs")).unwrap();
    pack(&folder.0, &["--framework", "soc2", "--as-of", "2026-10-01"], "packs/1.zip");
    let fixed =
        OPEN.replace("0.0.0.0/0", "10.0.0.0/8").replace("until=2099-06-30", "until=2099-12-31");
    std::fs::write(folder.0.join("main.tf"), fixed).unwrap();
    pack(&folder.0, &["--framework", "soc2", "--as-of", "2026-11-01"], "packs/2");
    let out =
        json(&report(&folder.0, 0, &["--compare", "packs/1.zip", "packs/2", "--format", "json"]));
    let closed = out["findings"]["closed"].as_array().unwrap();
    let fixed = closed.iter().find(|f| f["rule"] == "aws-ec2-sg-ingress-admin-ports-open").unwrap();
    assert_eq!(
        (&fixed["why"], &fixed["address"]),
        (&"fixed".into(), &"aws_security_group.admin".into())
    );
    assert_eq!(out["findings"]["opened"], serde_json::json!([]));
    let renewed = &out["exceptions"]["renewed"][0];
    assert_eq!(renewed["was_until"], "2099-06-30");
    assert_eq!(renewed["until"], "2099-12-31");
    let page = stdout(&report(&folder.0, 0, &["--compare", "packs/1.zip", "packs/2"]));
    assert!(page.contains("| fixed |"), "{page}");

    let trend = json(&report(&folder.0, 0, &["--trend", "packs", "--format", "json"]));
    let points = trend["points"].as_array().unwrap();
    let critical = |p: &Value| p["failing"]["critical"].as_u64().unwrap();
    assert_eq!(points.len(), 2);
    assert!(critical(&points[0]) > critical(&points[1]), "{trend}");
    assert_eq!(points[0]["pack"], "1.zip");
    // One that cannot be read is said, and the answer is not whole.
    std::fs::write(folder.0.join("packs/3.zip"), "no zip").unwrap();
    let files = ["--format", "markdown", "--format", "html=t.html", "--format", "json=t.json"];
    let out = report(&folder.0, 3, &[&["--trend", "packs"][..], &files].concat());
    let (html, json) = (read("t.html"), read("t.json"));
    assert!(html.contains("3.zip") && !html.contains("packs/3.zip"), "where it lies is not said");
    assert!(html.contains("2 evidence packs") && json.contains("\"unread\""), "{json}");
    let again = ["--trend", "packs", "--format", "html=again.html"];
    report(&folder.0, 3, &again);
    assert_eq!(html, read("again.html"));
    let to = ["--compare", "packs/1.zip", "packs/2", "--format", "html=c.html"];
    report(&folder.0, 0, &to);
    assert!(read("c.html").contains("2099-06-30"), "{}", read("c.html"));
    assert!(stderr(&out).contains("3.zip: no evidence pack, or a damaged one"), "{}", stderr(&out));
    assert!(stdout(&out).contains("2 packs from "), "{}", stdout(&out));
}

#[test]
fn commits_without_evidence_and_gates_that_were_overridden_are_named() {
    let repository =
        Repository::new("packs-deployed", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let dir = repository.dir();
    let work = Folder::new("packs-of-deployed", &[]);
    let to = |name: &str| work.0.join(name).to_string_lossy().into_owned();
    // Nobody kept packs then.
    let scan = |name: &str, commit: &str, clean: bool, more: &[&str]| {
        let saved = format!("json={}", to("scan.json"));
        run_in(dir, &[&["scan", ".", "--format", &saved, "--include-passed"], more].concat());
        let mut scan: Value =
            serde_json::from_slice(&std::fs::read(to("scan.json")).unwrap()).unwrap();
        scan["repository"] = serde_json::json!({ "commit": commit, "clean": clean });
        std::fs::write(to("scan.json"), scan.to_string()).unwrap();
        pack(dir, &[&to("scan.json"), "--framework", "soc2"], &to(&format!("packs/{name}.zip")));
    };
    std::fs::create_dir(work.0.join("packs")).unwrap();
    let failed = repository.commit("goes out against the gate");
    scan("failed", &failed, true, &[]);
    let zero = repository.commit("with a gate that is off");
    scan("zero", &zero, true, &["--exit-zero"]);
    let never = repository.commit("with a gate that stops nothing");
    scan("never", &never, true, &["--fail-on", "never"]);
    let changed = repository.commit("of a changed tree");
    scan("changed", &changed, false, &[]);
    // A merge is one deployment: what was merged is not.
    repository.git(&["checkout", "-q", "-b", "topic"]);
    let topic = repository.commit("on a branch");
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "--no-ff", "-m", "merge topic", "topic"]);
    repository.replace("main.tf", "0.0.0.0/0", "10.0.0.0/8");
    repository.replace(
        "main.tf",
        "password   = var.password",
        "manage_master_user_password = true",
    );
    let good = repository.commit("fixed");
    scan("good", &good, true, &["--fail-on", "critical"]);
    scan("topic", &topic, true, &[]);

    let packs = to("packs");
    let args = ["--deployments", &packs, "--branch", "main", "--format", "json"];
    let out = json(&report(dir, 0, &args));
    let seen: Vec<(&str, &str, bool)> = out["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            (
                c["subject"].as_str().unwrap(),
                c["coverage"].as_str().unwrap(),
                c["exit_zero"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("fixed", "covered", false),
            ("merge topic", "no-pack", false),
            ("of a changed tree", "changed-tree", false),
            ("with a gate that stops nothing", "no-gate", false),
            ("with a gate that is off", "overridden", true),
            ("goes out against the gate", "overridden", false),
        ]
    );
    let scan = &out["commits"][0]["scans"][0];
    assert_eq!(scan["as_of"].as_str().map(str::len), Some(10), "{scan}");
    assert_eq!(scan["gate"]["fail_on"], serde_json::json!(["critical"]));
    assert_eq!(out["earlier"], 1);
    assert_eq!(out["elsewhere"].as_array().unwrap().len(), 1);
    let page = stdout(&report(dir, 0, &args[..4]));
    assert!(page.contains("| went out against the gate | 2 |"), "{page}");
    let all = json(&report(dir, 0, &[&args[..], &["--from", "2000-01-01"]].concat()));
    assert_eq!(all["commits"].as_array().unwrap().len(), 7);
    let none = json(&report(dir, 0, &[&args[..], &["--to", "2000-01-01"]].concat()));
    assert_eq!(none["commits"], serde_json::json!([]));
    // Scans of commits of other days are of this branch: they are counted apart.
    assert_eq!(none["elsewhere"], out["elsewhere"]);
    let shown: usize = out["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["scans"].as_array().unwrap().len())
        .sum();
    assert_eq!((&none["outside"], &out["outside"]), (&shown.into(), &0.into()));
    let out = report(dir, 2, &["--deployments", &packs, "--branch", "nowhere"]);
    assert!(
        stderr(&out).contains("--branch nowhere: git knows no such commit here"),
        "{}",
        stderr(&out)
    );
    report(dir, 2, &[&args[..], &["--from", "yesterday"]].concat());
}

#[test]
fn a_saved_scan_that_was_not_asked_every_rule_says_so_once() {
    let folder = Folder::new("packs-asked", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    let said = |args: &[&str], to: &str| {
        let saved = format!("json={to}");
        run_in(&folder.0, &[&["scan", ".", "--format", &saved, "--include-passed"], args].concat());
        stderr(&report(&folder.0, 0, &[to, "--framework", "soc2"]))
    };
    let lax = said(&[], "lax.json");
    assert_eq!(
        lax.matches("rules that speak to these frameworks were not asked").count(),
        1,
        "{lax}"
    );
    assert!(lax.starts_with("note: lax: "), "{lax}");
    assert!(lax.contains("scan with `--framework soc2` or `--profile strict`"), "{lax}");
    for whole in [&["--framework", "soc2"][..], &["--profile", "strict"]] {
        assert_eq!(said(whole, "whole.json"), "", "{whole:?}");
    }
    // The folder itself is asked all of them, and who wants no notes has none.
    assert!(!stderr(&report(&folder.0, 0, &[".", "--framework", "soc2"])).contains("not asked"));
    let quiet = report(&folder.0, 0, &["lax.json", "--framework", "soc2", "--quiet"]);
    assert!(!stderr(&quiet).contains("not asked"));
}

#[test]
fn a_scan_says_what_its_gate_said() {
    let folder = Folder::new("packs-gate", &[("main.tf", OPEN), ("portcullis.toml", "")]);
    for (args, expected, exit, by) in [
        (&[][..], (1, false), 1, "critical"),
        (&["--exit-zero"][..], (1, true), 0, "critical"),
        (&["--fail-on", "never"][..], (0, false), 0, "never"),
        (&["--fail-on", "high,unknown"][..], (1, false), 1, "high,unknown:high"),
    ] {
        let out = run_in(&folder.0, &[&["scan", ".", "--format", "json"], args].concat());
        assert_eq!(code(&out), exit, "{args:?}");
        let gate = &json(&out)["gate"];
        assert_eq!((&gate["code"], &gate["exit_zero"]), (&expected.0.into(), &expected.1.into()));
        assert_eq!(gate["fail_on"], serde_json::json!([by]));
    }
    // Each root by its own config: the gate that stops least comes first.
    let folder = Folder::new(
        "packs-gates",
        &[
            (".git/HEAD", "ref: refs/heads/main\n"),
            ("live/main.tf", OPEN),
            ("live/portcullis.toml", "fail_on = \"high\"\n"),
            ("play/main.tf", OPEN),
            ("play/portcullis.toml", "fail_on = \"never\"\n"),
        ],
    );
    let out = run_in(&folder.0, &["scan", ".", "--format", "json"]);
    assert_eq!(json(&out)["gate"]["fail_on"], serde_json::json!(["never", "high"]));
}
