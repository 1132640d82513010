//! Random histories, against a scan of each of their commits.

use super::*;

/// Numbers that look random and are the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Histories that are made up; in the first, blocks change places between files.
const SEEDS: [u64; 2] = [4, 9];

/// What stands at a bucket, from nothing to several notations of one acceptance.
const COMMENTS: [&str; 6] = [
    "",
    "# portcullis:ignore aws-s3-access-logging reason=\"one\"",
    "# portcullis:ignore aws-s3-access-logging reason=\"two\" until=2099-01-01",
    "# checkov:skip=CKV_AWS_18:three",
    "# portcullis:ignore aws-s3-access-logging",
    "# portcullis:ignore aws-s3-versioning reason=\"of another rule\"",
];

#[test]
fn the_day_is_the_first_of_those_on_which_every_scan_accepts_it() {
    let names = ["a", "b", "c"];
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let r = repository(&format!("stood-random-{seed}"), &[("one.tf", ""), ("two.tf", "")]);
        // The comment of each bucket, and whether it is in the second file.
        let mut now = [(0, false); 3];
        let mut since: [Option<String>; 3] = [None, None, None];
        for day in 1..=24 {
            let at = dice.below(3) as usize;
            match dice.below(5) {
                0 => now[at].1 = !now[at].1,
                1 => now.iter_mut().for_each(|b| b.1 = !b.1),
                _ => now[at].0 = dice.below(6) as usize,
            }
            let backwards = dice.below(2) == 0;
            for (file, second) in [("one.tf", false), ("two.tf", true)] {
                let here = names.iter().zip(&now).filter(|(_, b)| b.1 == second);
                let mut blocks: Vec<String> =
                    here.map(|(name, b)| bucket(name, COMMENTS[b.0])).collect();
                if backwards {
                    blocks.reverse();
                }
                r.write(file, &blocks.concat());
            }
            let date = format!("2026-02-{day:02}");
            r.commit_on(&date);
            let list = suppressions(r.dir());
            for (name, since) in names.iter().zip(&mut since) {
                let address = format!("aws_s3_bucket.{name}");
                match list.iter().find(|(a, _)| *a == address) {
                    Some((_, s)) => {
                        let first = since.get_or_insert_with(|| date.clone());
                        assert_eq!(told(s), *first, "seed {seed}, day {day}: {name}");
                    }
                    None => *since = None,
                }
            }
        }
    }
}
