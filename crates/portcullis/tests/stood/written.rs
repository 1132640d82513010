//! Every register, trend and comparison says since when.

use super::*;

#[test]
fn a_pack_says_since_when_in_every_register() {
    let comment = accepted("reason=\"the log bucket\" until=2099-01-31");
    let r = repository("stood-pack", &[("main.tf", &bucket("logs", &comment))]);
    let id = r.git(&["rev-parse", "HEAD"]);
    let pack = |to: &str| {
        let formats = ["markdown=r.md", "csv=r.csv", "html=r.html", "oscal=r.json"];
        let mut args = vec!["report", ".", "--framework", "soc2", "--evidence", to];
        formats.iter().for_each(|f| args.extend(["--format", f]));
        let out = run_in(r.dir(), &args);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
    };
    std::fs::create_dir(r.dir().join("packs")).unwrap();
    pack("packs/one");
    r.replace("main.tf", "2099-01-31", "2099-12-31");
    r.git(&["add", "main.tf"]);
    r.git_on("2026-05-01", &["commit", "-q", "-m", "renewed"]);
    pack("packs/two");
    let mut table = csv::Reader::from_path(r.dir().join("packs/two/exceptions.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    let row = table.records().next().unwrap().unwrap();
    let cell =
        |name: &str| row.get(head.iter().position(|h| h == name).unwrap()).unwrap().to_owned();
    assert_eq!((cell("since"), cell("since_commit")), ("2026-01-02".to_owned(), id.clone()));
    assert_eq!((cell("since_unknown"), cell("until")), (String::new(), "2099-12-31".to_owned()));
    let words = format!("2026-01-02 ({})", &id[..12]);
    for file in ["r.md", "r.html"] {
        assert!(r.read(file).contains(&words), "{file} has no {words}");
    }
    assert!(r.read("r.csv").contains(&format!(",2026-01-02,{id},,2099-12-31,")));
    assert!(r.read("r.json").contains("Accepted since 2026-01-02 until 2099-12-31"));
    assert_eq!(code(&run_in(r.dir(), &["report", "verify", "packs/two"])), 0);
    let args = ["report", "--compare", "packs/one", "packs/two", "--format", "json"];
    let renewed = &json(&run_in(r.dir(), &args))["exceptions"]["renewed"][0];
    assert_eq!(
        (&renewed["since"], &renewed["was_until"]),
        (&"2026-01-02".into(), &"2099-01-31".into())
    );
    // The packs are younger than what they register.
    let trend = json(&run_in(r.dir(), &["report", "--trend", "packs", "--format", "json"]));
    let stood = &trend["exceptions"][0];
    assert_eq!(stood["since"], "2026-01-02");
    assert!(stood["first_pack"].as_str().unwrap() > "2026-01-02", "{stood}");
}

#[test]
fn a_lapse_between_two_renewals_is_in_the_trend_and_in_the_comparison() {
    let comment = accepted("reason=\"the log bucket\" until=2026-06-30");
    let r = repository("stood-lapse", &[("main.tf", &bucket("logs", &comment))]);
    std::fs::create_dir(r.dir().join("packs")).unwrap();
    let pack = |day: &str| {
        let to = format!("packs/{day}.zip");
        let args = ["report", ".", "--framework", "soc2", "--as-of", day, "--evidence", &to];
        let out = run_in(r.dir(), &args);
        assert_eq!(code(&out), 0, "{}", String::from_utf8_lossy(&out.stderr));
    };
    let commit = |day: &str, from: &str, to: &str| {
        r.replace("main.tf", from, to);
        r.git(&["add", "main.tf"]);
        r.git_on(day, &["commit", "-q", "-m", "change"]);
    };
    pack("2026-02-03");
    pack("2026-07-05");
    commit("2026-08-01", "2026-06-30", "2027-06-30");
    pack("2026-08-02");
    commit("2026-09-01", "portcullis:ignore", "was ignored:");
    pack("2026-09-16");
    let trend = json(&run_in(r.dir(), &["report", "--trend", "packs", "--format", "json"]));
    let e = &trend["exceptions"][0];
    let seen: Vec<(bool, bool, &str)> = e["packs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            let is = |key: &str| s[key].as_bool().unwrap();
            (is("in_force"), is("lapsed"), s["until"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            (true, false, "2026-06-30"),
            (false, true, "2026-06-30"),
            (true, false, "2027-06-30"),
            (false, false, "2027-06-30"),
        ]
    );
    let lists = |old: &str, new: &str| {
        let (old, new) = (format!("packs/{old}.zip"), format!("packs/{new}.zip"));
        let args = ["report", "--compare", &old, &new, "--format", "json"];
        json(&run_in(r.dir(), &args))["exceptions"].clone()
    };
    let back = lists("2026-07-05", "2026-08-02");
    assert_eq!(back["opened"], serde_json::json!([]));
    let renewed = &back["renewed_after_lapse"][0];
    assert_eq!(
        (&renewed["since"], &renewed["was_until"], &renewed["until"]),
        (&"2026-01-02".into(), &"2026-06-30".into(), &"2027-06-30".into())
    );
    assert_eq!(lists("2026-02-03", "2026-07-05")["lapsed"].as_array().unwrap().len(), 1);
    assert_eq!(lists("2026-08-02", "2026-09-16")["withdrawn"].as_array().unwrap().len(), 1);
}
