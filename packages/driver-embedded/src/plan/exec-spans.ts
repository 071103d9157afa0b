import type { Span } from "../telemetry/span.ts";
import type { Call } from "./call.ts";
import type { ExecOperation } from "./operation.ts";

const MAX_NAME = 200;

/** Makes the spans of commands: each command shows once below one query, however many of its fields were asked for. */
export function createExecSpans(): (operation: ExecOperation, key: string, call: Call) => Span | undefined {
  const shown = new WeakMap<Span, Set<string>>();
  return ({ exec }, key, { span: parent }) => {
    if (parent === undefined) return undefined;
    const keys = shown.get(parent) ?? new Set();
    if (keys.has(key)) return undefined;
    shown.set(parent, keys.add(key));
    const name = `withExec ${exec.args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(" ")}`;
    return parent.child(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 3)}...` : name);
  };
}
