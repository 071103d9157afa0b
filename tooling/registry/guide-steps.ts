/** What a page tells its reader to do, in order. */
export type GuideStep =
  /** Put this text into that file. */
  | { readonly kind: "write"; readonly file: string; readonly text: string }
  /** Run these lines; with `fails`, they end with an error whose output has that text. */
  | { readonly kind: "run"; readonly text: string; readonly fails?: string | undefined }
  /** Leave this running in another terminal. */
  | { readonly kind: "serve"; readonly text: string };

const BLOCK = /^<!-- (file|write|run|serve)(?:: (\S+)|, and it fails: (.+?))? -->\n\n```\w*\n([\s\S]*?)^```$/gm;

/** Reads the marked blocks of a page. A `file` of `examples/NAME/` is the reader's own file of the same path. Throws when a block of commands is not marked. */
export function guideSteps(page: string, example: string): readonly GuideStep[] {
  const steps = [...page.matchAll(BLOCK)].map(([whole, kind, file = "", fails, text = ""]): GuideStep => {
    if (kind === "run") return { kind, text, fails };
    if (kind === "serve") return { kind, text };
    if (kind === "file" && !file.startsWith(`${example}/`)) throw new Error(`not a file of ${example}: ${whole.split("\n", 1).join()}`);
    return { kind: "write", file: kind === "file" ? file.slice(example.length + 1) : file, text };
  });
  const shellBlocks = [...page.matchAll(/^```sh$/gm)].length;
  const marked = steps.filter(({ kind }) => kind !== "write").length;
  if (shellBlocks !== marked) throw new Error(`${shellBlocks} blocks of commands, ${marked} of them marked with <!-- run --> or <!-- serve -->`);
  return steps;
}
