/** Lines of a Containerfile that set variables or labels, with whatever in them quoted; none for none. */
export function assignments(instruction: "ENV" | "LABEL", values: Readonly<Record<string, string>>): readonly string[] {
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  return pairs.length === 0 ? [] : [`${instruction} ${pairs.join(" \\\n    ")}`];
}

/** `["dagger-entrypoint.sh"]` */
export function execForm(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
}

/** In double quotes a backslash escapes, and a dollar sign begins a variable. */
function quote(value: string): string {
  return `"${value.replaceAll(/[\\"$]/g, String.raw`\$&`)}"`;
}
