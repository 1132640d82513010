//! `data.cloudinit_config`: parts of user data put together, which needs no account.
//!
//! Facts: <https://registry.terraform.io/providers/hashicorp/cloudinit/latest/docs/data-sources/config>
//! and `internal/provider/cloudinit_config.go` of that provider, which writes the parts with Go's
//! `mime/multipart`: header fields by name, a line feed alone behind the first line.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::{How, Map, OriginId, Value, Why, WhyKind};

use crate::resolver::{Node, Resolver};
use crate::scope::ModId;
use crate::unknowns::{derived, not_null};

/// The boundary between parts when none is given.
const BOUNDARY: &str = "MIMEBOUNDARY";

impl Resolver<'_> {
    /// `rendered` of an instance: text where everything in it is known and it is not compressed.
    pub(crate) fn cloudinit(&self, m: ModId, i: usize, n: usize) -> Value {
        let instance = self.instance(m);
        let Some(block) = instance.module.resources.list.get(i) else { return Value::null() };
        self.value_once(Node::Document(m, i, n), block.header, || {
            let body = self.body_of(m, i, n);
            let Some(map) = body.as_map() else { return body };
            let origin = self.hop(block.header, How::Data, OriginId::NONE);
            if !body.is_wholly_known() {
                return not_null(derived([&body], origin));
            }
            // Compressed unless it says otherwise.
            let on = |name: &str| {
                map.get(name).and_then(Value::scalar_text).is_none_or(|text| &*text != "false")
            };
            if on("gzip") {
                let text = "the bytes of gzip depend on the compressor";
                let why = Why::at(WhyKind::Unsupported, text, block.header);
                return not_null(Value::unknown(why, origin));
            }
            let text = rendered(map);
            let text = if on("base64_encode") { STANDARD.encode(text) } else { text };
            Value::str(text, origin)
        })
    }
}

fn rendered(map: &Map) -> String {
    let given = map.get("boundary").and_then(Value::scalar_text);
    let boundary = given.as_deref().unwrap_or(BOUNDARY);
    let mut out = format!(
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\nMIME-Version: 1.0\r\n\r\n"
    );
    let parts = map.get("part").map_or(&[][..], |v| v.as_list().unwrap_or(std::slice::from_ref(v)));
    for (i, part) in parts.iter().enumerate() {
        let text = |name: &str| {
            part.get(name).and_then(Value::scalar_text).filter(|text| !text.is_empty())
        };
        // Writing to a string cannot fail.
        let _ = write!(out, "{}--{boundary}\r\n", if i > 0 { "\r\n" } else { "" });
        if let Some(name) = text("filename") {
            let _ = write!(out, "Content-Disposition: attachment; filename=\"{name}\"\r\n");
        }
        let kind = text("content_type");
        let kind = kind.as_deref().unwrap_or("text/plain");
        let _ = write!(
            out,
            "Content-Transfer-Encoding: 7bit\r\nContent-Type: {kind}\r\nMime-Version: 1.0\r\n"
        );
        if let Some(how) = text("merge_type") {
            let _ = write!(out, "X-Merge-Type: {how}\r\n");
        }
        let _ = write!(out, "\r\n{}", text("content").as_deref().unwrap_or_default());
    }
    let _ = write!(out, "\r\n--{boundary}--\r\n");
    out
}
