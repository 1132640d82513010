//! The sample projects, scanned as their owners would.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod common;

use common::{code, json, results, root, run, run_in, stderr, stdout};
use portcullis_report::Format;

#[test]
fn open_operator_range_is_found_through_tfvars() {
    let out = run(&["scan", "fixtures/projects/payments", "--format", "json"]);
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    let report = json(&out);
    let hits: Vec<_> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["rule"] == "aws-ec2-sg-ingress-admin-ports-open" && r["outcome"] == "fail")
        .collect();
    // SSH and PostgreSQL, in production only: production-pci names its ranges.
    assert_eq!(hits.len(), 2, "{hits:#?}");
    for hit in hits {
        assert_eq!(hit["severity"], "critical");
        assert_eq!(hit["resource"]["address"], "module.admin.aws_security_group.admin");
        assert_eq!(hit["resource"]["root"], "fixtures/projects/payments/environments/production");
        let last = hit["trail"].as_array().unwrap().last().unwrap();
        assert_eq!(
            last["file"],
            "fixtures/projects/payments/environments/production/terraform.tfvars"
        );
        assert_eq!(last["start_line"], 2);
    }
    // The endpoint of the cluster takes the same range.
    let eks = results(&report, "fail");
    assert!(eks.iter().any(|(r, a, _)| r == "aws-eks-public-access-cidrs"
        && a == "module.cluster.aws_eks_cluster.this"));
}

#[test]
fn suppressed_results_keep_reason_and_verdict() {
    let report = json(&run(&["scan", "fixtures/projects/payments", "--format", "json"]));
    let hit = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["outcome"] == "suppressed")
        .unwrap();
    assert_eq!(hit["rule"], "aws-s3-versioning");
    assert_eq!(hit["verdict"], "fail");
    assert_eq!(hit["suppression"]["reason"], "exports are rebuilt every night");
    let audit = json(&run(&[
        "scan",
        "fixtures/projects/payments",
        "--format",
        "json",
        "--no-suppressions",
    ]));
    assert!(results(&audit, "suppressed").is_empty());
}

#[test]
fn sam_and_cdk_projects_show_the_open_range() {
    let sam = run(&["scan", "fixtures/projects/orders", "--format", "json"]);
    assert_eq!(code(&sam), 1, "{}", stderr(&sam));
    let report = json(&sam);
    let open = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["rule"] == "aws-ec2-sg-ingress-ssh-open" && r["outcome"] == "fail")
        .unwrap();
    // Only the default of Stage hides the group: it is judged, and says on what it hangs.
    assert_eq!(open["conditional"], "IsProd");
    assert!(
        results(&report, "suppressed")
            .iter()
            .any(|(r, a, _)| r == "aws-lambda-env-cmk" && a == "Nightly")
    );

    let cdk = run(&["scan", "fixtures/projects/reports", "--format", "json"]);
    assert_eq!(code(&cdk), 1, "{}", stderr(&cdk));
    let fails = results(&json(&cdk), "fail");
    assert!(
        fails
            .iter()
            .any(|(r, a, _)| r == "aws-ec2-sg-ingress-rdp-open" && a == "OperatorsGroup9C0D1E2F")
    );
    // All that the bucket lacks is a policy that asks for TLS.
    let bucket: Vec<_> = fails.iter().filter(|(_, a, _)| a == "ArchiveBucket1A2B3C4D").collect();
    assert!(bucket.iter().all(|(r, _, _)| r == "aws-s3-ssl-requests-only"), "{bucket:?}");
}

#[test]
fn changed_files_are_judged_in_their_roots() {
    let dir = root().join("fixtures/projects/payments");
    let tfvars =
        run_in(&dir, &["scan", "environments/production/terraform.tfvars", "--format", "json"]);
    assert_eq!(code(&tfvars), 1);
    assert!(
        results(&json(&tfvars), "fail").iter().any(|(r, _, _)| r == "aws-ec2-sg-ingress-ssh-open")
    );
    let module = run_in(&dir, &["scan", "modules/admin/main.tf", "--format", "json"]);
    assert!(
        results(&json(&module), "fail").iter().any(|(r, _, _)| r == "aws-ec2-sg-ingress-ssh-open")
    );
    let other = run_in(&dir, &["scan", "environments/production-pci/main.tf", "--format", "json"]);
    assert_eq!(code(&other), 0, "{}", stdout(&other));
}

#[test]
fn output_is_the_same_for_any_number_of_threads() {
    for format in Format::ALL.map(Format::name) {
        let args = |jobs| ["scan", "fixtures/projects", "--format", format, "--jobs", jobs];
        let one = run(&args("1"));
        assert!(!one.stdout.is_empty(), "{format}");
        for _ in 0..3 {
            assert_eq!(run(&args("2")).stdout, one.stdout, "{format}");
        }
    }
}

#[test]
fn sarif_meets_github() {
    let kinds = [("sarif", None), ("sarif", Some("--include-passed"))];
    for (format, extra) in kinds.into_iter().chain([("sarif-github", Some("--include-passed"))]) {
        let mut args = vec!["scan", "fixtures/projects", "--format", format, "--profile", "strict"];
        args.extend(extra);
        let sarif = json(&run(&args));
        let read = |uri: &str| std::fs::read_to_string(root().join(uri)).ok();
        let problems = portcullis_report::check_github_profile(&sarif, &read);
        assert!(problems.is_empty(), "{problems:#?}");
        assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());
        // The folder that was judged has a category of its own.
        assert_eq!(sarif["runs"][0]["automationDetails"]["id"], "portcullis/fixtures/projects/");
        let suppressed = |r: &serde_json::Value| r.get("suppressions").is_some();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert!(format == "sarif" || !results.iter().any(suppressed), "each would be an alert");
    }
}

#[test]
fn uploads_of_one_commit_are_told_apart() {
    let id = |args: &[&str]| {
        let common = ["scan", "--format", "sarif-github"];
        let out = run(&[&common[..], args].concat());
        json(&out)["runs"][0]["automationDetails"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(id(&["fixtures/projects/orders"]), "portcullis/fixtures/projects/orders/");
    assert_eq!(id(&["fixtures/projects/orders", "--category", "prod"]), "portcullis/prod/");
    let whole = ["fixtures/projects/orders", "fixtures/projects/reports"];
    assert_eq!(id(&whole), "portcullis/", "several folders are one merged report");
}

/// `PORTCULLIS_CORPORA=folder cargo test --test projects -- corpora` checks every folder in it.
#[test]
fn sarif_of_corpora_meets_github() {
    let Some(corpora) = std::env::var_os("PORTCULLIS_CORPORA") else { return };
    let mut problems = Vec::new();
    for entry in std::fs::read_dir(corpora).unwrap() {
        let dir = entry.unwrap().path();
        if !dir.is_dir() {
            continue;
        }
        let args =
            ["scan", ".", "--format", "sarif-github", "--profile", "strict", "--allow-empty"];
        let out = run_in(&dir, &args);
        assert!([0, 1, 3].contains(&code(&out)), "{}: {}", dir.display(), code(&out));
        let read = |uri: &str| std::fs::read_to_string(dir.join(uri)).ok();
        for p in portcullis_report::check_github_profile(&json(&out), &read) {
            problems.push(format!("{}: {p}", dir.display()));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
