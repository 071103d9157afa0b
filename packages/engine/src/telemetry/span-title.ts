import { loadCallCodec, type ApiCall, type ApiLiteral } from "@anyrunner/protocol";

import type { Span } from "./records.ts";

/** What a span is called where people read it: an API call has its arguments behind it, shortened. The text is as unsafe as the span's name. */
export type SpanTitle = (span: Span) => string;

const LONGEST_TEXT = 60;
const LONGEST_TITLE = 240;
const MOST_ITEMS = 12;
const MOST_TYPES = 2000;
/** Arguments of which at most the engine may know the value; engines hide most of them themselves. */
const SECRET_NAME = /plaintext|password|passphrase|token|secret|credential/i;
const HIDDEN = `"***"`;

/**
 * Titles such as `Container.withExec(args: ["echo", "hi"])`. Objects among the arguments are shown by their type, where the call that made
 * them was seen before; of those a bounded number is remembered.
 */
export async function createSpanTitle(): Promise<SpanTitle> {
  const codec = await loadCallCodec();
  const types = new Map<string, string>();
  return (span) => {
    const encoded = span.attributes["dagger.io/dag.call"];
    const call = typeof encoded === "string" ? codec.decode(encoded) : undefined;
    if (call === undefined) return span.name;
    const { namedType = "" } = call.type ?? {};
    if (call.digest !== "" && namedType !== "" && types.size < MOST_TYPES) types.set(call.digest, namedType);
    return describe(span.name.replace(/^Query\./, "") || call.field, call, types);
  };
}

function describe(name: string, call: ApiCall, types: ReadonlyMap<string, string>): string {
  const shown = call.args.map((argument) => `${argument.name}: ${valueOf(call, argument, types)}`);
  const title = shown.length === 0 ? name : `${name}(${shown.join(", ")})`;
  return title.length <= LONGEST_TITLE ? title : `${cut(title, LONGEST_TITLE - 1)})`;
}

function valueOf({ field }: ApiCall, { name, value }: ApiCall["args"][number], types: ReadonlyMap<string, string>): string {
  if (SECRET_NAME.test(name) && value !== undefined && !isReference(value)) return HIDDEN;
  // A command may hold what it is to give.
  if (field === "secret" && value?.value.case === "string" && value.value.value.startsWith("cmd://")) return `"cmd://***"`;
  return literal(value, types);
}

/** Such values name an object or say that there is none. */
function isReference({ value }: ApiLiteral): boolean {
  return value.case === "callDigest" || value.case === "null" || value.case === "bool";
}

function literal(shown: ApiLiteral | undefined, types: ReadonlyMap<string, string>): string {
  const value = shown?.value;
  switch (value?.case) {
    case "callDigest":
      return types.get(value.value) ?? "…";
    case "bool":
    case "int":
    case "float":
    case "enum":
      return String(value.value);
    case "string":
      return quote(value.value);
    case "digestedString":
      return quote(value.value.value);
    case "list":
      return `[${some(value.value.values, (item) => literal(item, types))}]`;
    case "object":
      return `{${some(value.value.values, (item) => `${item.name}: ${SECRET_NAME.test(item.name) ? HIDDEN : literal(item.value, types)}`)}}`;
    default:
      return "null";
  }
}

function some<T>(items: readonly T[], show: (item: T) => string): string {
  const shown = items.slice(0, MOST_ITEMS).map(show);
  return [...shown, ...(items.length > MOST_ITEMS ? ["…"] : [])].join(", ");
}

function quote(text: string): string {
  return JSON.stringify(text.length <= LONGEST_TEXT ? text : cut(text, LONGEST_TEXT));
}

/** Half of a character beyond the sixteen bits would be left otherwise. */
function cut(text: string, length: number): string {
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
