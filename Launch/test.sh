#!/usr/bin/env bash
# Runs every test: installs what is missing, builds in release mode (numeric Swift without
# optimisation is a hundred times slower), runs all tests alone, then the distributed ones under
# mpirun on 1, 2, 3 and 4 ranks, then disturbs a small training. About six minutes on two cores from a
# clean clone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/setup.sh"
# shellcheck source=environment.sh
. "$here/environment.sh"
cd "$root"

swift build -c release --build-tests
swift test -c release --skip-build

# The same tests, with all ranks meeting in each. A hang ends after the time limit with status 110.
tests=$root/.build/release/electraPackageTests.xctest
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for ranks in 1 2 3 4; do
  echo "distributed tests on $ranks ranks"
  if ! mpirun --timeout 300 -np "$ranks" "$tests" --testing-library swift-testing --no-parallel \
      --filter 'TrainerTests|ExchangeTests|CommunicatorTests' >"$log" 2>&1; then
    grep -E '✘|rror|↳' "$log" >&2 || tail -n 40 "$log" >&2
    echo "the distributed tests failed on $ranks ranks" >&2
    exit 1
  fi
  passed=$(grep -c 'Test run with .* passed' "$log" || true)
  if [ "$passed" -ne "$ranks" ]; then
    echo "$passed of $ranks ranks say that their tests passed" >&2
    exit 1
  fi
done
echo "a short chaos"
"$here/lab/chaos.sh" 12 1
echo "all tests passed"
