#!/usr/bin/env bash
# Builds the last stage of the Dockerfile around a built program and runs the image, without a
# daemon and without a network. The first stage, which compiles, needs its base image and is left
# out: a program that is given stands for what it would leave.
#   .ci/test-image.sh BINARY
# BINARY needs no library of the machine (a musl build). Needs buildah and root.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "$1")
command -v buildah >/dev/null || { echo "buildah is missing"; exit 1; }
if readelf -d "$binary" | grep -q NEEDED; then
  echo "FAILED: $binary needs libraries: an image from scratch has none"
  exit 1
fi

work=$(mktemp -d)
image() { buildah --storage-driver vfs --root "$work/images" --runroot "$work/run" "$@"; }
trap 'image rm --all >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

# What is committed is the context, as on a build server.
mkdir "$work/context"
git -C "$repository" archive HEAD | tar -x -C "$work/context"
cp "$binary" "$work/context/portcullis"
{
  printf 'FROM scratch AS build\nCOPY portcullis /portcullis\n'
  sed -n '/^FROM scratch/,$p' "$work/context/Dockerfile"
} >"$work/Dockerfile"
image bud --isolation chroot --quiet --tag portcullis --file "$work/Dockerfile" "$work/context" >/dev/null
container=$(image from portcullis)

mkdir -p "$work/project/clean"
cat >"$work/project/main.tf" <<'TF'
resource "aws_security_group" "ssh" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
TF
echo 'locals { a = 1 }' >"$work/project/clean/main.tf"
chmod -R a+rX "$work/project"

# `buildah run` starts what it is told: what the image starts by itself is read from it.
words() { image inspect --type image --format "{{range .OCIv1.Config.$1}}{{.}} {{end}}" portcullis; }
read -ra entry <<<"$(words Entrypoint)"
read -ra default <<<"$(words Cmd)"

passed=0
# expect CODE TEXT ARGUMENT...: the image, started with these, ends with CODE and prints TEXT.
expect() {
  local want=$1 text=$2 code=0 out
  shift 2
  [ "$#" -gt 0 ] || set -- "${default[@]}"
  out=$(image run --isolation chroot --volume "$work/project:/src:ro" "$container" -- "${entry[@]}" "$@" 2>&1) || code=$?
  if [ "$code" != "$want" ] || ! grep -qF -- "$text" <<<"$out"; then
    printf 'FAILED: %s\nexit %s instead of %s, or no "%s" in:\n%s\n' "$*" "$code" "$want" "$text" "$out"
    exit 1
  fi
  passed=$((passed + 1))
}
expect 0 "portcullis " --version
expect 1 aws-ec2-sg-ingress-admin-ports-open
expect 0 "0 resources" scan clean
expect 2 "cannot be read" scan nowhere
expect 1 main.tf scan . --format json
echo "$passed passed, 0 failed"
