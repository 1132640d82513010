//! What a history does not say is said, and not guessed; what it costs is bounded.

use super::*;

#[test]
fn what_the_history_does_not_say_is_not_guessed() {
    let comment = accepted("reason=\"the log bucket\"");
    let plain = Folder::new("stood-none", &[("main.tf", &bucket("logs", &comment))]);
    assert_eq!(stands(&plain.0), "git knows no history here");

    let r = repository("stood-unknown", &[("main.tf", &bucket("logs", ""))]);
    r.write("main.tf", &bucket("logs", &comment));
    assert_eq!(stands(r.dir()), "it does not stand in the commit that is checked out");
    r.commit_on("2026-02-01");
    // Another reason that is not committed yet is one of the same exception.
    r.replace("main.tf", "the log bucket", "logs");
    assert_eq!(stands(r.dir()), "2026-02-01");
    r.commit_on("2026-03-01");

    let shallow = Folder::new("stood-shallow", &[]);
    let from = format!("file://{}", r.dir().display());
    git_in(&shallow.0, &["clone", "-q", "--depth", "1", &from, "copy"]);
    let copy = shallow.0.join("copy");
    assert_eq!(
        stands(&copy),
        "the clone is shallow: it stood already on 2026-03-01, where the history here begins"
    );
    git_in(&copy, &["fetch", "-q", "--unshallow"]);
    assert_eq!(stands(&copy), "2026-02-01");

    // The first commit of all: there is nothing before it.
    let r = repository("stood-first", &[("main.tf", &bucket("logs", &comment))]);
    assert_eq!(stands(r.dir()), "2026-01-02");
    // No commit yet.
    let bare = Repository(Folder::new("stood-bare", &[("main.tf", &bucket("logs", &comment))]));
    bare.git(&["init", "-q"]);
    assert_eq!(stands(bare.dir()), "git knows no history here");
}

#[test]
fn a_history_with_holes_is_said() {
    let r = repository("stood-holes", &[("main.tf", &bucket("logs", ""))]);
    for (day, reason) in [("2026-02-01", "one"), ("2026-03-01", "two"), ("2026-04-01", "three")] {
        r.write("main.tf", &bucket("logs", &accepted(&format!("reason=\"{reason}\""))));
        r.commit_on(day);
    }
    let lose = |name: &str| {
        let id = r.git(&["rev-parse", name]);
        r.remove(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
        id
    };
    // What is behind the hole would be younger than the truth, or older.
    lose("HEAD~2:main.tf");
    assert_eq!(stands(r.dir()), "a part of its history is not in this clone");
    let commit = r.git(&["rev-parse", "HEAD~1"]);
    lose("HEAD~1^{tree}");
    let told = stands(r.dir());
    assert!(told.ends_with(" has a tree that cannot be read here"), "{told}");
    assert!(told.contains(&commit) || told.contains(&r.git(&["rev-parse", "HEAD"])), "{told}");
}

#[test]
fn a_hole_behind_what_changed_is_no_answer() {
    let files = [("a/notes.txt", "1"), ("b/main.tf", &bucket("logs", ""))];
    let r = repository("stood-hole-behind", &files);
    r.write("a/notes.txt", "2");
    r.write("b/main.tf", &bucket("logs", &accepted("reason=\"the log bucket\"")));
    r.commit_on("2026-02-01");
    let id = r.git(&["rev-parse", "HEAD~1:b"]);
    r.remove(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let told = stands(r.dir());
    assert!(told.ends_with(" has a tree that cannot be read here"), "{told}");
}

/// A repository whose middle commit has a folder ten times over in itself, `depth` folders deep, which
/// no commit that is checked out ever had.
fn bomb(name: &str, depth: usize, leaf: &str) -> Repository {
    let r = repository(name, &[("main.tf", &bucket("logs", ""))]);
    let tree = |entries: &str| r.git_with(&["mktree"], entries);
    let blob = r.git_with(&["hash-object", "-w", "--stdin"], leaf);
    let mut folder = match leaf {
        "" => tree(""),
        _ => tree(&format!("100644 blob {blob}\tmain.tf\n")),
    };
    for _ in 0..depth {
        let same: Vec<String> = (0..10).map(|i| format!("040000 tree {folder}\t{i}\n")).collect();
        folder = tree(&same.concat());
    }
    let top = format!("{}\n040000 tree {folder}\tz\n", r.git(&["ls-tree", "HEAD"]));
    let head = r.git(&["commit-tree", &tree(&top), "-p", "HEAD", "-m", "bomb"]);
    r.git(&["update-ref", "refs/heads/main", &head]);
    r.write("main.tf", &bucket("logs", &accepted("reason=\"the log bucket\"")));
    r.git(&["add", "main.tf"]);
    r.git_on("2026-02-01", &["commit", "-q", "-m", "accept"]);
    r
}

#[test]
fn trees_that_are_many_times_what_they_take_are_not_compared() {
    for (name, leaf) in [("stood-bomb", "x"), ("stood-bomb-of-nothing", "")] {
        let r = bomb(name, 9, leaf);
        let told = stands(r.dir());
        assert!(told.ends_with(" changes too many files to be compared"), "{told}");
        // A smaller one is in nobody's way.
        let r = bomb(&format!("{name}-small"), 3, leaf);
        assert_eq!(stands(r.dir()), "2026-02-01");
    }
}

#[test]
fn a_commit_without_a_time_that_could_be_has_no_day() {
    let text = bucket("logs", &accepted("reason=\"the log bucket\""));
    for time in ["253402300800", "99999999999999999999999", "-5"] {
        let r = repository("stood-time", &[("main.tf", &text)]);
        let tree = r.git(&["rev-parse", "HEAD^{tree}"]);
        let who = format!("t <t@example.com> {time} +0000");
        let commit = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\n");
        let write = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
        let id = r.git_with(&write, &commit);
        r.write(".git/refs/heads/main", &format!("{id}\n"));
        assert_eq!(stands(r.dir()), format!("its commit {id} has no time that could be"));
        // It was deployed all the same.
        r.write("packs/.gitkeep", "");
        let pack = ["report", ".", "--framework", "soc2", "-q", "--evidence", "packs/x.zip"];
        assert!(matches!(code(&run_in(r.dir(), &pack)), 0 | 3));
        let args = ["report", "--deployments", "packs", "--branch", "main", "--format", "json"];
        assert_eq!(json(&run_in(r.dir(), &args))["commits"][0]["id"], id);
    }
}

#[test]
fn the_repositorys_settings_change_no_answer() {
    let comment = accepted("reason=\"the log bucket\"");
    let r = repository("stood-settings", &[("main.tf", &bucket("logs", &comment))]);
    let old = r.git(&["rev-parse", "HEAD"]);
    r.git(&["checkout", "-q", "--orphan", "anew"]);
    r.write("notes.txt", "new");
    r.commit_on("2026-02-01");
    let new = r.git(&["rev-parse", "HEAD"]);
    r.git(&["replace", "--graft", &new, &old]);
    r.write(".git/info/grafts", &format!("{new} {old}\n"));
    for (key, value) in [
        ("i18n.logOutputEncoding", "UTF-16"),
        ("log.showSignature", "true"),
        ("core.abbrev", "4"),
        ("diff.relative", "true"),
        ("diff.orderFile", "/nowhere"),
    ] {
        r.git(&["config", key, value]);
    }
    assert_eq!(stands(r.dir()), "2026-02-01");
}

#[test]
fn a_history_that_is_too_long_is_said() {
    let r = repository("stood-long", &[]);
    let text = bucket("logs", &accepted("reason=\"the log bucket\""));
    let mut stream = String::new();
    for i in 0..20_005 {
        let who = format!("t <t@example.com> {} +0000", 1_769_904_000 + i);
        stream.push_str(&format!("commit refs/heads/main\ncommitter {who}\ndata 1\nx\n"));
        if i == 0 {
            stream.push_str(&format!("M 100644 inline main.tf\ndata {}\n{text}\n", text.len()));
        }
        let note = i.to_string();
        stream.push_str(&format!("M 100644 inline notes.txt\ndata {}\n{note}\n", note.len()));
    }
    let mut import = Command::new("git");
    import.current_dir(r.dir()).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut import = import.spawn().unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    r.git(&["reset", "-q", "--hard", "main"]);
    assert_eq!(stands(r.dir()), "its history is too long: it stood already on 2026-02-01");
}
