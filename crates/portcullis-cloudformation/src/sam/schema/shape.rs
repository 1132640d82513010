//! What a property may be.

use portcullis_syntax::node::{Node, NodeKind};

use crate::sam::build::is_call;
use crate::scalar;
use portcullis_core::Kind;

/// Kinds of value, a bit each.
type Kinds = u8;
const STRING: Kinds = 1;
const INTEGER: Kinds = 2;
const FLAG: Kinds = 4;
const SEQUENCE: Kinds = 8;
const MAPPING: Kinds = 16;
const ALL: Kinds = 31;

/// What a value may be, and what the items of a list and the members of a map may be.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    own: Kinds,
    items: Kinds,
    members: Kinds,
}

const fn of(own: Kinds) -> Shape {
    Shape { own, items: ALL, members: ALL }
}

pub(super) const ANY: Shape = of(ALL);
pub(super) const TEXT: Shape = of(STRING);
/// Whole numbers; the translator lets flags through.
pub(super) const NUMBER: Shape = of(INTEGER | FLAG);
pub(super) const BOOL: Shape = of(FLAG);
pub(super) const LIST: Shape = of(SEQUENCE);
const TEXTS: Shape = Shape { items: STRING, ..LIST };
/// Texts, or intrinsic functions that give them.
pub(super) const REFERENCES: Shape = Shape { items: STRING | MAPPING, ..LIST };
pub(super) const MAP: Shape = of(MAPPING);
pub(super) const TEXT_MAP: Shape = Shape { members: STRING, ..MAP };
pub(super) const NUMBER_MAP: Shape = Shape { members: INTEGER | FLAG | MAPPING, ..MAP };
pub(super) const MAPS: Shape = Shape { members: MAPPING, ..MAP };
pub(super) const TEXT_OR_MAP: Shape = of(STRING | MAPPING);
pub(super) const BOOL_OR_MAP: Shape = of(FLAG | MAPPING);
pub(super) const TEXT_OR_TEXTS: Shape = Shape { own: STRING | SEQUENCE, ..TEXTS };
pub(super) const TEXT_OR_REFERENCES: Shape = Shape { own: STRING | SEQUENCE, ..REFERENCES };
pub(super) const POLICIES: Shape = Shape { own: STRING | SEQUENCE | MAPPING, ..REFERENCES };

/// A property of a resource or event.
pub(super) struct Property {
    pub(super) name: &'static str,
    shape: Shape,
    /// Whether it has to be there.
    pub(super) needed: bool,
    /// Whether an intrinsic function may stand for it.
    call: bool,
}

/// One that may be left out.
pub(super) const fn plain(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, needed: false, call: true }
}

/// One that has to be there.
pub(super) const fn needed(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, needed: true, call: true }
}

/// One that no intrinsic function may stand for.
pub(super) const fn whole(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, needed: false, call: false }
}

impl Property {
    /// Whether a value that is not null is one of this property's.
    pub(super) fn takes(&self, value: &Node) -> bool {
        if is_call(value) && (self.call || self.shape.own & MAPPING != 0) {
            return true;
        }
        let Shape { own, items, members } = self.shape;
        let fits = |n: &Node, kinds: Kinds| kinds == ALL || kinds & kind(n) != 0;
        fits(value, own)
            && value.as_seq().is_none_or(|list| list.iter().all(|n| fits(n, items)))
            && value.as_map().is_none_or(|map| map.iter().all(|(_, n)| fits(n, members)))
    }

    /// Whether text is one of the things it takes.
    pub(super) fn takes_text(&self) -> bool {
        self.shape.own & STRING != 0
    }

    /// What it takes, for people.
    pub(super) fn expected(&self) -> String {
        let words = [
            (STRING, "text"),
            (INTEGER, "a whole number"),
            (FLAG, "true or false"),
            (SEQUENCE, "a list"),
            (MAPPING, "a map"),
        ];
        let own = match self.shape.own {
            kinds if kinds & INTEGER != 0 => kinds & !FLAG,
            kinds => kinds,
        };
        let listed: Vec<&str> =
            words.iter().filter(|(k, _)| own & k != 0).map(|(_, word)| *word).collect();
        let of = match (self.shape.items, self.shape.members) {
            (STRING, _) | (_, STRING) => " of texts",
            (_, MAPPING) => " of maps",
            _ => "",
        };
        format!("{}{of}", listed.join(" or "))
    }
}

fn kind(node: &Node) -> Kinds {
    match &node.kind {
        NodeKind::Seq(_) => SEQUENCE,
        NodeKind::Map(_) => MAPPING,
        NodeKind::Scalar(text, style) => match scalar::kind(text, *style) {
            Kind::Bool(_) => FLAG,
            Kind::Num(n) if n.is_integer() => INTEGER,
            Kind::Str(_) => STRING,
            _ => 0,
        },
    }
}
