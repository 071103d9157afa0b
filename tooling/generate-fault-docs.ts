import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { FaultRow } from "./faults/fault.ts";
import { writeOrCheck } from "./write-or-check.ts";

/** Writes docs/faults.md from what the fault tests saw; with `--check` says whether it is up to date. */
const rows = JSON.parse(readFileSync(join(import.meta.dirname, "faults", "faults.json"), "utf8")) as readonly FaultRow[];
const cell = (text: string) => text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ");
const lines = rows.map(
  ({ fault, scheme, code, message, hint, attempts }) =>
    `| ${cell(fault)} | \`${scheme}\` | [${code}](errors.md#${code.toLowerCase()}) | ${cell(message)} | ${cell(hint)} | ${attempts === "one" ? "one, at once" : "again, until the budget is spent"} |`,
);

writeOrCheck(
  "docs/faults.md",
  `# Faults

What goes wrong, and how it is told. Each row was made by bringing the fault about, and is compared with what comes of it whenever the tests run (\`tooling/faults\`); after each, no process, socket, timer or connection is
left, here or at the far end. PORT, FOLDER, NAME, ID, DATE and N stand for what differs from run to run.

Faults of Kubernetes are in [kubernetes.md](engines/kubernetes.md), a network that is cut in [air-gapped.md](engines/air-gapped.md).

<!-- prettier-ignore -->
| fault | scheme | code | message | hint | attempts |
| --- | --- | --- | --- | --- | --- |
${lines.join("\n")}

This page is generated from \`tooling/faults/faults.json\` by \`node tooling/generate-fault-docs.ts\`. After a change of the messages: \`ANYRUNNER_WRITE_FAULTS=1 vitest run tooling/faults\`, as root with Docker and an sshd.
`,
);
