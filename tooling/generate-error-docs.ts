import { ERROR_CODES } from "@anyrunner/core";

import { writeOrCheck } from "./write-or-check.ts";

/** Writes docs/errors.md from core's table of codes; with `--check` says whether it is up to date. */
const sections = Object.entries(ERROR_CODES).map(
  ([code, { summary, cause, remedy }]) => `## ${code}\n\n${summary}\n\n- **Why**: ${cause}\n- **What to do**: ${remedy}\n`,
);
const text = `# Error codes

Every error that anyrunner shows or throws carries one of these codes. The list is closed: drivers written by others use the same ones.
In a program, test with \`RunnerError.is(error)\` and compare \`error.code\`; with \`--json\` the code is in the field \`code\`.

This page is generated from \`packages/core/src/error-codes.ts\` by \`node tooling/generate-error-docs.ts\`.

${sections.join("\n")}`;

writeOrCheck("docs/errors.md", text);
