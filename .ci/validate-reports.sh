#!/usr/bin/env bash
# Checks the SARIF of folders with Microsoft's validator and GitHub's rules, beside what the tests
# check by themselves.
#   .ci/validate-reports.sh BINARY FOLDER...
# Needs npm, for @microsoft/sarif-multitool, and Linux.
set -euo pipefail
binary=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm init -y >/dev/null && npm install --silent @microsoft/sarif-multitool)
tool=$(find "$work/node_modules" -name Sarif.Multitool -type f | head -n 1)
chmod u+x "$tool"
passed=0 failed=0
for folder in "$@"; do
  for format in "sarif-github" "sarif --include-passed"; do
    file=$work/$((passed + failed)).sarif
    code=0
    # shellcheck disable=SC2086 # an option is part of the format
    (cd "$folder" && "$binary" scan . --profile strict --no-progress --allow-empty --quiet --format $format >"$file" 2>/dev/null) || code=$?
    if [ "$code" = 2 ]; then
      echo "FAILED: $folder: exit 2"
      failed=$((failed + 1))
      continue
    fi
    "$tool" validate "$file" --rule-kind 'Sarif;Ghas' --level 'Error;Warning' --kind Fail \
      --output "$file.result" --log ForceOverwrite >"$file.log" 2>&1 || true
    # The validator's own result is a SARIF file: what is in it is what it complains of.
    complaints=$(grep -c '"ruleId"' "$file.result" || true)
    if ! [ -s "$file.result" ] || [ "$complaints" != 0 ]; then
      echo "FAILED: $folder ($format)"
      tail -n 20 "$file.log"
      failed=$((failed + 1))
    else
      passed=$((passed + 1))
    fi
  done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
