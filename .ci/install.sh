#!/usr/bin/env bash
# Installs the release that the action names and says where it is. The only network use is the
# release's archive and, unless its digest is given, the release's list of digests.
# In:  VERSION, SHA256, BINARY, and the runner's RUNNER_TEMP and GITHUB_OUTPUT.
# Out: the output `binary`.
set -euo pipefail

if [ -n "${BINARY:-}" ]; then
  binary=$(command -v "$BINARY") || { echo "::error title=Portcullis::no program $BINARY"; exit 2; }
  echo "binary=$binary" >>"$GITHUB_OUTPUT"
  exit 0
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) target=x86_64-unknown-linux-musl ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  MINGW*-x86_64 | MSYS*-x86_64) target=x86_64-pc-windows-msvc ;;
  *)
    echo "::error title=Portcullis::no release for $(uname -s) on $(uname -m)"
    exit 2
    ;;
esac
case "$VERSION" in
  "" | *[!0-9A-Za-z.-]*)
    echo "::error title=Portcullis::'$VERSION' is no version"
    exit 2
    ;;
esac

base=${RELEASES:-https://github.com/portcullis-scan/portcullis/releases/download}/v$VERSION
file=portcullis-$VERSION-$target.tar.gz
folder=$RUNNER_TEMP/portcullis-$VERSION
mkdir -p "$folder"
cd "$folder"
get() { curl --silent --show-error --fail --location --retry 3 --output "$2" "$1"; }
get "$base/$file" "$file"
if [ -n "${SHA256:-}" ]; then
  echo "$SHA256  $file" >expected
else
  get "$base/SHA256SUMS" SHA256SUMS
  grep "[ *]$file\$" SHA256SUMS >expected || { echo "::error title=Portcullis::SHA256SUMS lacks $file"; exit 2; }
fi
if command -v sha256sum >/dev/null; then sha256sum --check --status expected; else shasum -a 256 --check --status expected; fi ||
  { echo "::error title=Portcullis::$file is not what was published: its digest differs"; exit 2; }
tar -xzf "$file"
binary=$folder/portcullis
[ -x "$binary" ] || binary=$folder/portcullis.exe
"$binary" --version
echo "binary=$binary" >>"$GITHUB_OUTPUT"
