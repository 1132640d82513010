//! What made a report, when, and whose clock said so.

use portcullis_evidence::Made;

use super::Report;
use crate::date;
use crate::fail::Fail;

/// The moment: `SOURCE_DATE_EPOCH`, else the beginning of `--as-of`, else now. The rules' digest is
/// for the caller to say.
pub(crate) fn made(options: &Report) -> Result<Made, Fail> {
    let as_of = date::as_of(options.shared.as_of.as_deref())?;
    let (clock, time) = match (date::epoch()?, &options.shared.as_of) {
        (Some(seconds), _) => ("SOURCE_DATE_EPOCH", date::moment(seconds)),
        (None, Some(day)) => ("--as-of", format!("{day}T00:00:00Z")),
        (None, None) => ("system clock", date::moment(date::now())),
    };
    Ok(Made {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        rules_digest: String::new(),
        time,
        clock: clock.to_owned(),
        as_of,
        own: Vec::new(),
    })
}
