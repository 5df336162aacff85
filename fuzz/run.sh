#!/usr/bin/env bash
# Fuzzes without cargo-fuzz, on a stable compiler: coverage by LLVM's own pass, no sanitizer
# (the code has no unsafe blocks to sanitize).
# usage: fuzz/run.sh TARGET SECONDS
set -euo pipefail
cd "$(dirname "$0")"
target=$1
seconds=$2
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
cargo build --release --quiet --target "$host" --bin "$target"
mkdir -p "corpus/$target" "artifacts/$target"
"target/$host/release/$target" "corpus/$target" -artifact_prefix="artifacts/$target/" \
  -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1
