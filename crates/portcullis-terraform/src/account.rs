//! The account and the region that a configuration is deployed to, where the caller names them:
//! what `data.aws_caller_identity` and `data.aws_region` answer.
//!
//! Facts: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/caller_identity>,
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/region>.
//! Deliberately absent: a provider configuration with an alias, whose account nobody named, and the
//! caller's name (`arn`, `user_id`).

use portcullis_core::{How, OriginId, Span, Value};
use portcullis_syntax::hcl::Block;

use crate::inputs::Input;
use crate::module::label;
use crate::resolver::Resolver;
use crate::scope::ModId;

/// The names under which the caller gives both, as templates have them.
const ACCOUNT: &str = "AWS::AccountId";
const REGION: &str = "AWS::Region";

impl Resolver<'_> {
    /// An attribute of a data source about where the configuration is deployed; `None` where that
    /// is not known, and for every other data source.
    pub(crate) fn deployed_to(&self, m: ModId, block: &Block, name: &str) -> Option<Value> {
        if &*block.kind != "data" {
            return None;
        }
        match (label(block, 0), name) {
            ("aws_caller_identity", "account_id" | "id") => {
                self.provider_named(m, block)?.is_default().then(|| self.named(ACCOUNT))?
            }
            ("aws_region", "name" | "region" | "id") => {
                // One that is written looks up another region.
                let asked = ["name", "region", "endpoint"];
                if asked.iter().any(|a| block.body.attribute(a).is_some()) {
                    return None;
                }
                let provider = self.provider_named(m, block)?;
                let written = provider
                    .place
                    .and_then(|(owner, i)| self.provider_body(owner, i).get("region").cloned());
                match written.filter(|v| v.as_str().is_some()) {
                    Some(region) => Some(self.through(region, block.header, How::Provider)),
                    None => provider.is_default().then(|| self.named(REGION))?,
                }
            }
            _ => None,
        }
    }

    /// What the caller gave under a name that no variable can have.
    fn named(&self, name: &str) -> Option<Value> {
        let Input::Text(file) = self.inputs.values.get(name)? else { return None };
        let text = self.files.sources().get(*file).text.clone();
        let span = Span::new(*file, 0, u32::try_from(text.len()).unwrap_or(u32::MAX));
        Some(Value::str(text, self.hop(span, How::CommandLine, OriginId::NONE)))
    }
}
