//! Validators that others made, where a Python has them:
//! `PORTCULLIS_PYTHON=/path/to/python cargo test -p portcullis-evidence --test exchange`.
//! `.ci/validate-evidence.py` says which packages it needs.

use std::path::Path;
use std::process::Command;

use portcullis_evidence::write::{asff, in_toto, ocsf, oscal, xlsx};
use portcullis_evidence::{Assessment, Severity};

use crate::common::{assessment, assessment_of, hostile};

#[test]
fn what_is_written_is_what_other_systems_read() {
    let Some(python) = std::env::var_os("PORTCULLIS_PYTHON") else {
        println!("skipped: PORTCULLIS_PYTHON names no Python that has the validators");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/validate-evidence.py");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exchange");
    std::fs::create_dir_all(&folder).unwrap();
    let empty = assessment_of(&[], "2026-11-29T21:41:00Z");
    for (name, of) in [("usual", assessment()), ("hostile", hostile()), ("empty", empty)] {
        let mut command = Command::new(&python);
        command.arg(&script);
        for (format, bytes) in written(&of) {
            let path = folder.join(format!("{name}.{format}.json"));
            std::fs::write(&path, bytes).unwrap();
            command.arg(format!("{format}={}", path.display()));
        }
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        println!("{name}\n{said}");
        assert!(out.status.success(), "{name}\n{said}{}", String::from_utf8_lossy(&out.stderr));
        // Two of them are not for every Python.
        let count = |what: &str| said.lines().filter(|l| l.contains(what)).count();
        assert_eq!(count(": fine: ") + 2 * count(": not checked: "), 8, "{said}");
    }
}

fn written(assessment: &Assessment) -> [(&'static str, Vec<u8>); 5] {
    let cloud = ocsf::Cloud { account: None, region: Some("eu-central-1".into()) };
    let mut of_ocsf = Vec::new();
    ocsf::write(assessment, &cloud, &mut of_ocsf).unwrap();
    let account = asff::Account::new("123456789012", "eu-central-1").unwrap();
    let options = asff::Options { account: &account, passes: true, previous: None };
    let (mut of_oscal, mut of_asff, mut of_xlsx) = (Vec::new(), Vec::new(), Vec::new());
    xlsx(assessment, &mut of_xlsx).unwrap();
    oscal::write(assessment, &mut of_oscal).unwrap();
    asff::write(assessment, &options, &mut of_asff).unwrap();
    let statement = in_toto::Options { evidence: None, fail_on: Some(Severity::Info), url: None };
    [
        ("oscal", of_oscal),
        ("ocsf", of_ocsf),
        ("asff", of_asff),
        ("in-toto", in_toto::write(assessment, &statement)),
        ("xlsx", of_xlsx),
    ]
}
