#!/usr/bin/env bash
# From start to end of the smallest script, beside `true` and the bare program. Needs hyperfine.
set -euo pipefail
program=${PROVISOR:-$(dirname "$0")/../target/release/provisor}
program=$(realpath "$program")
scripts=$(realpath "$(dirname "$0")/../scripts")
PROVISOR_HOME=$(mktemp -d)
export PROVISOR_HOME
trap 'rm -rf "$PROVISOR_HOME"' EXIT
# The first run makes the key and the journal.
"$program" run "$scripts/hello.rhai" > /dev/null
hyperfine --shell=none --warmup 20 --runs 200 --style basic \
    true "$program --version" "$program run $scripts/hello.rhai" "$program run $scripts/hello.rhai --name Ann --json" \
    2> /dev/null
