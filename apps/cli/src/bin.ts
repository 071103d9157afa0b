#!/usr/bin/env node
import manifest from "../package.json" with { type: "json" };

// Official SDKs start this file with whatever Node the machine has. Nothing else may be imported statically: it has to parse
// under old versions, so that they can say what is needed, and `--version` has to answer before anything is loaded.
const MINIMUM_MAJOR = 22;
const MINIMUM_MINOR = 19;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const [first] = process.argv.slice(2);

if (major < MINIMUM_MAJOR || (major === MINIMUM_MAJOR && minor < MINIMUM_MINOR)) {
  process.stderr.write(
    `error: anyrunner needs Node ${MINIMUM_MAJOR}.${MINIMUM_MINOR} or newer; ${process.execPath} is ${process.versions.node}\n` +
      "hint: install Node 24 (https://nodejs.org) and put it first on PATH\n",
  );
  process.exitCode = 1;
} else if (first === "--version" || first === "-V") {
  process.stdout.write(`anyrunner ${manifest.version}\n`);
} else {
  const { main } = await import("./main.ts");
  await main({ argv: process.argv.slice(2), version: manifest.version });
}
