#!/usr/bin/env bash
# Runs one scan that gives every report of the workflow: annotations, SARIF, the step summary.
# The step ends with the scan's exit code, after the reports are where they belong.
# In:  PORTCULLIS, SCAN_PATH, FAIL_ON, BASELINE, POLICY, PLAN, SINCE, ARGS (one a line), SARIF, and
#      the runner's RUNNER_TEMP, GITHUB_OUTPUT and GITHUB_STEP_SUMMARY.
# Out: the outputs `sarif` and `exit-code`.
set -euo pipefail

summary=$RUNNER_TEMP/portcullis-summary.md
rm -f "$summary" "$SARIF"
args=(scan --format github --format "sarif-github=$SARIF" --format "markdown-summary=$summary")
[ -z "${FAIL_ON:-}" ] || args+=(--fail-on "$FAIL_ON")
[ -z "${BASELINE:-}" ] || args+=(--baseline "$BASELINE")
[ -z "${POLICY:-}" ] || args+=(--policy "$POLICY")
[ -z "${PLAN:-}" ] || args+=(--plan "$PLAN")
[ -z "${SINCE:-}" ] || args+=(--since "$SINCE")
while IFS= read -r arg; do
  [ -z "$arg" ] || args+=("$arg")
done <<<"${ARGS:-}"

code=0
"$PORTCULLIS" "${args[@]}" -- "$SCAN_PATH" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ -f "$SARIF" ]; then
  echo "sarif=$SARIF" >>"$GITHUB_OUTPUT"
fi
if [ -f "$summary" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$summary" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
