#!/usr/bin/env bash
# Builds everything with warnings as errors, checks the formatting and the test vectors, and runs all tests. Ends with "N passed, N failed, N skipped".
# With --native the sample that is compiled ahead of time is published and run, too, which takes a minute and a C compiler to link with.
# Needs the .NET SDK; installs the native libraries that the tests need where they are missing (Debian, apt).
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

install() { # packages
    echo "Installing $*"
    as_root apt-get update -qq >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

ldconfig -p | grep -q liblmdb.so.0 || install liblmdb0
command -v strace >/dev/null || install strace        # shows what a store has forced to the disk

native=false
[ "${1-}" != --native ] || native=true

echo "Building"
dotnet build Datacake.Data.sln --nologo -v quiet -p:TreatWarningsAsErrors=true

# The tests wait more than they compute, and are many threads each; so two projects run at a time.
echo "Running the tests"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
dotnet test --solution Datacake.Data.sln --no-build --no-progress --max-parallel-test-modules 2 | tee "$log" || status=$?
figure() { sed -nE "s/^ +$1: ([0-9]+)$/\1/p" "$log" | tail -1; }
passed=$(figure succeeded) failed=$(figure failed) skipped=$(figure skipped)
passed=${passed:-0} failed=${failed:-0} skipped=${skipped:-0}
# A project that crashed has no failed test.
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1

echo "Checking the formatting"
if ! dotnet format Datacake.Data.sln --verify-no-changes --no-restore; then
    echo "The formatting is not clean; run dotnet format."
    failed=$((failed + 1))
fi

publish_and_run() {
    dotnet publish samples/NativeAot -c Release --nologo -v quiet && samples/NativeAot/bin/Release/net10.0/*/publish/NativeAot
}

if $native; then
    echo "Compiling and running samples/NativeAot"
    command -v clang gcc >/dev/null || install gcc libc6-dev
    if publish_and_run; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

if command -v python3 >/dev/null && ! python3 tests/Models/vectors.py --check; then
    failed=$((failed + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
