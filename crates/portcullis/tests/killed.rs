//! A process that is killed leaves what it writes whole: the old file or the new one.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, code, run_in, stderr};

const RULE: &str = "aws-ec2-sg-ingress-admin-ports-open";

fn groups(n: usize) -> String {
    let one = |i: usize| {
        format!(
            "resource \"aws_security_group\" \"g{i}\" {{\n  ingress {{\n    protocol = \"tcp\"\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n"
        )
    };
    (0..n).map(one).collect()
}

/// Runs a command, kills it after `wait`; whether it had ended by itself.
fn killed(dir: &Folder, args: &[&str], wait: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .current_dir(&dir.0)
        .args(args)
        .env("SOURCE_DATE_EPOCH", "1795478400")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(wait);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

#[test]
fn baselines_and_sources_are_whole_whenever_the_process_dies() {
    let dir = Folder::new("killed", &[("main.tf", &groups(300))]);
    let write = ["scan", ".", "--rule", RULE, "--write-baseline", "b.json"];
    let baseline = dir.0.join("b.json");
    let read = || std::fs::read_to_string(&baseline).unwrap();
    // What the two states of the project give, and how long that takes.
    let begin = Instant::now();
    assert_eq!(code(&run_in(&dir.0, &write)), 0);
    let takes = begin.elapsed();
    let full = read();
    std::fs::write(dir.0.join("main.tf"), groups(299)).unwrap();
    assert_eq!(code(&run_in(&dir.0, &write)), 0);
    let less = read();
    assert!(full.len() > less.len());
    let (mut died, rounds) = (0, 40);
    for round in 0..rounds {
        let n = if round % 2 == 0 { 300 } else { 299 };
        std::fs::write(dir.0.join("main.tf"), groups(n)).unwrap();
        if !killed(&dir, &write, takes * round / (rounds - 4)) {
            died += 1;
        }
        let now = read();
        let whole = now == full || now == less;
        assert!(whole, "round {round}: {} of {} bytes", now.len(), full.len());
        // And it is a baseline that the next run takes.
        if round % 10 == 0 {
            let out = run_in(&dir.0, &["scan", ".", "--rule", RULE, "--baseline", "b.json"]);
            assert!(code(&out) < 2, "{}", stderr(&out));
        }
    }
    assert!(died > 0, "no process was killed at work");

    let old = groups(3);
    let allow = ["allow", RULE, "main.tf:1", "--reason", "r"];
    for round in 0..20 {
        std::fs::write(dir.0.join("main.tf"), &old).unwrap();
        killed(&dir, &allow, takes * round / 10);
        let now = std::fs::read_to_string(dir.0.join("main.tf")).unwrap();
        let comment = format!("# portcullis:ignore {RULE} reason=\"r\"\n");
        assert!(now == old || now == format!("{comment}{old}"), "round {round}:\n{now}");
    }
}
