//! Packs: whatever is changed is found, and what is not changed is not complained of.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use portcullis_evidence::pack::{
    Again, Files, OwnText, Saved, Verified, Zipped, make, open, verify, verify_catalogue,
};
use portcullis_evidence::{OwnFile, OwnKind, Scan, sha256};

mod common;
use common::{Folder, Packed, RENDERINGS, assessed, catalogue, packed, saved};

const TIME: &str = "2026-11-29T21:00:00Z";

fn scans() -> Vec<(&'static str, Vec<u8>)> {
    let results = [
        "aws-a aws_b.one fail",
        "aws-a aws_b.two pass",
        "aws-b aws_b.one suppressed 2027-01-31",
        "aws-c aws_b.two unknown",
    ];
    vec![
        ("shop", saved("c0ffee", true, &results)),
        ("Shop/2", saved("decade", false, &results[..2])),
        // Given twice: counted once, and said.
        ("shop", saved("c0ffee", true, &results)),
    ]
}

fn check(files: &dyn Files) -> Verified {
    verify(files, &RENDERINGS, "0.1.0").unwrap()
}

fn told(v: &Verified) -> Vec<String> {
    v.differences.iter().map(ToString::to_string).collect()
}

#[test]
fn a_pack_derives_again_from_zip_and_folder() {
    let packed = packed(&scans(), TIME);
    let zip = Zipped::open(packed.bytes.clone()).unwrap();
    for files in [&zip as &dyn Files, &Folder::of(&packed)] {
        let v = check(files);
        assert_eq!(told(&v), [""; 0]);
        assert_eq!(v.notes, [""; 0]);
        assert_eq!(v.digest, packed.digest);
        assert_eq!(
            v.derived,
            [
                "exceptions.csv",
                "inputs.csv",
                "population.csv",
                "report.json",
                "report.md",
                "unread.csv"
            ]
        );
        // Four denominators and two counts for each of four controls.
        assert_eq!(v.figures, 4 + 4 * 2);
    }
    let opened = open(&zip).unwrap();
    assert_eq!(opened.assessment.estate.merged.twice, ["shop"]);
    assert_eq!(opened.context.options, ["--framework demo"]);
    assert_eq!(opened.digest, packed.digest);
}

#[test]
fn the_same_inputs_in_any_order_give_the_same_bytes() {
    let mut scans = scans();
    let one = packed(&scans, TIME);
    scans.reverse();
    let two = packed(&scans, TIME);
    assert_eq!(one.digest, two.digest);
    assert!(one.bytes == two.bytes);
    // Nothing of this machine or day is in the archive.
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&one.bytes)).unwrap();
    for i in 0..archive.len() {
        let file = archive.by_index(i).unwrap();
        assert_eq!(file.last_modified().unwrap(), zip::DateTime::default());
        assert_eq!(file.unix_mode(), Some(0o100_644));
        assert!(file.extra_data().is_none_or(|e| e.is_empty()), "{:?}", file.name());
    }
}

#[test]
fn tables_say_the_whole_population_and_what_is_not_in_it() {
    let folder = Folder::of(&packed(&scans(), TIME));
    let text = |path: &str| String::from_utf8(folder.0[path].clone()).unwrap();
    let population = text("population.csv");
    assert_eq!(population.lines().count(), 1 + 4 + 2 + 2 * 2, "{population}");
    assert!(population.contains(
        "shop,c0ffee,clean,.,,aws_b.one,aws_b,main.tf,1,3,aws-b,high,fail,suppressed,,aws_b.one is open,aws-b/aws_b.one\r\n"
    ), "{population}");
    assert!(
        population
            .contains("Shop/2,decade,changed,,,aws_b.off,,,,,,,,switched off,,count = 0,\r\n"),
        "{population}"
    );
    assert!(population.contains(",aws-a,high,pass,pass,,,\r\n"), "{population}");
    assert!(
        population.contains("shop,c0ffee,clean,.,,aws_c.plain,aws_c,main.tf,7,8,,,,not asked,,"),
        "{population}"
    );
    assert!(text("exceptions.csv").contains(
        "shop,aws-b,high,fail,.,,aws_b.one,aws_b,\"a test, \"\"quoted\"\"\",team,,,the scan does not say,2027-01-31,main.tf,1,aws-b/aws_b.one,,\r\n"
    ));
    assert!(
        text("unread.csv")
            .contains("shop,module,registry/x,main.tf,4,,not covered,looked at by hand\r\n")
    );
    let inputs = text("inputs.csv");
    assert!(inputs.contains(",c0ffee,clean,main.tf,ab,terraform,.\r\n"), "{inputs}");
    assert!(inputs.contains(",c0ffee,clean,portcullis.toml,cd,config,\r\n"), "{inputs}");
    assert!(inputs.contains(",c0ffee,clean,gate.toml,ef,policy,\r\n"), "{inputs}");
}

#[test]
fn every_changed_byte_of_an_archive_is_found() {
    let packed = packed(&scans(), TIME);
    let unnoticed: Vec<(usize, u8)> = (0..packed.bytes.len())
        .flat_map(|at| [0x01, 0x10, 0x80].map(|bit| (at, bit)))
        .filter(|(at, bit)| {
            let mut bytes = packed.bytes.clone();
            bytes[*at] ^= bit;
            let seen = Zipped::open(bytes).and_then(|z| verify(&z, &RENDERINGS, "0.1.0"));
            seen.is_ok_and(|v| v.is_consistent() && v.digest == packed.digest)
        })
        .collect();
    assert_eq!(unnoticed, []);
    for (what, bytes) in [
        ("cut", packed.bytes[..packed.bytes.len() - 1].to_vec()),
        ("longer", [&packed.bytes[..], b"x"].concat()),
        ("with something before it", [b"x", &packed.bytes[..]].concat()),
    ] {
        let seen = Zipped::open(bytes).and_then(|z| verify(&z, &RENDERINGS, "0.1.0"));
        assert!(!seen.is_ok_and(|v| v.is_consistent()), "{what}");
    }
}

#[test]
fn a_forged_report_does_not_derive() {
    let good = Folder::of(&packed(&scans(), TIME));
    let derived = check(&good).derived;
    for path in derived {
        for at in (0..good.0[&path].len()).step_by(5) {
            let mut folder = good.clone();
            // One letter or digit for another, so that the file still reads well.
            let byte = &mut folder.0.get_mut(&path).unwrap()[at];
            *byte = if *byte == b'7' { b'8' } else { b'7' };
            folder.forge();
            let v = check(&folder);
            assert!(!v.is_consistent(), "{path} byte {at}");
            assert!(v.differences.iter().all(|d| d.file == path), "{path} {at}: {:?}", told(&v));
        }
    }
}

#[test]
fn a_forged_input_does_not_fit_the_report() {
    let good = Folder::of(&packed(&scans(), TIME));
    let scan = good.0.keys().find(|p| p.starts_with("scans/shop-")).unwrap().clone();
    let change = |path: &str, from: &str, to: &str| {
        let mut folder = good.clone();
        let text = String::from_utf8(folder.0[path].clone()).unwrap();
        assert!(text.contains(from), "{path} {from}");
        folder.0.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
        folder.forge();
        told(&check(&folder))
    };
    let all = change(
        &scan,
        r#""outcome":"fail","verdict":"fail""#,
        r#""outcome":"pass","verdict":"pass""#,
    );
    assert!(
        all.contains(
            &"report.json, $.frameworks[0].controls[0].fail: expected 1, found 2".to_owned()
        ),
        "{all:?}"
    );
    assert!(
        all.iter().any(|d| d.starts_with("population.csv, row ")
            && d.contains("column outcome: expected \"pass\", found \"fail\"")),
        "{all:?}"
    );
    let all = change("catalogue.json", "\"assessable\": false", "\"assessable\": true");
    assert!(
        all.iter().any(|d| d
            .starts_with("report.json, $.frameworks[0].figures.assessable: expected 4, found 3")),
        "{all:?}"
    );
    let all = change("attestations.json", "2027-01-01", "2026-02-01");
    assert!(all.iter().any(|d| d.contains("report.md, line 5: expected `- C4: not assessable from templates`, found `- C4: attested`")), "{all:?}");
    let all = change("context.json", "21:00:00", "22:00:00");
    assert!(
        all.iter()
            .any(|d| d.starts_with("report.json, $.made.time: expected \"2026-11-29T22:00:00Z\"")),
        "{all:?}"
    );
    // A file that nobody reads could hide anything; so could spaces.
    assert_eq!(
        change("context.json", "{", "{ "),
        ["context.json, byte 1: expected 0x0a, found 0x20"]
    );
    let mut folder = good.clone();
    folder.0.insert("extra.txt".to_owned(), b"x".to_vec());
    assert_eq!(
        told(&check(&folder)),
        ["extra.txt: expected no such file in the manifest, found a file"]
    );
    folder.forge();
    assert_eq!(
        told(&check(&folder)),
        ["extra.txt: expected a file that context.json names, found another"]
    );
}

#[test]
fn a_manifest_says_the_right_sizes() {
    let mut folder = Folder::of(&packed(&scans(), TIME));
    let size = folder.0["unread.csv"].len();
    let text = String::from_utf8(folder.0["manifest.json"].clone()).unwrap();
    let (before, after) = text.split_once("\"unread.csv\"").unwrap();
    let after = after.replacen(&format!("\"size\": {size}"), "\"size\": 9999", 1);
    folder.0.insert("manifest.json".into(), format!("{before}\"unread.csv\"{after}").into_bytes());
    assert_eq!(
        told(&check(&folder)),
        [format!("unread.csv: expected 9999 bytes, found {size} bytes")]
    );
}

#[test]
fn a_scan_of_two_names_is_read_once_and_counts_for_both() {
    let results = ["aws-a aws_b.one fail"];
    let scan = saved("c0ffee", true, &results);
    // Both are written as `shop`.
    let packed = packed(&[("Shop", scan.clone()), ("shop", scan)], TIME);
    let zip = Zipped::open(packed.bytes).unwrap();
    let stored = zip.list().unwrap().iter().filter(|p| p.starts_with("scans/")).count();
    assert_eq!(stored, 1);
    assert_eq!(told(&check(&zip)), [""; 0]);
    let names: Vec<String> =
        open(&zip).unwrap().assessment.estate.scans.iter().map(|s| s.name.clone()).collect();
    assert_eq!(names, ["Shop", "shop"]);
}

#[test]
fn a_table_cannot_be_left_out() {
    let mut folder = Folder::of(&packed(&scans(), TIME));
    folder.0.remove("exceptions.csv");
    let all = told(&check(&folder));
    assert!(all.len() == 1 && all[0].starts_with("exceptions.csv: expected a file of "), "{all:?}");
    folder.forge();
    assert_eq!(
        told(&check(&folder)),
        ["exceptions.csv: expected the file that context.json names, found nothing"]
    );
    let text = String::from_utf8(folder.0["context.json"].clone()).unwrap();
    let text = text.replace("    \"exceptions.csv\",\n", "");
    folder.0.insert("context.json".to_owned(), text.into_bytes());
    folder.forge();
    assert_eq!(
        told(&check(&folder)),
        ["context.json, $.derived: expected exceptions.csv, found nothing"]
    );
}

#[test]
fn another_version_is_said() {
    let packed = packed(&scans(), TIME);
    let zip = Zipped::open(packed.bytes).unwrap();
    let v = verify(&zip, &RENDERINGS, "0.2.0").unwrap();
    assert!(v.is_consistent());
    assert!(
        v.notes[0].starts_with("the pack was made by Portcullis 0.1.0 and derived again by 0.2.0")
    );
    // A report that this version does not write any more.
    let v = verify(&zip, &RENDERINGS[..1], "0.2.0").unwrap();
    assert!(v.is_consistent());
    assert!(
        v.notes.iter().any(|n| n.starts_with("report.md is not derived again")),
        "{:?}",
        v.notes
    );
    let v = verify(&zip, &RENDERINGS[..1], "0.1.0").unwrap();
    assert_eq!(told(&v), ["report.md: expected a file that this version writes, found another"]);
}

/// An archive of `files` as another program might write it.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn hostile_archives_are_refused() {
    let refused = |bytes: Vec<u8>| Zipped::open(bytes).err().unwrap().to_string();
    for name in [
        "../up.json",
        "/etc/passwd",
        "a/../../b",
        "c:\\x",
        "a\\b",
        "x/",
        ".hidden",
        "a//b",
        "tab\tx",
    ] {
        let message = refused(archive(&[(name, b"{}")]));
        assert!(message.contains("no pack has a file named"), "{name}: {message}");
    }
    assert!(refused(b"not a zip".to_vec()).starts_with("no evidence pack, or a damaged one: "));
    // Two files of one name: the second's name is changed into the first's.
    let mut twice = archive(&[("aa.json", b"{}"), ("ab.json", b"[]")]);
    let places: Vec<usize> =
        twice.windows(7).enumerate().filter(|(_, w)| w == b"ab.json").map(|(i, _)| i).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        twice[at + 1] = b'a';
    }
    assert!(refused(twice).contains("same name"));
    // A bomb: a manifest of 64 MiB in 64 KiB.
    let bomb = archive(&[("manifest.json", &vec![b' '; 64 << 20])]);
    assert!(bomb.len() < 100_000);
    let zip = Zipped::open(bomb).unwrap();
    let message = verify(&zip, &RENDERINGS, "0.1.0").err().unwrap().to_string();
    assert_eq!(message, "manifest.json: holds more than 16777216 bytes");
    let many: Vec<String> = (0..20_001).map(|i| format!("f{i}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|n| (n.as_str(), &b""[..])).collect();
    assert!(refused(archive(&many)).contains("20001 files"));
}

#[test]
fn what_is_no_pack_says_so() {
    let empty = Zipped::open(archive(&[("a.txt", b"x")])).unwrap();
    assert!(
        verify(&empty, &RENDERINGS, "0.1.0")
            .err()
            .unwrap()
            .to_string()
            .starts_with("manifest.json: ")
    );
    let mut folder = Folder::of(&packed(&scans(), TIME));
    let text = String::from_utf8(folder.0["manifest.json"].clone()).unwrap();
    folder.0.insert("manifest.json".into(), text.replace("\"1\"", "\"9\"").into_bytes());
    let message = verify(&folder, &RENDERINGS, "0.1.0").err().unwrap().to_string();
    assert!(
        message.starts_with("manifest.json: schema_version 9: this version reads 1"),
        "{message}"
    );
}

#[test]
fn a_pack_leads_to_no_file_outside_of_it() {
    let mut folder = Folder::of(&packed(&scans(), TIME));
    let text = String::from_utf8(folder.0["context.json"].clone()).unwrap();
    let at = text.find("scans/").unwrap();
    let forged = format!("{}../{}", &text[..at], &text[at..]);
    folder.0.insert("context.json".into(), forged.into_bytes());
    folder.forge();
    let told = told(&check(&folder));
    assert!(told[0].contains("no pack has a file named \"../scans/"), "{told:?}");
    let text = String::from_utf8(folder.0["manifest.json"].clone()).unwrap();
    let forged = text.replacen("unread.csv", "../unread.csv", 1);
    folder.0.insert("manifest.json".into(), forged.into_bytes());
    let message = verify(&folder, &RENDERINGS, "0.1.0").err().unwrap().to_string();
    assert_eq!(message, "manifest.json: no pack has a file named \"../unread.csv\"");
}

#[test]
fn a_damaged_pack_is_not_worked_with() {
    let mut folder = Folder::of(&packed(&scans(), TIME));
    folder.0.insert("unread.csv".into(), b"x".to_vec());
    let message = open(&folder).err().unwrap().to_string();
    assert!(message.starts_with("unread.csv: expected "), "{message}");
}

/// A pack of a framework and a rule of one's own.
fn own() -> (Packed, Vec<OwnText>) {
    let scans = scans();
    let of = |kind, path: &str, text: &str| -> OwnText {
        let file = OwnFile { kind, path: path.to_owned(), sha256: sha256(text.as_bytes()) };
        (file, text.into())
    };
    let own = vec![
        of(OwnKind::Framework, "../etc/Demo file.yaml", "id: demo\n"),
        of(OwnKind::Rules, ".portcullis/rules/own.yaml", "id: aws-own\n"),
    ];
    let mut assessment = assessed(&scans, TIME);
    assessment.made.own = own.iter().map(|(file, _)| file.clone()).collect();
    let saved = |(name, bytes): &(&str, Vec<u8>)| {
        Saved::new(&Scan::read(name, bytes).unwrap(), bytes).unwrap()
    };
    let made = make(&assessment, scans.iter().map(saved).collect(), &own, Vec::new(), &RENDERINGS)
        .unwrap();
    let (digest, mut bytes) = (made.digest.clone(), Vec::new());
    made.write(&mut bytes).unwrap();
    (Packed { bytes, digest }, own)
}

#[test]
fn frameworks_and_rules_of_ones_own_are_kept_and_listed() {
    let (packed, own) = own();
    let zip = Zipped::open(packed.bytes.clone()).unwrap();
    assert_eq!(told(&check(&zip)), [""; 0]);
    let kept: Vec<String> =
        zip.list().unwrap().into_iter().filter(|p| p.starts_with("own/")).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[0].starts_with("own/framework-demo-file-"), "{kept:?}");
    assert_eq!(zip.read(&kept[0], 100).unwrap(), b"id: demo\n");
    let inputs = String::from_utf8(zip.read("inputs.csv", 1 << 20).unwrap()).unwrap();
    for (file, _) in &own {
        let row = format!(",,,,{},{},{},\r\n", file.path, file.sha256, file.kind.name());
        assert!(inputs.contains(&row), "{row}: {inputs}");
    }
    // Left out of the pack, and so of its manifest.
    let mut folder = Folder::of(&packed);
    folder.0.remove(&kept[1]);
    folder.forge();
    let said = told(&check(&folder));
    assert!(said.iter().any(|d| d.contains(&kept[1]) && d.contains("nothing")), "{said:?}");
    // Another file in its place, and in the manifest.
    let mut folder = Folder::of(&packed);
    folder.0.insert(kept[0].clone(), b"id: other\n".to_vec());
    folder.forge();
    let said = told(&check(&folder));
    assert!(said.iter().any(|d| d.contains("$.made.own[0].sha256")), "{said:?}");
}

#[test]
fn a_catalogue_that_does_not_follow_from_the_frameworks_is_found() {
    let (packed, own) = own();
    let zip = Zipped::open(packed.bytes).unwrap();
    let told_by = |version: &str, again: &dyn Fn() -> Result<Again, String>| {
        let mut v = check(&zip);
        let by = |files: &[OwnText], ids: &[Arc<str>]| {
            assert_eq!(files, own);
            assert_eq!(ids, [Arc::from("demo")]);
            again()
        };
        verify_catalogue(&zip, version, &mut v, &by).unwrap();
        (told(&v), v.derived.contains(&"catalogue.json".to_owned()))
    };
    let same = || Again { catalogue: catalogue(), rules_digest: "sha256:11".to_owned() };
    assert_eq!(told_by("0.1.0", &|| Ok(same())), (Vec::new(), true));

    let other_links = || {
        let mut again = same();
        again.catalogue.frameworks[0].controls[0].links.clear();
        Ok(again)
    };
    let (said, _) = told_by("0.1.0", &other_links);
    assert!(said[0].starts_with("catalogue.json") && said[0].contains("links"), "{said:?}");
    // Of another version nothing is asked: its frameworks may be others.
    assert_eq!(told_by("0.2.0", &other_links), (Vec::new(), false));

    let (said, _) =
        told_by("0.1.0", &|| Ok(Again { rules_digest: "sha256:22".to_owned(), ..same() }));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("$.made.rules_digest"), "{said:?}");
    let (said, derived) = told_by("0.1.0", &|| Err("there is no framework `demo`".to_owned()));
    assert!(said[0].contains("there is no framework `demo`") && !derived, "{said:?}");
}
