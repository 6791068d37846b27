#!/usr/bin/env bash
# Runs all tests in stages and prints the time of each; 15 to 31 minutes on two cores from a clean
# clone.
#
#   Launch/test.sh
#
# Root installs missing packages. If those of Python, Slurm or the emulator cannot be installed, it
# prints a line, and the tests that need them are skipped. ELECTRA_PYTHON names a Python with the
# packages of compare/requirements.txt; otherwise one is made in .build/python. The last line is
# `all tests passed` with the time, and names what was skipped: `..., without those of Slurm`. A
# failure ends the script at once with its message and a status other than 0.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"
# Another program must not be tested in place of this build.
unset ELECTRA_PROGRAM
# shellcheck source=environment.sh
. "$here/environment.sh"
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "test.sh: $*" >&2; exit 1; }

# skip TESTS SENTENCE: prints why tests are skipped; the last line names them.
skipped=()
skip() {
  skipped+=("$1")
  echo "$2"
}

# stage TITLE COMMAND...: runs a command between two title lines, the second with its time.
stage() {
  local title=$1 start=$SECONDS
  shift
  echo "=== $title"
  "$@"
  echo "=== $title: $((SECONDS - start)) s"
}

set_up() {
  "$here/setup.sh"
  [ "$("$here/setup.sh")" = "setup: nothing to install" ] || fail "setup.sh does not report that nothing is left to install"
}

# Sets ELECTRA_PYTHON, unless the user has set it or the packages cannot be installed.
install_python_packages() {
  local folder=.build/python
  [ -z "${ELECTRA_PYTHON:-}" ] || return 0
  python3 -m venv "$folder" >/dev/null 2>&1 \
    || { "$here/setup.sh" python3-venv && python3 -m venv "$folder"; } || true
  if [ -x "$folder/bin/pip" ] && "$folder/bin/pip" install -q -r "$here/compare/requirements.txt"; then
    export ELECTRA_PYTHON=$root/$folder/bin/python
  else
    skip Python "the Python packages cannot be installed: tests against transformers and TensorBoard are skipped"
  fi
}

install_slurm() {
  if [ "$(id -u)" -ne 0 ]; then
    skip "emulated hosts and Slurm" "emulated hosts and Slurm need root: their tests are skipped"
  else
    "$here/setup.sh" slurm-wlm slurm-client munge || skip Slurm "Slurm cannot be installed: its tests are skipped"
  fi
}

# Builds the tests and, for the release, the program with static libraries. Both at once: either
# build alone leaves a core idle half of the time.
build() {
  local release
  swift package resolve
  "$here/build.sh" "$work/electra" >"$work/build" 2>&1 &
  release=$!
  if ! swift build -c release --build-tests; then
    kill "$release" 2>/dev/null || true
    fail "the build failed"
  fi
  wait "$release" || { cat "$work/build" >&2; fail "build.sh failed"; }
}

# All ranks run the same tests and communicate in each. mpirun ends a hang after its time limit.
run_distributed() {
  local tests=$root/.build/release/electraPackageTests.xctest ranks passed
  for ranks in 1 2 3 4 6; do
    if ! mpirun --timeout 300 -np "$ranks" "$tests" --testing-library swift-testing --no-parallel \
        --filter 'TrainerTests|MetricsWindowTests|ExchangeTests|CommunicatorTests' >"$work/log" 2>&1; then
      grep -E '✘|rror|↳' "$work/log" >&2 || tail -n 40 "$work/log" >&2
      fail "the distributed tests failed on $ranks ranks"
    fi
    passed=$(grep -c 'Test run with .* passed' "$work/log" || true)
    [ "$passed" -eq "$ranks" ] || fail "only $passed of $ranks ranks report that their tests passed"
  done
}

# The README's first command, on the text of this repository and with 40 steps.
run_quickstart() {
  mkdir "$work/quickstart"
  find README.md Sources -name '*.md' -o -name '*.swift' | sort | xargs cat >"$work/quickstart/corpus.txt"
  "$here/quickstart.sh" "$work/quickstart" --steps 40 --warmup 10
}

# The program of an unpacked release must write the same weights as the other one; a second archive
# must have the same bytes.
run_release() {
  local model=checkpoints/step-00000040/model.safetensors release
  mkdir "$work/first" "$work/second"
  ELECTRA_PROGRAM=$work/electra "$here/release.sh" "$work/first"
  ELECTRA_PROGRAM=$work/electra "$here/release.sh" "$work/second" >/dev/null
  (cd "$work/second" && sha256sum --quiet --check "$work"/first/*.sha256)
  tar -xzf "$work"/first/*.tar.gz -C "$work"
  release=$(echo "$work"/electra-*-linux-x86_64*)
  (cd "$work/quickstart" && "$release/Launch/mpirun.sh" -np 2 pretrain --data data --output static --preset tiny \
    --steps 40 --warmup 10)
  cmp "$work/quickstart/run/$model" "$work/quickstart/static/$model"
}

# The script prints why it is skipped (status 77).
emulate_bfloat16() {
  local status=0
  "$here/lab/emulate-bfloat16.sh" || status=$?
  [ "$status" -eq 77 ] || return "$status"
  skipped+=("the emulator")
}

stage "setup.sh, twice" set_up
stage "Python packages" install_python_packages
stage "Slurm" install_slurm
stage "build" build
stage "all tests, on one rank" swift test -c release --skip-build
stage "AVX512-BF16 and AMX on an emulated processor" emulate_bfloat16
stage "distributed tests on 1 to 6 ranks" run_distributed
stage "random faults" "$here/lab/chaos.py" 6 1
stage "random faults in bfloat16" "$here/lab/chaos.py" 3 2 --objective electra --arithmetic bfloat16 \
  --exchange bfloat16 --exchange-level 2
stage "a short quickstart" run_quickstart
stage "a release for other hosts" run_release
list=$(IFS=,; echo "${skipped[*]:-}")
echo "all tests passed in $((SECONDS / 60)) min $((SECONDS % 60)) s${list:+, without those of ${list//,/, }}"
