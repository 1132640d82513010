//! Every function against facts of Terraform's documentation, written as expressions.

use std::cell::RefCell;
use std::sync::Arc;

use portcullis_core::{
    Assoc, Choice, DeciderId, FileId, Files, How, Kind, Map, MapEntry, Marks, MemoryFiles,
    OriginId, Origins, Span, Value, Why, WhyKind,
};
use portcullis_syntax::hcl::{self, Expr, ExprKind, UnaryOp};

use super::{Call, FunctionContext, FunctionError, call};

struct Context {
    files: MemoryFiles,
    origins: RefCell<Origins>,
}

impl FunctionContext for Context {
    fn files(&self) -> &dyn Files {
        &self.files
    }

    fn base_dir(&self) -> &str {
        "root"
    }

    fn origin(&self, span: Span, from: Option<OriginId>) -> OriginId {
        self.origins.borrow_mut().add(span, How::Expression, from)
    }

    fn set_encoded(&self, id: OriginId, structure: Value) {
        self.origins.borrow_mut().set_encoded(id, structure);
    }

    fn render_template(&self, _: FileId, text: &str, _: &Value) -> Result<Value, FunctionError> {
        Ok(Value::str(text, OriginId::NONE))
    }
}

fn context() -> Context {
    Context {
        files: MemoryFiles::new([
            ("root/hello.txt", &b"hi\n"[..]),
            ("root/sub/a.json", b"{}"),
            ("root/sub/b.json", b"{}"),
            ("root/bin", &[0xff, 0x00]),
        ]),
        origins: RefCell::default(),
    }
}

/// Evaluates literals and calls; `u` is unknown, `pre` is text that starts with "pre-",
/// `ab` is "a" or "b", undecided.
fn eval(ctx: &Context, e: &Expr) -> Result<Value, FunctionError> {
    let new = |kind| Value::new(kind, ctx.origin(e.span, None));
    let unknown = |pieces: Option<Vec<Option<Arc<str>>>>| {
        let mut v = Value::unknown(Why::new(WhyKind::Computed, "u"), OriginId::NONE);
        if let (Kind::Unknown(u), Some(pieces)) = (&mut v.kind, pieces) {
            Arc::make_mut(u).pieces = Some(pieces.into());
        }
        v
    };
    Ok(match &e.kind {
        ExprKind::Null => new(Kind::Null),
        ExprKind::Bool(b) => new(Kind::Bool(*b)),
        ExprKind::Num(n) => new(Kind::Num(n.clone())),
        ExprKind::Str(s) => new(Kind::Str(s.clone())),
        ExprKind::Paren(e) => eval(ctx, e)?,
        ExprKind::Unary(UnaryOp::Neg, e) => match eval(ctx, e)?.as_num() {
            Some(n) => new(Kind::Num(n.neg())),
            None => return Err(FunctionError::new("no number")),
        },
        ExprKind::Tuple(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|e| eval(ctx, e)).collect();
            Value::list(items?, ctx.origin(e.span, None))
        }
        ExprKind::Object(items) => {
            let mut map = Map::new();
            for item in items {
                let key = match &item.key.kind {
                    ExprKind::Var(name) => name.clone(),
                    _ => eval(ctx, &item.key)?.scalar_text().unwrap_or_default(),
                };
                map.put(MapEntry { key, key_span: None, value: eval(ctx, &item.value)? });
            }
            new(Kind::Map(Assoc::Object, Arc::new(map)))
        }
        ExprKind::Call { name, args, expand, .. } => {
            let mut values = args.iter().map(|a| eval(ctx, a)).collect::<Result<Vec<_>, _>>()?;
            if *expand && let Some(last) = values.pop() {
                values.extend(last.as_list().unwrap_or(&[]).iter().cloned());
            }
            let spans: Vec<Span> = args.iter().map(|a| a.span).collect();
            call(Call { name, args: values, arg_spans: &spans, span: e.span, ctx })?
        }
        ExprKind::Var(name) if &**name == "u" => unknown(None),
        ExprKind::Var(name) if &**name == "pre" => unknown(Some(vec![Some("pre-".into()), None])),
        ExprKind::Var(name) if &**name == "ab" => {
            let arms = ["a", "b"].map(|s| Value::str(s, OriginId::NONE));
            new(Kind::Choice(Arc::new(Choice { by: DeciderId(0), arms: Box::new(arms) })))
        }
        other => return Err(FunctionError::new(format!("not evaluated here: {other:?}"))),
    })
}

fn run(ctx: &Context, text: &str) -> Result<Value, FunctionError> {
    let expr =
        hcl::parse_expression(FileId(0), text, 0).unwrap_or_else(|d| panic!("{text}: {d:?}"));
    eval(ctx, &expr)
}

/// Equal in value, where `u` stands for anything unknown.
fn same(found: &Value, wanted: &Value) -> bool {
    match (&found.kind, &wanted.kind) {
        (Kind::Unknown(_), Kind::Unknown(_)) => true,
        (Kind::List(_, a), Kind::List(_, b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Kind::Map(_, a), Kind::Map(_, b)) => {
            a.len() == b.len() && a.iter().all(|e| b.get(&e.key).is_some_and(|w| same(&e.value, w)))
        }
        _ => found == wanted,
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, wanted) in cases {
        let ctx = context();
        let found = run(&ctx, text);
        let fine = match (&found, *wanted) {
            (Err(_), "!") => true,
            (Err(_), _) | (Ok(_), "!") => false,
            (Ok(found), wanted) => same(found, &run(&ctx, wanted).unwrap()),
        };
        if !fine {
            let found = found.map_or_else(|e| format!("! {}", e.message), |v| v.to_string());
            wrong.push(format!("{text}\n   found {found}\n  wanted {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn numeric() {
    check(&[
        ("abs(-5.5)", "5.5"),
        ("ceil(-5.1)", "-5"),
        ("floor(\"4.9\")", "4"),
        ("log(16, 2)", "4"),
        ("log(4294967296, 3)", "20.18975211428664"),
        ("log(0.000001, 2)", "-19.931568569324174"),
        ("log(255, 62)", "1.3426418982714767"),
        ("tostring(log(0, 10))", "\"-Inf\""),
        ("pow(2, 10)", "1024"),
        ("signum(-13)", "-1"),
        ("signum(-0.2)", "!"),
        ("max([12, 54, 3]...)", "54"),
        ("min()", "!"),
        ("parseint(\"FF\", 16)", "255"),
        ("parseint(\"aA\", 62)", "656"),
        ("parseint(\"12\", 2)", "!"),
        ("sum([10, \"20\", 30.5])", "60.5"),
        ("sum([])", "!"),
        ("range(3)", "[0, 1, 2]"),
        ("range(4, 1)", "[4, 3, 2]"),
        ("range(1, 4, 0)", "!"),
        ("range(1, 4, -1)", "!"),
        ("range(1025)", "!"),
        ("max(1, u)", "u"),
    ]);
}

#[test]
fn collections() {
    check(&[
        ("alltrue([true, \"true\"])", "true"),
        ("anytrue([false, u, true])", "true"),
        ("alltrue([u, false])", "false"),
        ("chunklist([1, \"a\", true], 2)", "[[\"1\", \"a\"], [\"true\"]]"),
        ("coalesce(null, \"\", 5)", "\"5\""),
        ("coalesce(null, u, \"x\")", "u"),
        ("coalesce(\"x\", u)", "\"x\""),
        ("coalesce(\"\", null)", "!"),
        ("coalescelist([], [\"b\"])", "[\"b\"]"),
        ("compact([\"a\", \"\", null])", "[\"a\"]"),
        ("concat([u], [\"x\"])", "[u, \"x\"]"),
        ("concat(toset([\"a\"]), [])", "!"),
        ("contains([\"a\", u], \"a\")", "true"),
        ("contains([\"a\", u], \"b\")", "u"),
        ("contains([1, 2], \"1\")", "false"),
        ("distinct([\"a\", \"b\", \"a\"])", "[\"a\", \"b\"]"),
        ("element([\"a\", \"b\"], 3)", "\"b\""),
        ("element([], 0)", "!"),
        ("flatten([[\"a\", [pre]], []])", "[\"a\", u]"),
        ("flatten([u])", "u"),
        ("index([\"a\", u], \"a\")", "0"),
        ("index([1, 2], \"2\")", "!"),
        ("length([u, 1])", "2"),
        ("length(toset([u, \"a\"]))", "u"),
        ("length(\"👨‍👩‍👧‍👦é\")", "2"),
        ("matchkeys([\"x\", \"y\", \"z\"], [\"1\", \"2\", \"1\"], [1])", "[\"x\", \"z\"]"),
        ("one([])", "null"),
        ("one([1, 2])", "!"),
        ("reverse([1, \"a\"])", "[\"a\", 1]"),
        ("slice([\"a\", \"b\", \"c\"], 1, 2)", "[\"b\"]"),
        ("slice([\"a\"], 1, 0)", "!"),
        ("sort([\"b\", \"a\", \"B\"])", "[\"B\", \"a\", \"b\"]"),
        ("sort([\"b\", u])", "[u, u]"),
        ("keys({ b = 1, a = u })", "[\"a\", \"b\"]"),
        ("values({ b = 1, a = u })", "[u, 1]"),
        ("lookup({ a = u, b = 1 }, \"b\", 0)", "1"),
        ("lookup({ a = 1 }, \"z\")", "!"),
        ("lookup(tomap({ a = \"x\" }), \"z\", 5)", "\"5\""),
        ("merge({ a = 1, b = 2 }, null, { b = u })", "{ a = 1, b = u }"),
        ("merge([{ a = 1 }])", "!"),
        // The keys of a map are a list, those of an object a tuple, which stays one.
        (
            "concat(keys(merge(tomap({ a = 1 }), tomap({ b = 2 }))), tolist([1]))",
            "[\"a\", \"b\", \"1\"]",
        ),
        (
            "concat(keys(merge(tomap({ a = 1 }), tomap({ b = \"x\" }))), tolist([1]))",
            "[\"a\", \"b\", 1]",
        ),
        ("concat(keys(merge(tomap({}), tomap({ b = \"x\" }))), tolist([1]))", "[\"b\", 1]"),
        // What has no elements has a type all the same.
        ("setunion(regexall(\"x\", \"y\"), [[\"a\"]])", "!"),
        ("setunion(compact([]), [[\"a\"]])", "!"),
        ("setunion([], [[\"a\"]])", "[[\"a\"]]"),
        ("transpose({ a = null })", "!"),
        ("flatten({ a = 1 })", "!"),
        ("coalescelist(u, \"a\")", "u"),
        ("coalescelist([\"a\"], u)", "[\"a\"]"),
        ("zipmap([u, \"a\"], [])", "u"),
        ("merge({ a = 1 }, null, \"x\")", "!"),
        ("index([[]], u)", "u"),
        ("tomap({ a = null, b = \"x\", c = [] })", "!"),
        ("tomap({ a = null, b = \"x\", c = \"y\" })", "{ a = null, b = \"x\", c = \"y\" }"),
        ("setunion(slice(tolist([1]), 0, 0), keys(tomap({})))", "[]"),
        ("setunion(distinct(tolist([])), [[\"a\"]])", "[[\"a\"]]"),
        ("transpose({ a = [\"1\", \"2\"], b = [\"2\"] })", "{ 1 = [\"a\"], 2 = [\"a\", \"b\"] }"),
        ("zipmap([\"a\", \"b\"], [1, u])", "{ a = 1, b = u }"),
        ("zipmap([u], [1])", "u"),
        ("setunion([\"b\"], [\"a\", \"b\"])", "[\"a\", \"b\"]"),
        ("setintersection([1, 2], [\"2\", \"3\"])", "[\"2\"]"),
        ("setsubtract([\"a\", \"b\"], [\"a\"])", "[\"b\"]"),
        ("setproduct([\"a\"], [1, u])", "[[\"a\", 1], [\"a\", u]]"),
        ("setproduct([\"a\"])", "!"),
        ("setproduct(range(1000), range(1000), range(1000))", "!"),
    ]);
}

#[test]
fn text() {
    check(&[
        ("chomp(\"a\\r\\n\\n\")", "\"a\""),
        ("endswith(\"hello\", \"lo\")", "true"),
        ("startswith(pre, \"pr\")", "true"),
        ("startswith(pre, \"x\")", "false"),
        ("startswith(pre, \"pre-x\")", "u"),
        ("strcontains(pre, \"re-\")", "u"),
        ("format(\"%s is %d\", \"a\", 4)", "\"a is 4\""),
        ("format(\"%d\", 3.7)", "!"),
        ("format(\"%x\", \"0.5\")", "!"),
        (
            "format(\"%08.3f|%v|% e\", log(0, 10), log(0, 10), pow(10, 400))",
            "\"    -Inf|-Inf| Inf\"",
        ),
        ("format(\"%d\", pow(10, 400))", "!"),
        (
            "format(\"%5.1f|%-5s|%05d|%x|%q\", 3.14159, \"ab\", 42, 255, \"x\")",
            "\"  3.1|ab   |00042|ff|\\\"x\\\"\"",
        ),
        ("format(\"%e %g %g\", 12345.678, 1e21, 0.00001)", "\"1.234568e+04 1e+21 1e-05\""),
        ("format(\"%.0f %.0f %[1]v\", 2.5, 3.5)", "\"2 4 2.5\""),
        ("format(\"%v %#v\", [\"a\", 1], \"x\")", "\"[\\\"a\\\",1] \\\"x\\\"\""),
        ("format(\"%s\", \"a\", \"b\")", "!"),
        ("format(\"%s\")", "!"),
        ("format(\"%z\", 1)", "!"),
        ("format(\"%99999999s\", 1)", "!"),
        ("formatlist(\"%s-%s\", [\"a\", u], \"x\")", "[\"a-x\", u]"),
        ("formatlist(\"%s-%s\", [\"a\", \"b\"], [\"c\"])", "!"),
        ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
        ("join(\"-\", [\"a\"], [1, true])", "\"a-1-true\""),
        ("join(\"-\", [\"a\", null])", "!"),
        ("lower(\"ÉA\")", "\"éa\""),
        ("regex(\"[a-z]+\", \"12ab3\")", "\"ab\""),
        ("regex(\"(a)(x)?\", \"a\")", "[\"a\", null]"),
        ("regex(\"(?P<y>\\\\d+)-(?P<m>\\\\d+)\", \"2024-05\")", "{ y = \"2024\", m = \"05\" }"),
        ("regex(\"x\", \"a\")", "!"),
        ("regexall(\"b*\", \"abc\")", "[\"\", \"b\", \"\"]"),
        ("replace(\"hello\", \"/(l+)/\", \"<$1$$>\")", "\"he<ll$>o\""),
        ("replace(\"hello\", \"/(h)(e)/\", \"$${2}1\")", "\"e1llo\""),
        ("replace(\"hello\", \"\", \"-\")", "\"-h-e-l-l-o-\""),
        ("split(\",\", \"a,,b\")", "[\"a\", \"\", \"b\"]"),
        ("strrev(\"noe\u{308}l\")", "\"lëon\""),
        ("substr(\"hello world\", -5, -1)", "\"world\""),
        ("substr(\"hello\", 1, 3)", "\"ell\""),
        ("title(\"hello o'neil\")", "\"Hello O'Neil\""),
        ("trim(\"?!hello?!\", \"!?\")", "\"hello\""),
        ("trimprefix(\"aab\", \"a\")", "\"ab\""),
        ("trimsuffix(\"abb\", \"b\")", "\"ab\""),
        ("trimspace(\" a\\n\")", "\"a\""),
        ("upper(u)", "u"),
        ("upper(null)", "!"),
        ("upper(\"a\", \"b\")", "!"),
        ("core::upper(\"x\")", "\"X\""),
        ("Upper(\"x\")", "!"),
        ("provider::aws::arn_parse(\"x\")", "u"),
    ]);
}

#[test]
fn encoding() {
    check(&[
        ("base64encode(\"é\")", "\"w6k=\""),
        ("base64decode(\"SGk=\")", "\"Hi\""),
        ("base64decode(\"SGk\")", "!"),
        ("base64decode(\"/w==\")", "!"),
        ("base64sha256(\"hello\")", "\"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\""),
        ("textencodebase64(\"é\", \"ISO-8859-1\")", "\"6Q==\""),
        ("textdecodebase64(\"SABpAA==\", \"UTF-16LE\")", "\"Hi\""),
        ("textencodebase64(\"x\", \"nope\")", "!"),
        ("urlencode(\"a b/é\")", "\"a+b%2F%C3%A9\""),
        (
            "csvdecode(\"a,b\\n\\\"x,y\\\",\\\"q\\\"\\\"\\\"\\n\\n1,2\")",
            "[{ a = \"x,y\", b = \"q\\\"\" }, { a = \"1\", b = \"2\" }]",
        ),
        ("csvdecode(\"a,a\\n1,2\")", "!"),
        ("csvdecode(\"a\\n\\\"x\")", "!"),
        (
            "jsonencode({ b = [1, null], a = \"<&>\\n\" })",
            "\"{\\\"a\\\":\\\"\\\\u003c\\\\u0026\\\\u003e\\\\n\\\",\\\"b\\\":[1,null]}\"",
        ),
        ("jsonencode(u)", "u"),
        (
            r#"jsondecode(" [1, \"\\u00e9\", null, {\"x\": 1.50}] ")"#,
            r#"[1, "é", null, { x = 1.5 }]"#,
        ),
        (r#"jsondecode("{\"a\":1,\"a\":2}")"#, "{ a = 2 }"),
        ("jsondecode(\"[1,]\")", "!"),
        ("jsondecode(\"NaN\")", "!"),
        ("jsondecode(\"1 2\")", "!"),
        (
            r#"yamldecode("a: on\nb: +5\nc: 1_000\nd: 2001-12-14\ne: 'on'\n")"#,
            r#"{ a = true, b = 5, c = "1_000", d = "2001-12-14T00:00:00Z", e = "on" }"#,
        ),
        ("join(\",\", yamldecode(\"- .inf\"))", "\"+Inf\""),
        ("yamldecode(\"a: b: c\")", "!"),
        ("yamldecode(\"\")", "!"),
        (
            "yamlencode({ b = [1, { x = \"y\" }], a = {}, c = { d = \"l1\\nl2\\n\" } })",
            "\"\\\"a\\\": {}\\n\\\"b\\\":\\n- 1\\n- \\\"x\\\": \\\"y\\\"\\n\\\"c\\\":\\n  \\\"d\\\": |\\n    l1\\n    l2\\n\"",
        ),
        ("yamlencode([[1, 2], []])", "\"- - 1\\n  - 2\\n- []\\n\""),
        (
            r#"yamlencode({ a = { b = "-o ProxyCommand='ssh -W %h:%p %r@bastion.example.com.internal.network.zone' -o StrictHostKeyChecking=no" } })"#,
            r#""\"a\":\n  \"b\": \"-o ProxyCommand='ssh -W %h:%p %r@bastion.example.com.internal.network.zone'\n    -o StrictHostKeyChecking=no\"\n""#,
        ),
        (
            r#"yamlencode(["a\tb\n", " x\ny", "😀"])"#,
            r#""- \"a\\tb\\n\"\n- |2-\n   x\n  y\n- \"\\U0001F600\"\n""#,
        ),
        (r#"yamlencode("x\n\n")"#, r#""|+\n  x\n\n...\n""#),
        ("yamlencode(true)", "\"true\\n...\\n\""),
        ("md5(\"\")", "\"d41d8cd98f00b204e9800998ecf8427e\""),
        ("sha1(\"hello world\")", "\"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed\""),
        ("substr(sha512(\"x\"), 0, 0)", "\"\""),
        ("uuidv5(\"dns\", \"www.terraform.io\")", "\"a5008fae-b28c-5ba5-96cd-82b4c53552d6\""),
        ("uuidv5(\"nope\", \"x\")", "!"),
        ("bcrypt(\"x\")", "u"),
    ]);
}

#[test]
fn times() {
    check(&[
        (
            "formatdate(\"DD MMM YYYY hh:mm ZZZ\", \"2018-01-02T23:12:01Z\")",
            "\"02 Jan 2018 23:12 UTC\"",
        ),
        (
            "formatdate(\"EEEE, MMMM D'th' H:mmaa ZZZZZ\", \"2018-01-02T23:12:01+05:30\")",
            "\"Tuesday, January 2th 11:12pm +05:30\"",
        ),
        ("formatdate(\"h 'o''clock'\", \"2018-01-02T03:12:01Z\")", "\"3 o'clock\""),
        ("formatdate(\"xyz\", \"2018-01-02T23:12:01Z\")", "!"),
        ("timeadd(\"2017-11-22T00:00:00Z\", \"-1h30m\")", "\"2017-11-21T22:30:00Z\""),
        ("timeadd(\"2017-11-22T00:00:00Z\", \"1d\")", "!"),
        ("timecmp(\"2017-11-22T01:00:00Z\", \"2017-11-22T00:00:00-01:00\")", "0"),
        ("timestamp()", "u"),
    ]);
}

#[test]
fn networks() {
    check(&[
        ("cidrhost(\"10.12.112.0/20\", 268)", "\"10.12.113.12\""),
        ("cidrhost(\"010.1.0.5/24\", -1)", "\"10.1.0.255\""),
        ("cidrhost(\"10.0.0.0/24\", -257)", "!"),
        ("cidrhost(\"fd00:fd12:3456:7890:00a2::/72\", 34)", "\"fd00:fd12:3456:7890::22\""),
        ("cidrnetmask(\"172.16.0.0/12\")", "\"255.240.0.0\""),
        ("cidrnetmask(\"fd00::/64\")", "!"),
        ("cidrsubnet(\"172.16.0.0/12\", 4, 2)", "\"172.18.0.0/16\""),
        ("cidrsubnet(\"fd00:fd12:3456:7890::/56\", 16, 162)", "\"fd00:fd12:3456:7800:a200::/72\""),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 256)", "!"),
        ("cidrsubnet(\"10.0.0.0/16\", 17, 0)", "!"),
        (
            "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4)",
            "[\"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\", \"10.1.48.0/20\"]",
        ),
        ("cidrsubnets(\"10.1.0.0/16\", 1, 1, 1)", "!"),
        ("cidrsubnets(\"10.1.0.0/16\")", "[]"),
    ]);
}

#[test]
fn files() {
    check(&[
        ("file(\"hello.txt\")", "\"hi\\n\""),
        ("file(\"/root/hello.txt\")", "\"hi\\n\""),
        ("file(\"none\")", "!"),
        ("file(\"bin\")", "!"),
        ("file(\"../../x\")", "u"),
        ("filebase64(\"bin\")", "\"/wA=\""),
        ("filemd5(\"hello.txt\")", "md5(\"hi\\n\")"),
        ("fileexists(\"sub/a.json\")", "true"),
        ("fileexists(\"sub/z.json\")", "false"),
        ("fileexists(\"sub\")", "!"),
        ("fileset(\".\", \"**/*.json\")", "[\"sub/a.json\", \"sub/b.json\"]"),
        ("fileset(\"sub\", \"[b-z].*\")", "[\"b.json\"]"),
        ("templatefile(\"hello.txt\", { a = 1 })", "\"hi\\n\""),
        ("templatefile(\"hello.txt\", { \"a b\" = 1 })", "!"),
        ("abspath(\"../x\")", "\"/x\""),
        ("pathexpand(\"a/~\")", "\"a/~\""),
        ("pathexpand(\"~/a\")", "u"),
    ]);
}

#[test]
fn conversions() {
    check(&[
        ("tostring(1.50)", "\"1.5\""),
        ("tonumber(\"1e3\")", "1000"),
        ("tonumber(true)", "!"),
        ("tobool(\"yes\")", "!"),
        ("tobool(null)", "null"),
        ("toset([\"b\", null, \"a\", \"b\"])", "[\"a\", \"b\", null]"),
        ("tolist([1, \"a\", u])", "[\"1\", \"a\", u]"),
        ("tomap({ a = 1, b = true })", "!"),
        ("tolist(\"a\")", "!"),
        ("issensitive(sensitive(\"x\"))", "true"),
        ("issensitive(upper(sensitive(\"x\")))", "true"),
        ("issensitive(nonsensitive(sensitive(\"x\")))", "false"),
        ("list(\"a\")", "!"),
    ]);
}

#[test]
fn choices_are_followed_arm_by_arm() {
    let ctx = context();
    let v = run(&ctx, "join(\"-\", [ab, ab])").unwrap();
    let Kind::Choice(c) = &v.kind else { panic!("{v}") };
    assert_eq!(c.arms.iter().map(|a| a.as_str().unwrap()).collect::<Vec<_>>(), ["a-a", "b-b"]);
    // Where all arms agree, nothing is left to choose.
    assert_eq!(run(&ctx, "length(ab)").unwrap().as_num(), Some(&1_i64.into()));
    let v = run(&ctx, "tonumber(replace(ab, \"a\", \"1\"))").unwrap();
    let Kind::Choice(c) = &v.kind else { panic!("{v}") };
    assert!(c.arms[0].as_num().is_some() && c.arms[1].as_unknown().is_some());
    assert!(run(&ctx, "tonumber(ab)").is_err());
}

#[test]
fn unknown_text_keeps_what_is_known_of_it() {
    let ctx = context();
    for text in ["format(\"arn:%s/x\", u)", "join(\"\", [\"arn:\", u, \"/\", \"x\"])"] {
        let v = run(&ctx, text).unwrap();
        let u = v.as_unknown().unwrap();
        let pieces: Vec<Option<&str>> =
            u.pieces.as_ref().unwrap().iter().map(Option::as_deref).collect();
        assert_eq!(pieces, [Some("arn:"), None, Some("/x")], "{text}");
        assert!(u.not_null && &*u.why.text == "u");
    }
}

#[test]
fn encoded_structures_and_marks_stay_reachable() {
    let ctx = context();
    let v = run(&ctx, "trimspace(jsonencode({ a = u, b = [sensitive(\"x\")] }))").unwrap();
    assert!(v.marks == Marks::SENSITIVE && v.as_unknown().is_some());
    let origins = ctx.origins.borrow();
    let structure = origins.encoded(v.origin).unwrap();
    assert!(structure.get("a").unwrap().as_unknown().is_some());
    drop(origins);
    let v = run(&ctx, "base64encode(format(\"key=%s\", u))").unwrap();
    let origins = ctx.origins.borrow();
    assert!(origins.encoded(v.origin).unwrap().as_unknown().unwrap().has_known_text());
    let file = "file(\"hello.txt\")";
    drop(origins);
    let v = run(&ctx, file).unwrap();
    let origins = ctx.origins.borrow();
    let steps: Vec<_> =
        origins.chain(v.origin).map(|o| ctx.files.sources().path(o.span.file)).collect();
    assert!(steps.iter().any(|p| &**p == "root/hello.txt"), "{steps:?}");
}

#[test]
fn too_many_choices_are_unknown_but_encoded_structures_keep_them() {
    let ctx = context();
    let choice = |by| {
        let arms = ["a", "b"].map(|s| Value::str(s, OriginId::NONE));
        let arms = Box::new(arms);
        Value::new(Kind::Choice(Arc::new(Choice { by: DeciderId(by), arms })), OriginId::NONE)
    };
    let list = Value::list((0..5).map(choice).collect(), OriginId::NONE);
    let span = Span::new(FileId(0), 0, 1);
    for name in ["jsonencode", "alltrue", "contains", "sum"] {
        let mut args = vec![list.clone()];
        if name == "contains" {
            args.push(Value::str("a", OriginId::NONE));
        }
        let v = call(Call { name, args, arg_spans: &[], span, ctx: &ctx });
        match (name, v) {
            ("alltrue", v) => assert!(v.is_err()),
            (_, v) => {
                let v = v.unwrap();
                assert_eq!(v.as_unknown().unwrap().why.kind, WhyKind::Limit, "{name}");
                let encoded = ctx.origins.borrow().encoded(v.origin).is_some();
                assert_eq!(encoded, name == "jsonencode");
            }
        }
    }
}

#[test]
fn odd_arguments_are_refused_without_a_crash() {
    let ctx = context();
    let odd: Vec<Value> = [
        "null",
        "true",
        "-1",
        "0.5",
        "1e30",
        "\"\"",
        "\"%[9]*é%-5.3q/[{\\\\\"",
        "[]",
        "[null, [u], {}]",
        "{ \"é\" = [1], b = null }",
        "toset([\"a\", u])",
        "pre",
        "ab",
    ]
    .iter()
    .map(|t| run(&ctx, t).unwrap())
    .collect();
    let span = Span::new(FileId(0), 0, 1);
    let mut names: Vec<&str> = super::table().keys().copied().collect();
    names.sort_unstable();
    for name in names {
        for i in 0..odd.len() * odd.len() * odd.len() {
            let picked = [i % odd.len(), i / odd.len() % odd.len(), i / odd.len() / odd.len()];
            for count in [3, 2, 1] {
                // Shorter calls once only, when the places left out are at their first value.
                if picked[count..].iter().all(|p| *p == 0) {
                    let args = picked[..count].iter().map(|p| odd[*p].clone()).collect();
                    let _ = call(Call { name, args, arg_spans: &[], span, ctx: &ctx });
                }
            }
        }
    }
}
