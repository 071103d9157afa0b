import { RunnerError } from "@anyrunner/core";

/** The data of a configuration file and where in the file each value stands. */
export interface ConfigDocument {
  readonly value: unknown;
  /** `file:line` of the value under `path`, for messages. */
  place(path: readonly (string | number)[]): string;
}

const MAX_LENGTH = 1024 * 1024;

/** Parses YAML or, by the ending of the file's name, JSON: data only, no tags, no repeated keys. Fails with INVALID_CONFIG. */
export async function parseConfigDocument(text: string, file: string): Promise<ConfigDocument> {
  if (text.length > MAX_LENGTH) throw invalid(file, "it is larger than 1 MiB");
  const strict = file.endsWith(".json");
  if (strict) checkJson(text, file);
  const { isMap, isNode, isPair, LineCounter, parseDocument } = await import("./yaml-parser.ts");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, logLevel: "silent" });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw invalid(`${file}:${lines.linePos(problem.pos[0]).line}`, problem.message);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw invalid(file, (error as Error).message);
  }
  return {
    value,
    place(path) {
      const parent = path.length === 0 ? document.contents : path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
      const pair = isMap(parent) ? parent.items.find((item) => isPair(item) && keyText(item.key) === path.at(-1)) : undefined;
      const node = pair?.key ?? (path.length === 0 ? document.contents : document.getIn(path, true));
      const range = isNode(node) ? node.range : undefined;
      return range ? `${file}:${lines.linePos(range[0]).line}` : file;
    },
  };
}

function keyText(key: unknown): unknown {
  return typeof key === "object" && key !== null && "value" in key ? key.value : key;
}

function checkJson(text: string, file: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const position = /position (\d+)/.exec(message);
    const line = position === null ? undefined : text.slice(0, Number(position[1])).split("\n").length;
    throw invalid(line === undefined ? file : `${file}:${line}`, message);
  }
}

function invalid(place: string, what: string): RunnerError {
  return new RunnerError("INVALID_CONFIG", `${place}: ${what.split("\n")[0]}`, { hint: "correct the file" });
}
