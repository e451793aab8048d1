#!/usr/bin/env bash
# Who guards the guards: builds the program with each fault of src/sabotage.rs in turn, and shows that a test notices it.
#
#   tests/sabotage.sh [NAME...]
#
# Without names all faults are tried. Every guard is first run without a fault and must pass; then it must fail with its
# fault, within a minute. Writes a table in Markdown to standard output, as docs/torture.md has it, and ends with 1 when a
# fault was not noticed.
set -u
cd "$(dirname "$0")/.."

# Each fault, the tests that hold its guard (of the library, or of the whole program), and the guard.
guards='
intent-later             lib journal::tests::crash::a_kill_at_any_boundary_neither_repeats_nor_loses_a_step
not-synced               lib journal::sqlite::open::tests::every_sqlite_connection_uses_synchronous_full
window-halved            lib journal::tests::windows::after_a_kill_the_settle_window_includes_the_senders_full_timeout
look-up-ignored          lib journal::tests::settling::a_lost_response_is_settled_by_lookup_without_resending
unknown-is-absent        lib journal::tests::settling::an_ambiguous_lookup_parks_the_step_without_resending
wall-clock               lib journal::tests::windows::a_wall_clock_change_does_not_change_the_settle_window
stamp-not-renewed        lib journal::tests::settling::the_send_timestamp_is_fresh_despite_a_slow_disk
claim-skipped            lib journal::tests::two::two_processes_with_the_same_key_send_one_request
living-taken-for-dead    lib journal::tests::two::a_long_wait_for_another_process_names_its_run
sent-again-when-late     lib journal::tests::windows::a_timed_out_request_is_resent_only_with_late_resends_allowed
sent-again-after-yes     lib journal::tests::windows::a_success_without_content_is_looked_up_and_never_resent
sent-again-when-put-off  lib journal::tests::windows::a_rate_limited_request_is_looked_up_before_it_is_resent
outcome-later            lib journal::tests::windows::every_secret_result_is_on_disk_before_the_script_sees_it
record-forgotten         lib journal::tests::conformance::outcomes_and_refusals_are_replayed::in_a_file
ledger-not-written       lib journal::tests::conformance::a_ledger_entry_is_returned_without_a_request_to_the_platform::in_a_file
acts-forgotten           it  acts::the_same_command_sends_messages_only_for_new_rows
left-open-is-done        it  edited::a_step_in_doubt_is_not_resent_by_an_edited_script
run-not-locked           lib journal::tests::two::a_run_lock_is_exclusive_and_released_with_its_owner
epoch-ignored            lib journal::tests::two::a_paused_process_writes_nothing_after_its_run_was_taken_over
deaths-not-counted       lib journal::progress_notes::tests::unfinished_rows_are_found_by_the_next_owner_after_a_kill
log-not-folded           it  journal::a_database_copied_without_its_wal_has_every_credential
seal-off                 lib journal::tests::file::no_parameter_input_or_result_is_stored_in_plaintext
place-not-bound          lib journal::seal::tests::a_sealed_value_opens_only_with_its_key_and_context
change-repeated          lib transport::tests::answers::a_broken_connection_leaves_a_change_in_doubt
origin-ignored           it  custody::a_tenant_password_is_sent_to_another_host_only_with_secrets_to
echo-in-clear            it  custody::a_tenant_password_echoed_by_an_app_is_masked_in_every_run
redaction-off            it  leaks::no_canary_secret_appears_in_any_output_or_file
app-1-open               lib platforms::mobsted::tests::no_spelling_of_a_call_reaches_app_one
list-not-read-on         lib platforms::mobsted::tests::lists::a_tenant_created_by_others_after_listing_is_not_adopted
timeout-is-identity      it  edited::an_edited_script_repeats_a_finished_act_only_with_again
key-without-path         it  web::a_key_is_scoped_to_method_path_and_account
parked-is-finished       it  window::an_app_that_outlasts_the_settle_time_parks_and_is_found_later
read-only-off            it  modes::read_only_mode_refuses_changes_even_with_yes
every-file-trusted       it  profile::an_untrusted_project_file_cannot_run_commands_or_name_secrets
controls-in-clear        lib value::visible::tests::terminal_control_characters_are_escaped
memory-unbounded         lib script::tests::limits::a_native_call_over_the_memory_limit_is_refused_in_advance
nesting-unbounded        lib script::tests::limits::values_nested_beyond_the_limit_stop_the_script
library-acts             lib script::tests::libraries::no_attack_of_a_library_calls_an_operation
results-replaced         it  interrupt::ctrl_c_stops_reading_rows_and_keeps_earlier_results
'

# Runs one guard; 0 when its test ran and passed, 1 when it ran and failed.
guard() {
    local tests=(--lib)
    [[ "$1" == it ]] && tests=(--test it)
    timeout 60 cargo test --quiet --locked --features sabotage "${tests[@]}" -- --exact "$2" > "$log" 2>&1
    local code=$?
    case $code in
        0) grep -q '^test result: ok. 1 passed' "$log" || code=2 ;;
        124) ;;
        *) code=1 ;;
    esac
    return $code
}

log=target/sabotage.log
mkdir -p target
unset SABOTAGE
cargo test --quiet --locked --features sabotage --no-run || exit 1

declared=$(sed -nE 's/^    [A-Za-z0-9]+ = "([a-z0-9-]+)",$/\1/p' src/sabotage.rs | sort)
listed=$(awk 'NF { print $1 }' <<< "$guards" | sort)
if [[ "$declared" != "$listed" ]]; then
    echo "src/sabotage.rs and this list differ:" >&2
    diff <(echo "$declared") <(echo "$listed") >&2
    exit 1
fi

tried=0 found=0
echo "| fault | noticed by | seconds |"
echo "| --- | --- | --- |"
while read -r name kind test; do
    if [[ -z "$name" ]] || { (($#)) && [[ " $* " != *" $name "* ]]; }; then
        continue
    fi
    tried=$((tried + 1))
    if ! guard "$kind" "$test"; then
        echo "| $name | $test FAILS WITHOUT THE FAULT | |"
        continue
    fi
    started=$SECONDS
    SABOTAGE=$name guard "$kind" "$test"
    case $? in
        1) found=$((found + 1)); outcome="\`$test\`" ;;
        124) outcome="NOT NOTICED IN A MINUTE by $test" ;;
        *) outcome="NOT NOTICED by $test" ;;
    esac
    echo "| $name | $outcome | $((SECONDS - started)) |"
done <<< "$guards"

echo
echo "$found of $tried faults were noticed."
((found == tried))
