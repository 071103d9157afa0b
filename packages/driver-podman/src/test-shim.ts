import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a stand-in for a CLI says to one command. */
export interface ShimAnswer {
  /** Arguments separated by one space, with `*` for anything. */
  readonly when: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Becomes the program instead of answering. */
  readonly exec?: string;
  /** Answers so once; the next call falls to a later answer. */
  readonly once?: boolean;
}

export interface Shim extends Disposable {
  /** The environment in which only the stand-in is found. */
  readonly env: Readonly<Record<string, string>>;
  /** The arguments of each call so far. */
  calls(): readonly (readonly string[])[];
  /** What the last call that began with `verb` had in its environment under `name`. */
  variable(verb: string, name: string): string | undefined;
}

/** Puts a program of that name on a PATH of its own: it notes its arguments and environment, and answers from the table. */
export function createShim(command: string, answers: readonly ShimAnswer[]): Shim {
  const directory = mkdtempSync(join(tmpdir(), "anyrunner-test-shim-"));
  const cases = answers.map((answer, index) => answerLines(directory, answer, index)).join("\n");
  const script = `#!/bin/sh
PATH=$PATH:/usr/bin:/bin
file=${directory}/call-$(date +%s%N)-$$
for argument in "$@"; do printf '%s\\0' "$argument"; done >"$file"
tr '\\0' '\\n' </proc/self/environ >"$file.env"
${cases}
echo "the stand-in for ${command} knows no: $*" >&2
exit 64
`;
  writeFileSync(join(directory, command), script);
  chmodSync(join(directory, command), 0o755);
  const files = () =>
    readdirSync(directory)
      .filter((name) => /^call-[\d-]+$/.test(name))
      .toSorted();
  const args = (name: string) => readFileSync(join(directory, name), "utf8").split("\0").slice(0, -1);
  return {
    env: { PATH: directory, HOME: directory },
    calls: () => files().map(args),
    variable(verb, name) {
      const file = files().findLast((each) => args(each)[0] === verb) ?? "";
      const line = readFileSync(join(directory, `${file}.env`), "utf8")
        .split("\n")
        .find((text) => text.startsWith(`${name}=`));
      return line?.slice(name.length + 1);
    },
    // What was asked beside the call that failed may be at work still.
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }),
  };
}

function answerLines(directory: string, answer: ShimAnswer, index: number): string {
  const file = (kind: string, text = "") => {
    const path = join(directory, `answer-${index}.${kind}`);
    writeFileSync(path, text);
    return path;
  };
  const used = join(directory, `used-${index}`);
  const condition = answer.once ? `[ ! -e ${used} ]` : "true";
  const act =
    answer.exec === undefined
      ? `cat ${file("out", answer.stdout)}; cat ${file("err", answer.stderr)} >&2; exit ${answer.exitCode ?? 0}`
      : `exec ${answer.exec}`;
  const pattern = answer.when
    .split("*")
    .map((text) => (text === "" ? "" : `"${text}"`))
    .join("*");
  return `case "$*" in ${pattern}) if ${condition}; then : >${used}; ${act}; fi ;; esac`;
}
