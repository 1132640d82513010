use portcullis_evidence::routing::{Action, Table, items, slack, tickets};
use portcullis_evidence::{Assessment, Severity};
use serde_json::Value;

use crate::common::{HOSTILE, assessment, assessment_of, hostile, parsed, result, results, texts};

const NOW: &str = "2026-11-29T21:41:00Z";

/// Everything makes a ticket.
fn all() -> Table {
    let mut table = Table::default();
    for severity in Severity::ALL {
        table.actions.insert(severity, vec![Action::Ticket]);
    }
    table.unknown = vec![Action::Ticket];
    table
}

fn rows(assessment: &Assessment, table: &Table) -> Vec<Vec<String>> {
    let bytes = tickets::csv(assessment, table).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
    reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn by_default_high_makes_a_ticket_and_critical_blocks() {
    let mut results = results();
    results.push(result("r-pass", "fail", "critical", "aws_s3_bucket.c", 30));
    let file = parsed(&tickets::json(&assessment_of(&results, NOW), &Table::default()));
    let rules = |list: &str| -> Vec<&str> {
        file[list].as_array().unwrap().iter().map(|i| i["rule"].as_str().unwrap()).collect()
    };
    assert_eq!(rules("blocks"), ["r-pass"]);
    assert_eq!(rules("tickets"), ["r-fail"]);
    assert_eq!(rules("notifications"), ["r-low", "r-unknown"]);
    insta::assert_json_snapshot!(file);
}

#[test]
fn resources_of_a_rule_and_root_are_one_ticket() {
    let mut results: Vec<Value> = (0..60)
        .map(|i| result("r-fail", "fail", "high", &format!("aws_s3_bucket.b[{i}]"), i + 1))
        .collect();
    results[0]["resource"]["root"] = "other".into();
    let rows = rows(&assessment_of(&results, NOW), &Table::default());
    assert_eq!(rows.len(), 3, "a header and two roots");
    assert_eq!(rows[1][0], "[high] Title of r-fail: 59 resources in infra");
    assert!(rows[1][2].contains("\nand 9 more\n"), "{}", rows[1][2]);
    assert_eq!(rows[2][0], "[high] Title of r-fail: 1 resource in other");
    assert_ne!(rows[1][8], rows[2][8]);
}

#[test]
fn ids_stay_and_days_count_from_the_scan() {
    let table = all();
    let before = items(&assessment(), &table);
    let mut changed = results();
    changed[0] = result("r-fail", "fail", "high", "aws_s3_bucket.z", 77);
    let after = items(&assessment_of(&changed, "2027-05-01T00:00:00Z"), &table);
    let ids = |of: &[portcullis_evidence::routing::Item]| -> Vec<String> {
        of.iter().map(|i| i.external_id.clone()).collect()
    };
    assert_eq!(ids(&before), ids(&after));
    let due: Vec<(&str, Option<&str>)> =
        before.iter().map(|i| (&*i.rule, i.due.as_deref())).collect();
    assert_eq!(
        due,
        [
            ("r-fail", Some("2026-12-29")),
            ("r-low", Some("2027-05-28")),
            ("r-unknown", Some("2026-12-06")),
        ]
    );
}

#[test]
fn accepted_and_passed_are_routed_nowhere() {
    let rules: Vec<String> = items(&assessment(), &all()).into_iter().map(|i| i.rule).collect();
    assert!(!rules.iter().any(|r| r == "r-accepted" || r == "r-pass"), "{rules:?}");
    let none = Table { actions: Default::default(), unknown: Vec::new(), ..Table::default() };
    assert!(items(&assessment(), &none).is_empty());
}

#[test]
fn a_tracker_and_a_spreadsheet_take_hostile_texts_as_text() {
    let rows = rows(&hostile(), &all());
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(row.len(), 9);
        assert!(row[0].chars().count() <= 255 && !row[0].contains('\n'), "{}", row[0]);
        assert!(row[2].chars().count() <= 32_767);
        for cell in row {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            assert!(!cell.contains('\u{1b}'));
        }
    }
}

#[test]
fn a_message_keeps_slacks_limits_and_mentions_nobody() {
    let mut many = results();
    for i in 0..300 {
        let rule = format!("r-{i}");
        let mut r = result(&rule, "fail", "high", HOSTILE, i + 1);
        r["resource"]["root"] = format!("{i}{HOSTILE}{}", "&<>".repeat(200)).into();
        many.push(r);
    }
    for assessment in [assessment(), hostile(), assessment_of(&many, NOW), assessment_of(&[], NOW)]
    {
        let message = parsed(&slack::write(&assessment, &all()));
        let blocks = message["blocks"].as_array().unwrap();
        assert!((2..=50).contains(&blocks.len()), "{}", blocks.len());
        for block in blocks {
            let most = if block["type"] == "header" { 150 } else { 3000 };
            for text in texts(block) {
                assert!(!text.is_empty() && text.chars().count() <= most, "{text}");
                assert!(block["type"] == "header" || !text.contains('<'), "{text}");
            }
            // Else Slack makes links of addresses and of names of channels.
            for object in std::iter::once(&block["text"])
                .chain(block["elements"].as_array().into_iter().flatten())
            {
                assert!(object["type"] != "mrkdwn" || object["verbatim"] == true, "{block}");
            }
        }
    }
    let mut r = result("r", "fail", "high", "x_y.z", 1);
    r["resource"]["root"] = "_live_/my_stack_".into();
    let message = slack::write(&assessment_of(&[r], NOW), &all());
    let said = String::from_utf8(message).unwrap();
    assert!(said.contains("in ˍliveˍ/my_stackˍ") && said.contains("`x_y.z`"), "{said}");
    let message = parsed(&slack::write(&assessment(), &Table::default()));
    assert_eq!(message["text"], "Portcullis: 1 ticket, 2 to know");
    insta::assert_json_snapshot!(message);
}
