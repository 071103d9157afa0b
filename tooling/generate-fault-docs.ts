import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { FaultRow } from "./faults/fault.ts";
import { writeOrCheck } from "./write-or-check.ts";

/** Writes docs/faults.md from what the fault tests saw; with `--check` says whether it is up to date. */
const rows = JSON.parse(readFileSync(join(import.meta.dirname, "faults", "faults.json"), "utf8")) as readonly FaultRow[];
const cell = (text: string) => text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ");
const lines = rows.map(
  ({ fault, scheme, code, message, hint, attempts, seconds, leftovers }) =>
    `| ${cell(fault)} | \`${scheme}\` | [${code}](errors.md#${code.toLowerCase()}) | ${cell(message)} | ${cell(hint)} | ${attempts === "one" ? "one, at once" : "again, until the budget is spent"} | ${seconds < 0.1 ? "< 0.1" : seconds.toFixed(1)} | ${leftovers} |`,
);

writeOrCheck(
  "docs/faults.md",
  `# Faults

What goes wrong, and how it is told. Each row was made by bringing the fault about, and is compared with what comes of it whenever the tests run (\`tooling/faults\`); after each, no process, socket, timer, connection or half
file may be left, here or at the far end. The seconds, from the first attempt or from what strikes during a query until the error can be printed, are those of the run that made this page, on a busy machine of two cores; a
connection that is tried again has a budget of one second here (\`anyrunner\` gives it more). PORT, FOLDER, NAME, ID, DATE and N stand for what differs from run to run.

Those of \`kube-pod\` come from a cluster whose node is this machine; more of Kubernetes is in [kubernetes.md](engines/kubernetes.md), a network that is cut in [air-gapped.md](engines/air-gapped.md).

<!-- prettier-ignore -->
| fault | scheme | code | message | hint | attempts | seconds | left behind |
| --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join("\n")}

This page is generated from \`tooling/faults/faults.json\` by \`node tooling/generate-fault-docs.ts\`. After a change of the messages: \`ANYRUNNER_WRITE_FAULTS=1 vitest run tooling/faults\`, as root with Docker, Podman and an sshd; \`ANYRUNNER_TEST_KUBECONFIG\` adds the rows of \`kube-pod\`.
`,
);
