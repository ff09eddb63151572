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
command -v chromium chromium-browser google-chrome >/dev/null || ! command -v apt-get >/dev/null || install --no-install-recommends chromium fonts-dejavu-core    # shows the dashboard and the Shop

if [ -z "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] && command -v apt-get >/dev/null; then
    # The tests start servers of their own. Without this line, the package would start one, too.
    as_root install -d /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee -a /etc/postgresql-common/createcluster.conf >/dev/null
    install --no-install-recommends postgresql
fi

native=false
[ "${1-}" != --native ] || native=true

echo "Building"
# One compiler serves all projects, which takes half of the time, whatever the environment says. It ends with the build.
dotnet build Datacake.Data.sln --nologo -v quiet -p:TreatWarningsAsErrors=true -p:UseSharedCompilation=true
dotnet build-server shutdown --vbcscompiler >/dev/null

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run() { # name, command
    local status=0
    "${@:2}" >"$logs/$1" 2>&1 || status=$?
    echo "$status" >"$logs/$1.status"
}

# Each project is a program of its own. Two run at a time: the tests wait about as much as they compute, and are many threads each; a third program was no faster. The
# longest begin first, so that none of them runs alone at the end.
longest=(Datacake.Operations.Tests Datacake.Packages.Tests Datacake.EventualConsistency.Tests Datacake.Data.Analyzers.Tests Datacake.Data.Tests)

in_order() {
    printf '%s\n' "${longest[@]}"
    for project in tests/*.Tests; do basename "$project"; done
}

echo "Checking the formatting, and running the tests"
# White space alone: the build checks the code style, and a convention test the order of using directives.
run format dotnet format whitespace . --folder --verify-no-changes --exclude "**/obj/**" &
for name in $(in_order | awk '!seen[$0]++'); do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
    run "$name" dotnet "tests/$name/bin/Debug/net10.0/$name.dll" -noColor &
done
wait

passed=0 failed=0 skipped=0
for project in tests/*.Tests; do
    name=$(basename "$project")
    log=$logs/$name
    status=$(<"$log.status")
    summary=$(grep -E "^ +$name +Total: " "$log" || true)
    if [ -z "$summary" ]; then
        echo "$name did not finish (exit code $status):"
        cat "$log"
        failed=$((failed + 1))
        continue
    fi
    echo "$summary"
    figure() { sed -E "s/.*$1: ([0-9]+).*/\1/" <<<"$summary"; }
    bad=$(($(figure Failed) + $(figure Errors)))
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ "$bad" -eq 0 ] || cat "$log"
    skipped=$((skipped + $(figure Skipped)))
    failed=$((failed + bad))
    passed=$((passed + $(figure Total) - $(figure Failed) - $(figure Skipped)))
done

if $native; then
    echo "Compiling and running samples/NativeAot"
    command -v clang gcc >/dev/null || install gcc libc6-dev
    publish_and_run() {
        dotnet publish samples/NativeAot -c Release --nologo -v quiet && samples/NativeAot/bin/Release/net10.0/*/publish/NativeAot
    }
    run native publish_and_run
    cat "$logs/native"
    if [ "$(<"$logs/native.status")" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

if command -v python3 >/dev/null && ! python3 tests/Models/vectors.py --check; then
    failed=$((failed + 1))
fi

if [ "$(<"$logs/format.status")" -ne 0 ]; then
    echo "The formatting is not clean; run dotnet format:"
    cat "$logs/format"
    failed=$((failed + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
