//! What a person at a terminal gets, and what a pipe does not.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, code, run_in};

const OPEN: &str = "resource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n";

/// Many roots with the same fault.
fn estate(name: &str, roots: usize) -> Folder {
    let paths: Vec<String> = (0..roots).map(|i| format!("env{i:03}/main.tf")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|p| (p.as_str(), OPEN)).collect();
    Folder::new(name, &files)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn times_go_to_standard_error_and_progress_nowhere_but_to_a_terminal() {
    let dir = estate("verbose", 40);
    let plain = run_in(&dir.0, &["scan", "."]);
    assert_eq!(code(&plain), 1);
    assert!(plain.stderr.is_empty(), "{}", text(&plain.stderr));
    let verbose = run_in(&dir.0, &["scan", ".", "--verbose", "--format", "json"]);
    let times = text(&verbose.stderr);
    for part in ["discover roots", "resolve and judge", "Slowest roots", "env0", "Slowest rules"] {
        assert!(times.contains(part), "{part}: {times}");
    }
    // Reports never hold a time: the same input gives the same bytes.
    let quiet = run_in(&dir.0, &["scan", ".", "--format", "json"]);
    assert_eq!(text(&verbose.stdout), text(&quiet.stdout));
    let both = run_in(&dir.0, &["scan", ".", "--verbose", "--quiet"]);
    assert_eq!(code(&both), 2, "one of them is meant");
}

#[test]
fn an_estate_fits_a_screen_or_two_and_verbose_shows_all_of_it() {
    let dir = estate("estate", 60);
    let short = text(&run_in(&dir.0, &["scan", "."]).stdout);
    assert!(short.lines().take_while(|l| !l.is_empty()).count() <= 10, "{short}");
    assert!(short.lines().count() < 200, "{} lines", short.lines().count());
    let rest = "portcullis scan . --rule aws-ec2-sg-ingress-admin-ports-open --verbose";
    assert!(short.contains(rest), "{short}");
    assert!(short.trim_end().ends_with("0 critical checks undetermined"), "{short}");
    // The command that it names shows what it says is more.
    let words: Vec<&str> = rest.split(' ').skip(1).collect();
    let whole = text(&run_in(&dir.0, &words).stdout);
    for i in 0..60 {
        assert!(whole.contains(&format!("env{i:03}/main.tf:6")), "env{i:03}: {whole}");
    }
}
