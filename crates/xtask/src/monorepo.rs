//! A generated repository of many modules: what a pre-commit hook is measured with.

use std::fmt::Write;
use std::path::Path;

/// Roots per module: one for so many of them.
const SHARE: usize = 20;

/// Writes a repository of `n` modules below `dir`, each of three files and a page of prose; for
/// every twenty there is a root that calls them and one module that all roots share. With `mixed`,
/// templates, nested ones too, manifests of another tool and data stand beside them.
pub(crate) fn write(dir: &Path, n: usize, mixed: bool) -> std::io::Result<()> {
    let put = |path: String, text: &str| {
        let path = dir.join(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, text)
    };
    put(".gitignore".into(), ".terraform/\n*.tfplan\n/build/\n")?;
    put(format!("{}/main.tf", module(0)), "output \"team\" {\n  value = \"platform\"\n}\n")?;
    for i in 1..n {
        let folder = module(i);
        put(format!("{folder}/main.tf"), &main(i))?;
        put(format!("{folder}/variables.tf"), VARIABLES)?;
        let outputs =
            format!("output \"arn\" {{\n  value = aws_s3_bucket.b.arn # of module {i}\n}}\n");
        put(format!("{folder}/outputs.tf"), &outputs)?;
        put(format!("{folder}/README.md"), &format!("# Module {i}\n\nA bucket and its group.\n"))?;
    }
    for root in 0..n.div_ceil(SHARE) {
        let folder = format!("live/{}/app{root:04}", ["dev", "stage", "production"][root % 3]);
        put(format!("{folder}/main.tf"), &calls(root, n))?;
        put(
            format!("{folder}/terraform.tfvars"),
            "ranges = [\"10.0.0.0/8\", \"172.16.0.0/12\"]\n",
        )?;
    }
    for i in 0..if mixed { n.div_ceil(10) } else { 0 } {
        put(format!("stacks/s{:02}/t{i:05}.yaml", i / 20), &crate::corpus::template(i, n / 10))?;
        let manifest = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app{i}\nspec:\n  replicas: 3\n"
        );
        put(format!("deploy/d{:02}/m{i:05}.yaml", i / 20), &manifest)?;
        let data: Vec<usize> = (0..2_000).map(|k| i * k).collect();
        put(format!("data/d{:02}/x{i:05}.json", i / 20), &format!("{{\"values\": {data:?}}}\n"))?;
    }
    Ok(())
}

fn module(i: usize) -> String {
    format!("modules/g{:02}/m{i:05}", i / 40)
}

const VARIABLES: &str = "variable \"name\" {\n  type        = string\n  description = \"What the resources are called\"\n}\n\nvariable \"ranges\" {\n  type    = list(string)\n  default = [\"10.0.0.0/8\"]\n}\n";

fn main(i: usize) -> String {
    let mut t = format!(
        "locals {{\n  name = \"${{var.name}}-{i}\"\n}}\n\nresource \"aws_s3_bucket\" \"b\" {{\n  bucket = local.name\n}}\n\nresource \"aws_s3_bucket_versioning\" \"b\" {{\n  bucket = aws_s3_bucket.b.id\n  versioning_configuration {{\n    status = \"Enabled\"\n  }}\n}}\n\nresource \"aws_security_group\" \"g\" {{\n  name = local.name\n  ingress {{\n    from_port   = 443\n    to_port     = 443\n    protocol    = \"tcp\"\n    cidr_blocks = var.ranges\n  }}\n}}\n"
    );
    // Some modules call the one before them: a change there reaches further.
    if i % 10 == 1 && i > 1 {
        let _ = write!(
            t,
            "\nmodule \"inner\" {{\n  source = \"../../g{:02}/m{:05}\"\n  name   = local.name\n}}\n",
            (i - 1) / 40,
            i - 1
        );
    }
    t
}

fn calls(root: usize, n: usize) -> String {
    let mut t = format!(
        "variable \"ranges\" {{\n  type = list(string)\n}}\n\nmodule \"shared\" {{\n  source = \"../../../{}\"\n}}\n",
        module(0)
    );
    for i in (root * SHARE).max(1)..(root * SHARE + SHARE).min(n) {
        let _ = write!(
            t,
            "\nmodule \"m{i}\" {{\n  source = \"../../../{}\"\n  name   = \"app{root}\"\n  ranges = var.ranges\n}}\n",
            module(i)
        );
    }
    t
}
