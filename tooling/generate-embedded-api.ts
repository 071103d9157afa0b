import { buildSchema, isObjectType } from "graphql";

import { CORE_API_SDL } from "../packages/driver-embedded/src/schema/core-api-sdl.ts";
import { FIELDS } from "../packages/driver-embedded/src/schema/fields/index.ts";
import { writeOrCheck } from "./write-or-check.ts";

/** Writes docs/embedded-api.md: which fields of the core API the embedded runner has; with `--check` it only compares. */
const types = Object.values(buildSchema(CORE_API_SDL).getTypeMap()).filter(isObjectType);
const sections = types.flatMap((type) => {
  const supported = FIELDS[type.name];
  if (supported === undefined) return [];
  const names = Object.keys(type.getFields());
  const has = names.filter((name) => Object.hasOwn(supported, name));
  const lacks = names.filter((name) => !Object.hasOwn(supported, name) && !/^load\w+FromID$/.test(name));
  return [`## ${type.name}\n\n${list("Works", has)}${lacks.length === 0 ? "" : `\n\n${list("Refused", lacks)}`}\n`];
});
const without = types.map(({ name }) => name).filter((name) => !name.startsWith("_") && !Object.hasOwn(FIELDS, name));

writeOrCheck(
  "docs/embedded-api.md",
  `# The core API on the embedded runner

What works on \`embedded://\`, out of the core API of engine 0.21.8. What is refused fails by name with \`UNSUPPORTED\`; use a Dagger engine for it.
Of a field that works, an argument that can't be honoured is refused in the same way.

This page is generated from the code by \`node tooling/generate-embedded-api.ts\`.

${sections.toSorted().join("\n")}
## Types that are refused as a whole

${without.map((name) => `\`${name}\``).join(", ")}
`,
);

function list(title: string, names: readonly string[]): string {
  return `**${title}**: ${names.map((name) => `\`${name}\``).join(", ")}`;
}
