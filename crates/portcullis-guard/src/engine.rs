//! The only place that calls cfn-guard.
//!
//! Its payload entry point is used, with structured output into memory: the others lose all but the
//! last 8 KiB of a report, or read files. Panics are caught here and become errors.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cfn_guard::commands::Executable;
use cfn_guard::commands::validate::{OutputFormatType, ShowSummaryType};
use cfn_guard::utils::reader::{ReadBuffer, Reader};
use cfn_guard::utils::writer::{WriteBuffer, Writer};
use cfn_guard::{CommandBuilder, ParseTreeBuilder, ValidateBuilder};
use serde_json::{Value as Json, json};

/// The exit status by which cfn-guard says that a rule file did not parse.
const BROKEN_RULES: i32 = 5;

/// The parse tree of a rule file; `null` for a file of nothing but comments. An error is
/// cfn-guard's own text, which names line and column.
pub(crate) fn parse(text: &str) -> Result<Json, String> {
    let (_, out) = run(text.as_bytes().to_vec(), |writer, reader| {
        ParseTreeBuilder::default().print_json(true).try_build()?.execute(writer, reader)
    })?;
    read(&out)
}

/// The report of several rule files on one document. One file that cannot be evaluated makes the
/// whole call an error.
pub(crate) fn validate(rules: &[&str], document: &str) -> Result<Json, String> {
    let payload = json!({ "rules": rules, "data": [document] }).to_string();
    let (code, out) = run(payload.into_bytes(), |writer, reader| {
        ValidateBuilder::default()
            .payload(true)
            .structured(true)
            .show_summary(vec![ShowSummaryType::None])
            .output_format(OutputFormatType::JSON)
            .try_build()?
            .execute(writer, reader)
    })?;
    if code == BROKEN_RULES {
        return Err("the rules do not parse".to_owned());
    }
    read(&out)
}

fn run(
    input: Vec<u8>,
    command: impl FnOnce(&mut Writer, &mut Reader) -> Result<i32, cfn_guard::Error>,
) -> Result<(i32, String), String> {
    let attempt = || -> Result<(i32, String), cfn_guard::Error> {
        let memory = || WriteBuffer::Vec(Vec::new());
        let mut writer = Writer::new_with_err(memory(), memory())?;
        let mut reader = Reader::new(ReadBuffer::Cursor(Cursor::new(input)));
        let code = command(&mut writer, &mut reader)?;
        Ok((code, writer.into_string()?))
    };
    match catch_unwind(AssertUnwindSafe(attempt)) {
        Ok(done) => done.map_err(|e| e.to_string()),
        Err(_) => Err("the Guard engine stopped unexpectedly".to_owned()),
    }
}

/// Reads the engine's output, whose depth follows from that of rules and document, both bounded.
fn read(json: &str) -> Result<Json, String> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.disable_recursion_limit();
    match reader.into_iter::<Json>().next() {
        Some(value) => value.map_err(|e| e.to_string()),
        None => Err("the Guard engine wrote nothing".to_owned()),
    }
}
