#!/usr/bin/env bash
# Many rows: time and peak memory. Needs GNU time. Usage: benches/rows.sh [FILTER]
# FILTER is one of: stream, onboard, resume, memory. Builds nothing: run `cargo build --release` first.
set -euo pipefail
program=${PROVISOR:-$(dirname "$0")/../target/release/provisor}
program=$(realpath "$program")
scripts=$(realpath "$(dirname "$0")/../scripts")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
filter=${1:-}

rows() { # COUNT FILE
    awk -v n="$1" 'BEGIN { print "email,site,name"; for (i = 0; i < n; i++)
        printf "client%d@example.com,https://client%d.example,Client %d\n", i, i, i }' > "$2"
}

measure() { # TITLE WORDS...
    local title=$1; shift
    local code=0
    PROVISOR_HOME=$home /usr/bin/time -q -f "%e %M" -o "$work/time" "$program" "$@" > /dev/null 2> "$work/stderr" || code=$?
    [[ $code == "${expected:-0}" ]] || { echo "FAILED: $title"; tail -3 "$work/stderr"; exit 1; }
    read -r seconds kilobytes < "$work/time"
    awk -v t="$title" -v s="$seconds" -v k="$kilobytes" -v n="$count" \
        'BEGIN { printf "%-58s %8.1f s %9.0f rows/s %7.0f MB\n", t, s, n / s, k / 1024 }'
}

fresh() { home=$work/home-$RANDOM$RANDOM; }

cat > "$work/plain.rhai" <<'RHAI'
fn main(email, site, name) { #{ greeting: `Hello, ${name}!`, at: now() } }
RHAI

if [[ -z $filter || $filter == stream ]]; then
    for count in 5000 100000; do
        rows $count "$work/rows.csv"; fresh
        measure "$count rows, no platform, --jobs 8" run "$work/plain.rhai" --rows "$work/rows.csv" --out "$work/out.csv"
    done
fi

if [[ -z $filter || $filter == onboard ]]; then
    count=5000; rows $count "$work/rows.csv"
    # The sandbox is served by another process, so that only the client is measured.
    for jobs in 8 32 256; do
        fresh
        PROVISOR_HOME=$home "$program" sandbox serve > "$work/serve" 2>&1 & server=$!
        until grep -q serving "$work/serve" 2> /dev/null; do sleep 0.05; done
        measure "$count rows of onboard.rhai, --jobs $jobs" run "$scripts/onboard.rhai" --sandbox \
            --rows "$work/rows.csv" --out "$work/out.csv" --jobs $jobs
        measure "$count rows of onboard.rhai again, --jobs $jobs" run "$scripts/onboard.rhai" --sandbox \
            --rows "$work/rows.csv" --out "$work/out.csv" --jobs $jobs
        kill $server; wait $server 2> /dev/null || true; rm -f "$work/serve"
    done
fi

if [[ -z $filter || $filter == resume ]]; then
    count=100000; rows $count "$work/rows.csv"; fresh
    rm -f "$work/out.csv" "$work/out.csv.partial"
    PROVISOR_HOME=$home "$program" run "$work/plain.rhai" --rows "$work/rows.csv" --out "$work/out.csv" 2> "$work/stderr" & runner=$!
    until [[ $(wc -l < "$work/out.csv.partial" 2> /dev/null || echo 0) -ge 99000 ]]; do sleep 0.05; done
    kill -KILL $runner; wait $runner 2> /dev/null || true
    echo "killed with $(($(wc -l < "$work/out.csv.partial") - 1)) rows written; the journal has $(stat -c %s "$home/state/journal.db" "$home/state/journal.db-wal" | paste -sd+ | bc) bytes"
    measure "resume of that run" resume
    lines=$(wc -l < "$work/out.csv")
    [[ $lines -eq 100001 ]] || { echo "FAILED: $lines lines in the results"; exit 1; }
fi

# Does memory grow with the rows? For a script without a platform, and for one whose rows make two things each.
if [[ -z $filter || $filter == memory ]]; then
    halfway() { # WORDS...
        rm -f "$work/out.csv" "$work/out.csv.partial"
        PROVISOR_HOME=$home "$program" "$@" > /dev/null 2> "$work/stderr" & runner=$!
        until [[ $(wc -l < "$work/out.csv.partial" 2> /dev/null || echo 0) -ge $((count / 2)) ]]; do sleep 0.1; done
        kill -KILL $runner; wait $runner 2> /dev/null || true
    }
    for count in 5000 100000 1000000; do
        rows $count "$work/rows.csv"
        cat > "$work/tenth.rhai" <<'RHAI'
fn main(email, site, name) { let at = now(); if name.ends_with("9") { throw "later" } #{ at: at } }
RHAI
        plain=(run "$work/tenth.rhai" --rows "$work/rows.csv" --out "$work/out.csv" --jobs 8)
        fresh
        expected=8 measure "$count rows, one in ten fails" "${plain[@]}"
        measure "$count rows: resume --retry-failed --plan" resume --retry-failed --plan
        measure "$count rows: resume --retry-failed --plan --json" resume --retry-failed --plan --json
        rm -rf "$home"; fresh
        halfway "${plain[@]}"
        measure "$count rows, killed half way: resume --plan" resume --plan
        expected=8 measure "$count rows, killed half way: resume" resume
        rm -rf "$home"
    done
    for count in 5000 100000; do
        rows $count "$work/rows.csv"; fresh
        PROVISOR_HOME=$home "$program" sandbox serve > "$work/serve" 2>&1 & server=$!
        until grep -q serving "$work/serve" 2> /dev/null; do sleep 0.05; done
        onboard=(run "$scripts/onboard.rhai" --sandbox --rows "$work/rows.csv" --out "$work/out.csv" --jobs 32)
        measure "$count rows of onboard.rhai" "${onboard[@]}"
        sed -i 's/^client/other/' "$work/rows.csv"
        halfway "${onboard[@]}"
        measure "$count other rows of it, killed half way: resume" resume
        kill $server; wait $server 2> /dev/null || true; rm -rf "$home" "$work/serve"
    done
fi
