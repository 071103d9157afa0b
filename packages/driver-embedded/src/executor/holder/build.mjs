// Compiles holder.c for every architecture and writes program.ts: node build.mjs
// Needs gcc and aarch64-linux-gnu-gcc (Debian: gcc, gcc-aarch64-linux-gnu). With --check it only compares.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const FLAGS = [
  ..."-Os -std=gnu11 -ffreestanding -nostdlib -static -fno-pie -no-pie -Wall -Wextra -Werror".split(" "),
  ..."-fno-stack-protector -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fno-ident".split(" "),
  "-Wl,-z,noseparate-code,-z,noexecstack,--build-id=none,-s",
];
const COMPILERS = {
  amd64: ["gcc", "-fcf-protection=none"],
  arm64: ["aarch64-linux-gnu-gcc", "-mno-outline-atomics"],
};

const folder = mkdtempSync(join(tmpdir(), "anyrunner-holder-"));
const programs = Object.entries(COMPILERS).map(([architecture, [compiler, ...flags]]) => {
  const output = join(folder, architecture);
  execFileSync(compiler, [...FLAGS, ...flags, "-o", output, join(here, "holder.c")], { stdio: "inherit" });
  return [architecture, readFileSync(output).toString("base64")];
});
rmSync(folder, { recursive: true });

const lines = (text) =>
  text
    .match(/.{1,120}/g)
    .map((line) => `    "${line}",`)
    .join("\n");
const source = `// Made by build.mjs from holder.c; do not edit.
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
${programs.map(([name, text]) => `  ${name}: [\n${lines(text)}\n  ],`).join("\n")}
};

/** The static Linux program that is process 1 of every segment; undefined for an architecture that it isn't compiled for. */
export function holderProgram(architecture: string): Buffer | undefined {
  const lines = PROGRAMS[architecture];
  return lines && Buffer.from(lines.join(""), "base64");
}
`;

const target = join(here, "program.ts");
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== source) throw new Error("program.ts is not what holder.c compiles to here; run node build.mjs");
} else {
  writeFileSync(target, source);
}
