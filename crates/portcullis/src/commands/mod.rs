//! The commands beside `scan`.

pub(crate) mod inspect;
pub(crate) mod rules;
pub(crate) mod test;
