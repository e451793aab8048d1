#!/usr/bin/env bash
# Runs the whole suite again and again: a test that fails now and then is found here, and not by somebody else.
#
#   tests/repeat.sh [-n TIMES] [FILTER...]
#
# TIMES is 20 when not given. In every second pass two busy processes run beside the suite. What follows goes to
# `cargo test`: tests/repeat.sh -n 6 repl::
# Ends with a table, and with 1 when a pass has failed; the output of failed passes stays in target/repeat.
set -u
cd "$(dirname "$0")/.."

times=20
if [[ "${1:-}" == "-n" ]]; then
    times="${2:?a number follows -n}"
    shift 2
fi

suite=(cargo test --locked --no-fail-fast "$@")

logs=target/repeat
rm -rf "$logs"
mkdir -p "$logs"

# The first pass would otherwise measure the compiler.
"${suite[@]}" --no-run || exit 1

busy=()
begin_load() {
    for _ in 1 2; do
        while :; do :; done &
        busy+=("$!")
    done
}
end_load() {
    for pid in "${busy[@]}"; do
        kill "$pid" 2> /dev/null
        wait "$pid" 2> /dev/null
    done
    busy=()
}
trap end_load EXIT

failed=0
rows=()
for ((pass = 1; pass <= times; pass++)); do
    beside=none
    if ((pass % 2 == 0)); then
        beside="two busy"
        begin_load
    fi
    log="$logs/$pass.log"
    started=$SECONDS
    "${suite[@]}" > "$log" 2>&1
    code=$?
    end_load
    names=$(sed -nE 's/^test (.*) \.\.\. FAILED$/\1/p' "$log" | sort -u | paste -sd, -)
    if ((code == 0)); then
        result=passed
        rm -f "$log"
    else
        result=FAILED
        failed=$((failed + 1))
        [[ -n "$names" ]] || names="see $log"
    fi
    rows+=("$(printf '%4d  %-8s  %6ds  %-6s  %s' "$pass" "$beside" "$((SECONDS - started))" "$result" "$names")")
    echo "${rows[-1]}"
done

printf '\npass  beside    seconds  result  failed tests\n'
printf '%s\n' "${rows[@]}"
printf '%d of %d passes failed\n' "$failed" "$times"
((failed == 0))
