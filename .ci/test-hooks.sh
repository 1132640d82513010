#!/usr/bin/env bash
# Runs the hooks of this repository with the real pre-commit program.
#   .ci/test-hooks.sh BINARY [WHEELS] [source]
# BINARY is a built portcullis. WHEELS is a folder with a wheel of this version and one of setuptools,
# for the hook that installs the wheel: nothing else is asked, since whatever an index has under that
# name is not what is tested. `source` also builds this revision, for minutes; pip fetches maturin for
# that, and MATURIN_PEP517_ARGS and CARGO_TARGET_DIR may make it quicker. Needs git and pre-commit.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "$1")
wheels=${2:+$(realpath "$2")}
source=${3:-}
command -v pre-commit >/dev/null || { echo "pre-commit is missing: pip install pre-commit"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PRE_COMMIT_HOME=$work/cache GIT_CONFIG_GLOBAL=$work/gitconfig
git config --global user.name test && git config --global user.email test@example.invalid
git config --global init.defaultBranch main
mkdir -p "$work/bin" "$work/project/app" "$work/project/other"
cp "$binary" "$work/bin/portcullis"
with_program=$work/bin:$PATH

cd "$work/project"
git init -q
cat >app/main.tf <<'TF'
variable "cidr" {}
resource "aws_security_group" "ssh" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = [var.cidr]
  }
}
TF
echo 'cidr = "10.0.0.0/8"' >app/terraform.tfvars
cp app/main.tf other/main.tf
echo 'cidr = "0.0.0.0/0"' >other/terraform.tfvars
echo 'a: 1' >values.yaml
git add . && git commit -qm start

passed=0
# expect CODE TEXT COMMAND...: the command ends with CODE and prints TEXT.
expect() {
  local want=$1 text=$2 code=0 out
  shift 2
  out=$("$@" 2>&1) || code=$?
  if [ "$code" != "$want" ] || ! grep -qF -- "$text" <<<"$out"; then
    printf 'FAILED: %s\nexit %s instead of %s, or no "%s" in:\n%s\n' "$*" "$code" "$want" "$text" "$out"
    exit 1
  fi
  passed=$((passed + 1))
}
# All that a hook has to do; the first argument is its id.
judge() {
  local try=(pre-commit try-repo "$repository" "$1" --verbose --files)
  expect 0 Passed "${try[@]}" app/main.tf app/terraform.tfvars
  # The file that is wrong is the variables', and the finding stands in the module: in context.
  expect 1 aws-ec2-sg-ingress-admin-ports-open "${try[@]}" other/terraform.tfvars
  expect 0 Passed "${try[@]}" values.yaml
  expect 0 "no files to check" "${try[@]}" .gitignore
}

# Without the program the hook says so; where one is installed, that cannot be seen.
command -v portcullis >/dev/null ||
  expect 1 "not found" pre-commit try-repo "$repository" portcullis --files app/main.tf
PATH=$with_program judge portcullis
if [ -n "$wheels" ]; then
  # The wheel alone: it is the program, and no compiler was needed.
  python3 -m venv "$work/venv"
  expect 0 "" "$work/venv/bin/pip" install --quiet --no-index --find-links "$wheels" portcullis-scan
  expect 1 aws-ec2-sg-ingress-admin-ports-open "$work/venv/bin/portcullis" scan other
  PIP_NO_INDEX=1 PIP_FIND_LINKS=$wheels judge portcullis-wheel
fi
# Each try builds anew: one has to do.
[ -z "$source" ] ||
  expect 1 aws-ec2-sg-ingress-admin-ports-open \
    pre-commit try-repo "$repository" portcullis-source --verbose --files other/terraform.tfvars

# As in everyday use: the hook is installed, a commit that opens a port is refused.
rev=$(git -C "$repository" rev-parse HEAD)
cat >.pre-commit-config.yaml <<YAML
repos:
  - repo: $repository
    rev: $rev
    hooks:
      - id: portcullis
YAML
export PATH=$with_program
expect 0 installed pre-commit install
echo 'cidr = "0.0.0.0/0"' >app/terraform.tfvars
git add .
expect 1 aws-ec2-sg-ingress-admin-ports-open git commit -m open
expect 1 aws-ec2-sg-ingress-admin-ports-open pre-commit run
echo 'cidr = "10.1.0.0/16"' >app/terraform.tfvars
git add .
expect 0 Passed git commit -m closed
expect 1 aws-ec2-sg-ingress-admin-ports-open pre-commit run --all-files
echo "$passed passed, 0 failed"
