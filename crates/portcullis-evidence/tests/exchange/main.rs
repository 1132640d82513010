//! Formats that other systems take: what they say, within which limits, and that other people's
//! texts break nothing.

mod asff;
mod common;
mod in_toto;
mod ocsf;
mod oscal;
mod routing;
mod validators;
