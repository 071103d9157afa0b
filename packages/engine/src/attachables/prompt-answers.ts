import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { GrpcError, GrpcStatus } from "@anyrunner/protocol";
import { isMissing } from "./disk-error.ts";

/** The file of the official client: `{"responses": {"<key>": {}}}`. */
interface Answers {
  readonly responses?: Readonly<Record<string, unknown>> | null | undefined;
}

/** Whether the question was answered yes for good. A missing file says nothing; a broken one fails with INTERNAL. */
export async function isRemembered(file: string, key: string): Promise<boolean> {
  return Object.hasOwn((await readAnswers(file)).responses ?? {}, key);
}

/** Adds a yes to the file, which is replaced at one stroke. */
export async function rememberYes(file: string, key: string): Promise<void> {
  const answers = await readAnswers(file);
  const text = JSON.stringify({ ...answers, responses: { ...answers.responses, [key]: {} } });
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new GrpcError(GrpcStatus.INTERNAL, `can't remember the answer in ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function readAnswers(file: string): Promise<Answers> {
  try {
    const text = await readFile(file, "utf8");
    const answers: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof answers === "object" && answers !== null) return answers;
    throw new Error("no JSON object");
  } catch (error) {
    if (isMissing(error)) return {};
    throw new GrpcError(GrpcStatus.INTERNAL, `can't read the remembered answers of ${file}: ${(error as Error).message}`, { cause: error });
  }
}
