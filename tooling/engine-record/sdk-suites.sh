#!/usr/bin/env bash
# Runs the tests of the official SDKs with one CLI's session, and writes what each test gave.
#
# Usage: sdk-suites.sh SOURCES RUNNER_URL CLI OUTPUT_FOLDER
# SOURCES is a checkout of Dagger at the engine's version, with `npm install` done in sdk/typescript, and in sdk/python a
# virtual environment .venv with the SDK itself, pytest, pytest-httpx, pytest-mock, pytest-subprocess and
# pytest-lazy-fixtures. CLI is the official one, or a script that runs ours (a test copies the file: it has to be one file).
# Then: node compare-suites.ts OUTPUT_OF_THEIRS OUTPUT_OF_OURS
set -uo pipefail
sources=$1 cli=$3 out=$(realpath -m "$4")
export _EXPERIMENTAL_DAGGER_RUNNER_HOST=$2 _EXPERIMENTAL_DAGGER_CLI_BIN=$cli DO_NOT_TRACK=1 DAGGER_NO_NAG=1 TS_NODE_TRANSPILE_ONLY=true
mkdir -p "$out"
(
  cd "$sources/sdk/typescript" || exit
  node node_modules/.bin/mocha --no-config --extension ts --node-option loader=ts-node/esm --timeout 60000 \
    --reporter json --reporter-option "output=$out/typescript.json" 'src/api/test/*.spec.ts' 'src/test/*.spec.ts' >"$out/typescript.log" 2>&1
)
(
  cd "$sources/sdk/python" || exit
  .venv/bin/pytest -p no:cacheprovider tests/client tests/mod -q "--junitxml=$out/python.xml" >"$out/python.log" 2>&1
)
(
  cd "$sources/sdk/go" || exit
  go test -count=1 -json . ./querybuilder/... >"$out/go.json" 2>"$out/go.log"
)
