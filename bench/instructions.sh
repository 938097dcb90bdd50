#!/usr/bin/env bash
# Counts the instructions of each case of src/bin/instructions.rs, which takes valgrind and a minute.
# The output is recorded, so that a later change can be compared:
#
#     bench/instructions.sh >bench/instructions.txt && git diff bench/instructions.txt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

command -v valgrind >/dev/null || { echo "error: valgrind is missing" >&2; exit 1; }
cargo build --release --quiet --no-default-features --bin instructions
readonly PROGRAM=${CARGO_TARGET_DIR:-target}/release/instructions

echo "# Instructions of hopen-codec: see instructions.sh. $(rustc --version | cut -d ' ' -f 1,2), $(uname -m)"
for case in $("$PROGRAM"); do
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*counted*' \
        "$PROGRAM" "$case" 2>&1) || { echo "$log" >&2; exit 1; }
    printf '%-20s %12d\n' "$case" "$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log")"
done
