//! What the generator knows of Terraform's functions: what they take and what they give.
//!
//! Codes: `s` text, `n` number, `i` small whole number, `b` boolean, `l` list of text, `L` list of
//! numbers, `S` set of text, `m` map of text, `o` object, `t` tuple, `?` anything, `j` JSON text,
//! `y` YAML text, `c` CIDR, `6` IPv6 CIDR, `d` timestamp, `u` duration, `f` format string,
//! `r` regular expression, `e` base64 text, `p` path of a file, `B` list of booleans,
//! `M` map of lists of text, `x` list of maps, `v` CSV text, `*` repeats what stands before it.

/// Name, arguments, result.
pub(crate) const FUNCTIONS: &[(&str, &str, char)] = &[
    ("abs", "n", 'n'),
    ("abspath", "s", '_'),
    ("alltrue", "B", 'b'),
    ("anytrue", "B", 'b'),
    ("base64decode", "e", 's'),
    ("base64encode", "s", 's'),
    ("base64sha256", "s", 's'),
    ("base64sha512", "s", 's'),
    ("basename", "p", 's'),
    ("can", "?", 'b'),
    ("ceil", "n", 'n'),
    ("chomp", "s", 's'),
    ("chunklist", "li", '?'),
    ("cidrhost", "ci", 's'),
    ("cidrhost", "6i", 's'),
    ("cidrnetmask", "c", 's'),
    ("cidrsubnet", "cii", 's'),
    ("cidrsubnet", "6ii", 's'),
    ("cidrsubnets", "ci*", 'l'),
    ("coalesce", "s*", 's'),
    ("coalesce", "n*", 'n'),
    ("coalesce", "?*", '?'),
    ("coalescelist", "l*", 'l'),
    ("coalescelist", "t*", '?'),
    ("compact", "l", 'l'),
    ("concat", "l*", 'l'),
    ("concat", "t*", 't'),
    ("concat", "lt", '?'),
    ("contains", "ls", 'b'),
    ("contains", "Ss", 'b'),
    ("contains", "t?", 'b'),
    ("csvdecode", "v", 'x'),
    ("dirname", "p", 's'),
    ("distinct", "l", 'l'),
    ("distinct", "t", '?'),
    ("element", "li", 's'),
    ("element", "ti", '?'),
    ("endswith", "ss", 'b'),
    ("file", "p", 's'),
    ("filebase64", "p", 's'),
    ("filebase64sha256", "p", 's'),
    ("fileexists", "p", 'b'),
    ("filemd5", "p", 's'),
    ("filesha1", "p", 's'),
    ("filesha256", "p", 's'),
    ("filesha512", "p", 's'),
    ("flatten", "t", '?'),
    ("flatten", "l", 't'),
    ("floor", "n", 'n'),
    ("format", "f?", 's'),
    ("format", "f??", 's'),
    ("format", "fn", 's'),
    ("format", "fs", 's'),
    ("formatdate", "gd", 's'),
    ("formatlist", "fl", 'l'),
    ("formatlist", "fll", 'l'),
    ("formatlist", "fls", 'l'),
    ("indent", "is", 's'),
    ("index", "ls", 'n'),
    ("index", "t?", 'n'),
    ("issensitive", "?", 'b'),
    ("join", "sl", 's'),
    ("join", "sll", 's'),
    ("join", "st", 's'),
    ("join", "sS", 's'),
    ("jsondecode", "j", '?'),
    ("jsonencode", "?", 's'),
    ("keys", "m", 'l'),
    ("keys", "o", '?'),
    ("length", "s", 'n'),
    ("length", "l", 'n'),
    ("length", "o", 'n'),
    ("length", "?", 'n'),
    ("log", "ni", 'n'),
    ("lookup", "mss", 's'),
    ("lookup", "os?", '?'),
    ("lookup", "os", '?'),
    ("lower", "s", 's'),
    ("matchkeys", "lll", 'l'),
    ("max", "n*", 'n'),
    ("md5", "s", 's'),
    ("merge", "m*", 'm'),
    ("merge", "o*", 'o'),
    ("merge", "mo", '?'),
    ("min", "n*", 'n'),
    ("nonsensitive", "?", '?'),
    ("one", "l", 's'),
    ("one", "t", '?'),
    ("parseint", "si", 'n'),
    ("pathexpand", "p", 's'),
    ("pow", "ni", 'n'),
    ("range", "i", 'L'),
    ("range", "ii", 'L'),
    ("range", "iii", 'L'),
    ("range", "nnn", 'L'),
    ("regex", "rs", '?'),
    ("regexall", "rs", '?'),
    ("replace", "sss", 's'),
    ("replace", "srs", 's'),
    ("reverse", "l", 'l'),
    ("reverse", "t", '?'),
    ("reverse", "S", '?'),
    ("sensitive", "?", '?'),
    ("setintersection", "S*", 'S'),
    ("setproduct", "S*", '?'),
    ("setproduct", "ll", '?'),
    ("setproduct", "lt", '?'),
    ("setsubtract", "SS", 'S'),
    ("setunion", "S*", 'S'),
    ("setunion", "?*", '?'),
    ("sha1", "s", 's'),
    ("sha256", "s", 's'),
    ("sha512", "s", 's'),
    ("signum", "n", 'n'),
    ("slice", "lii", 'l'),
    ("slice", "tii", '?'),
    ("sort", "l", 'l'),
    ("sort", "t", '?'),
    ("split", "ss", 'l'),
    ("startswith", "ss", 'b'),
    ("strcontains", "ss", 'b'),
    ("strrev", "s", 's'),
    ("substr", "sii", 's'),
    ("sum", "L", 'n'),
    ("sum", "t", 'n'),
    ("templatefile", "ko", 's'),
    ("textdecodebase64", "ea", 's'),
    ("textencodebase64", "sa", 's'),
    ("timeadd", "du", 's'),
    ("timecmp", "dd", 'n'),
    ("title", "s", 's'),
    ("tobool", "?", 'b'),
    ("tobool", "s", 'b'),
    ("tolist", "?", '?'),
    ("tolist", "t", '?'),
    ("tolist", "S", 'l'),
    ("tomap", "?", '?'),
    ("tomap", "o", '?'),
    ("tonumber", "?", 'n'),
    ("tonumber", "s", 'n'),
    ("toset", "?", '?'),
    ("toset", "l", 'S'),
    ("toset", "t", '?'),
    ("tostring", "?", 's'),
    ("tostring", "n", 's'),
    ("transpose", "M", '?'),
    ("trim", "ss", 's'),
    ("trimprefix", "ss", 's'),
    ("trimspace", "s", 's'),
    ("trimsuffix", "ss", 's'),
    ("try", "??", '?'),
    ("try", "?s", '?'),
    ("upper", "s", 's'),
    ("urlencode", "s", 's'),
    ("uuidv5", "as", '_'),
    ("uuidv5", "zs", 's'),
    ("values", "m", 'l'),
    ("values", "o", '?'),
    ("yamldecode", "y", '?'),
    ("yamlencode", "?", 's'),
    ("zipmap", "ll", 'm'),
    ("zipmap", "lt", 'o'),
];

pub(crate) const STRINGS: &[&str] = &[
    "", " ", "a", "b", "abc", "Hello World", "a,b,c", "a-b_c", "1", "0", "-1", "1.5", "1e3", "0x10", "true", "false",
    "null", "é", "e\\u0301", "日本語", "👍🏽", "ß", "ſ", "ǆ", "line1\\nline2", "line1\\r\\nline2\\r\\n", "\\ttab", "a\\\\b",
    "quote\\\"d", "$${x}", "%%{if}", "%", "%d", "100%", "prod", "dev", "us-east-1", "  padded  ", "x=y&z", "UPPER",
    "camelCase", "<a&b>", "/", "a/b/c.txt", "\\u0000z", "İ", "aaa", "é/è", "0.1", "1_000", "+5", " 7", "1.0", "00012",
    "99999999999999999999", "t", "yes", "~", "[1]", "{}",
];

pub(crate) const NUMBERS: &[&str] = &[
    "0", "1", "2", "3", "-1", "-2", "10", "100", "3.7", "-2.5", "0.1", "0.2", "1e3", "1.5e-3", "1000000000000000000000",
    "123456789.123456789", "65", "255", "256", "-0", "0.5", "1.5", "2.5", "4294967296", "9007199254740993", "1e20",
    "0.000001", "12345678901234567890.5",
];

pub(crate) const INTS: &[&str] = &["0", "1", "2", "3", "4", "5", "8", "-1", "-2", "10", "16", "1.5", "\"2\"", "36", "62", "63"];

pub(crate) const FORMATS: &[&str] = &[
    "%s", "%d", "%v", "%q", "%5s|", "%-5s|", "%05d", "%x", "%X", "%o", "%b", "%e", "%f", "%.2f", "%g", "%t", "%%",
    "%s-%s", "%[1]s %[1]s", "%[2]s %[1]s", "%#v", "%+d", "%8.3f", "%d%%", "x", "%.1s", "%c", "%s %d", "%#x", "% d",
    "%03.1f", "%[1]q", "%v %v", "%-8v|", "%.3v", "%G", "%E", "%U", "%z", "%", "%[3]s",
];

pub(crate) const DATES: &[&str] = &[
    "2024-02-29T12:30:45Z", "2024-01-01T00:00:00+02:00", "1999-12-31T23:59:59-08:30", "2023-06-15T06:07:08.123Z", "2024-02-30T00:00:00Z", "bad",
    "0001-01-01T00:00:00Z", "2024-07-04T13:00:00Z",
];

pub(crate) const DATE_FORMATS: &[&str] = &[
    "YYYY-MM-DD", "DD MMM YYYY hh:mm ZZZ", "EEEE, DD-MMM-YY hh:mm:ss ZZZ", "HH:mm aa", "h'h'm'm'", "M/D/YY H:m:s AA", "Z ZZZZ ZZZZZ", "MMMM EEE",
    "YYYY''MM", "x", "'unclosed", "EE", "YYY", "hhmmss",
];

pub(crate) const DURATIONS: &[&str] = &["1h", "-30m", "1h30m15s", "10ms", "1.5h", "24h", "0s", "x", "1d", "+5m", "1000000h", "1us"];

pub(crate) const CIDRS: &[&str] =
    &["10.0.0.0/16", "192.168.1.0/24", "172.16.5.4/20", "0.0.0.0/0", "10.1.2.3/32", "10.0.0.0/8", "10.0.0.0", "bad/8", "10.0.0.0/33", "010.0.0.0/8"];

pub(crate) const CIDRS6: &[&str] = &["fd00:fd12:3456:7890::/56", "2001:db8::/32", "::/0", "fe80::1/128", "::ffff:1.2.3.4/120"];

pub(crate) const REGEXES: &[&str] = &[
    "[a-z]+", "(\\\\d+)", "(?P<first>[a-z])(?P<second>.)", "^a", "", ".", "([a-z])([0-9])?", "\\\\s+", "(", "(?i)ABC", "[^a]", "a|b", "x*", "\\\\bW",
    "/[a-c]/", "/(b)(c)/", "(a)|(b)", "\\\\p{L}+", "(?:a)(b)?",
];

pub(crate) const JSONS: &[&str] = &[
    "{\\\"a\\\":1,\\\"b\\\":[true,null]}", "[1,2.50,\\\"x\\\"]", "\\\"s\\\"", "1e400", "null", "{\\\"a\\\":1,\\\"a\\\":2}", "[]", "{}", "bad", "[1,]", "12345678901234567890",
    "\\\"\\\\u00e9\\\"", " true ", "{\\\"k\\\":{\\\"n\\\":-0.0}}", "", "[[],{}]", "01", "1 2", "\\\"\\\\ud83d\\\\ude00\\\"", "-", "1.", "tru",
];

pub(crate) const YAMLS: &[&str] = &[
    "a: 1\\nb:\\n  - x\\n  - 2.5", "- yes\\n- no\\n- ~\\n- 'q'", "1", "a: |\\n  text\\n  more", "{a: [1, 2], b: {c: d}}", "", "a: &x 1\\nb: *x",
    "0x1F", "0o17", "017", "2001-12-14", "1_000", "1e3", ".5", "a: b: c", "- - 1\\n  - 2", "? k\\n: v", "!!str 5", "x: !!int '7'", "a: 1\\na: 2",
    "---\\na: 1", "a: >\\n  folded\\n  text\\n", "<<: {a: 1}\\nb: 2", "\\\"\\\\x41\\\"", "on: off", "a: 1 # c", "12e03", "+1", "0b11", "null: x", "1: y", "true: z",
    "a: 'it''s'", "- .inf", "a:\\n\\tb: 1", "685_230.15", "190:20:30", "- !!float 1", "[a, [b]]", "a: \\\"x\\\\ny\\\"", "k: !t v", "--- 1\\n--- 2", "%YAML 1.1\\n---\\na: 1",
    "a: {b}", "'a': \\\"b\\\"", "-1.5e-3", "1.", "- ", "a:", "!!binary aGk=", "{1: 2, 3.5: 4}",
];

pub(crate) const CSVS: &[&str] = &["a,b\\n1,2\\n3,4", "a,b\\n\\\"x,y\\\",\\\"q\\\"\\\"z\\\"", "a\\n", "", "a,a\\n1,2", "a,b\\n1", "a,b\\r\\n1,2\\r\\n", "a\\n\\nb", " a , b\\n1,2", "a\\n\\\"x\\ny\\\"", "a\\nx\\\"y"];

pub(crate) const BASE64: &[&str] = &["aGVsbG8=", "", "w6k=", "/////w==", "aGVsbG8", "!!", "aGk=\\n", "AGEAYg==", "YQBiAA==", "_-8="];

pub(crate) const CHARSETS: &[&str] = &["UTF-8", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "US-ASCII", "utf8", "nope"];

pub(crate) const NAMESPACES: &[&str] = &["dns", "url", "oid", "x500", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "nope"];

pub(crate) const PATHS: &[&str] = &["data.txt", "./data.txt", "missing.txt", "sub/../data.txt", "t.tftpl", "utf8.txt"];
