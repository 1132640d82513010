//! Formats that other systems take: what they say, within which limits, and that other people's
//! texts break nothing.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod asff;
mod common;
mod in_toto;
mod ocsf;
mod oscal;
mod routing;
mod validators;
