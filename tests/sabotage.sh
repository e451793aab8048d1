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
not-synced               lib journal::sqlite::open::tests::every_connection_waits_for_the_disk
window-halved            lib journal::tests::windows::after_a_kill_a_request_has_as_long_to_land_as_its_sender_would_have_waited
look-up-ignored          lib journal::tests::settling::a_lost_answer_is_found_and_nothing_is_sent_again
unknown-is-absent        lib journal::tests::settling::an_unclear_look_up_parks_and_sends_nothing
wall-clock               lib journal::tests::windows::a_clock_that_is_set_in_the_middle_neither_ends_the_window_nor_lengthens_it
stamp-not-renewed        lib journal::tests::settling::the_stamp_is_no_older_when_the_disk_takes_its_time
claim-skipped            lib journal::tests::two::one_acts_and_the_other_waits_for_its_outcome
living-taken-for-dead    lib journal::tests::two::who_waits_long_for_another_process_says_for_which
sent-again-when-late     lib journal::tests::windows::a_lost_slow_request_is_sent_again_only_where_that_is_safe
sent-again-after-yes     lib journal::tests::windows::a_bare_yes_is_looked_for_and_never_sent_again
sent-again-when-put-off  lib journal::tests::windows::what_is_put_off_is_looked_up_before_it_is_sent_again
outcome-later            lib journal::tests::windows::a_secret_is_on_disk_before_the_script_sees_it_whatever_brought_it
record-forgotten         lib journal::tests::conformance::outcomes_and_refusals_are_replayed::in_a_file
ledger-not-written       lib journal::tests::conformance::the_ledger_answers_instead_of_the_platform::in_a_file
acts-forgotten           it  acts::the_same_command_sends_messages_only_for_new_rows
left-open-is-done        it  edited::a_step_in_doubt_that_an_edited_script_asks_for_otherwise_is_not_sent_again
run-not-locked           lib journal::tests::two::a_run_has_one_owner_and_a_dead_one_is_none
deaths-not-counted       lib journal::under_way::tests::rows_that_had_not_ended_are_found_by_the_next_owner
log-not-folded           it  journal::a_copy_of_the_database_alone_has_every_credential_of_runs_that_ended
seal-off                 lib journal::tests::file::nothing_that_is_given_or_answered_is_in_clear
place-not-bound          lib journal::seal::tests::a_sealed_value_opens_only_in_its_place_and_with_its_key
change-repeated          lib transport::tests::answers::a_broken_connection_leaves_a_change_in_doubt
origin-ignored           it  custody::a_tenants_password_goes_to_no_other_host_until_the_profile_allows_it
echo-in-clear            it  custody::an_app_that_holds_a_tenants_password_shows_it_neither_now_nor_later
redaction-off            it  leaks::no_canary_is_found_in_anything_that_is_said_or_kept
app-1-open               lib platforms::mobsted::tests::no_spelling_of_a_call_reaches_app_one
list-not-read-on         lib platforms::mobsted::tests::lists::a_tenant_that_appeared_after_the_list_was_read_is_not_taken_for_ours
timeout-is-identity      it  edited::an_edited_script_does_a_done_act_again_only_when_told_so
key-without-path         it  web::a_key_names_a_thing_by_method_and_path_in_one_account
parked-is-finished       it  window::an_app_that_takes_longer_than_anybody_waits_parks_its_row_and_is_found_later
read-only-off            it  modes::read_only_lets_nothing_through_and_yes_changes_nothing_about_that
every-file-trusted       it  profile::a_projects_file_names_no_program_and_no_place_before_it_is_trusted
controls-in-clear        lib value::visible::tests::what_steers_a_terminal_is_shown
memory-unbounded         lib script::tests::limits::a_native_call_that_would_make_too_much_is_not_begun
nesting-unbounded        lib script::tests::limits::values_that_lie_in_each_other_without_end_stop_the_script
results-replaced         it  interrupt::many_rows_are_not_read_to_their_end_and_earlier_results_stay
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
