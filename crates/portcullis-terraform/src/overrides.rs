//! How the blocks of an override file change those they name.
//!
//! Rules: <https://developer.hashicorp.com/terraform/language/files/override>.

use std::sync::Arc;

use portcullis_core::Diagnostic;
use portcullis_syntax::hcl::{Attribute, Block, Body};

use crate::module::{Module, check_labels, label, provider_name, resource_name};

/// Merges an override file into the module.
pub(crate) fn merge(module: &mut Module, body: Body) {
    for block in body.blocks {
        if !check_labels(&block, &mut module.diagnostics) {
            continue;
        }
        let name: Arc<str> = Arc::from(label(&block, 0));
        let base = match &*block.kind {
            "resource" | "data" | "ephemeral" => module.resources.find_mut(&resource_name(&block)),
            "variable" => module.variables.find_mut(&name),
            "output" => module.outputs.find_mut(&name),
            "module" => module.calls.find_mut(&name),
            "provider" => module.providers.find_mut(&provider_name(&block)),
            "locals" => {
                merge_locals(module, block.body);
                continue;
            }
            _ => continue,
        };
        match base {
            Some(base) => merge_block(base, block),
            None => module.diagnostics.push(
                Diagnostic::error(
                    block.header,
                    format!("nothing to override: no {} of this name is declared", block.kind),
                )
                .with_help("an override file changes blocks that other files declare"),
            ),
        }
    }
}

fn merge_locals(module: &mut Module, body: Body) {
    for a in body.attributes {
        match module.locals.find_mut(&a.name) {
            Some(base) => *base = a,
            None => module.diagnostics.push(Diagnostic::error(
                a.name_span,
                format!("nothing to override: no local value {} is declared", a.name),
            )),
        }
    }
}

/// Arguments replace those of the same name; nested blocks replace all of the same type, apart
/// from `lifecycle`, which merges by argument.
fn merge_block(base: &mut Block, over: Block) {
    merge_attributes(&mut base.body.attributes, over.body.attributes);
    let (lifecycle, rest): (Vec<Block>, Vec<Block>) =
        over.body.blocks.into_iter().partition(|b| &*b.kind == "lifecycle");
    let replaced: Vec<Arc<str>> = rest.iter().map(produced).collect();
    base.body.blocks.retain(|b| !replaced.contains(&produced(b)));
    base.body.blocks.extend(rest);
    for block in lifecycle {
        match base.body.blocks.iter_mut().find(|b| &*b.kind == "lifecycle") {
            Some(old) => merge_attributes(&mut old.body.attributes, block.body.attributes),
            None => base.body.blocks.push(block),
        }
    }
}

fn merge_attributes(base: &mut Vec<Attribute>, over: Vec<Attribute>) {
    for a in over {
        base.retain(|b| b.name != a.name);
        base.push(a);
    }
}

/// The type of block that a block yields: a dynamic block yields blocks of its label.
fn produced(block: &Block) -> Arc<str> {
    match block.labels.first() {
        Some((name, _)) if &*block.kind == "dynamic" => name.clone(),
        _ => block.kind.clone(),
    }
}
