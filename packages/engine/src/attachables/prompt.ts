import { GrpcError, GrpcStatus, Prompt, unaryHandler, type GrpcRoutes } from "@anyrunner/protocol";
import { isRemembered, rememberYes } from "./prompt-answers.ts";

/** How the engine's questions are answered. */
export interface ClientPrompt {
  /** JSON file with what was answered yes for good, absolute; in the official client's form. Default: nothing is remembered. */
  readonly answersFile?: string | undefined;
  /** Asks a person. Default: the question's own default is the answer. */
  readonly confirm?: ((question: PromptQuestion<boolean>, options: { readonly signal: AbortSignal }) => Promise<boolean>) | undefined;
  /** Asks a person for a line of text. Default: the question's own default. */
  readonly read?: ((question: PromptQuestion<string>, options: { readonly signal: AbortSignal }) => Promise<string>) | undefined;
}

/** A question of the engine to the user. */
export interface PromptQuestion<Answer> {
  readonly title: string;
  /** The question itself. Never empty. */
  readonly prompt: string;
  /** The answer of whoever says nothing. */
  readonly default: Answer;
}

/** Questions to the user (engine protocol 5.11); not offered when the embedder says nothing about them. */
export function promptRoutes({ prompt }: { readonly prompt?: ClientPrompt | undefined }): GrpcRoutes {
  if (prompt === undefined) return {};
  let last: Promise<unknown> = Promise.resolve();
  /** One question at a time. */
  const inTurn = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    const answer = last.then(ask);
    last = answer.catch(() => {});
    return answer;
  };
  const promptBool = unaryHandler(Prompt.promptBool, (request, { signal }) => {
    checkQuestion(request.prompt);
    return inTurn(async () => ({ response: await confirm(prompt, request, signal) }));
  });
  const promptString = unaryHandler(Prompt.promptString, (request, { signal }) => {
    checkQuestion(request.prompt);
    return inTurn(async () => ({ response: (await prompt.read?.(request, { signal })) ?? request.default }));
  });
  return {
    [Prompt.promptBool.path]: promptBool,
    [Prompt.promptString.path]: promptString,
    // Engines 0.17 and 0.18.
    "/Prompt/PromptBool": promptBool,
    "/Prompt/PromptString": promptString,
  };
}

function checkQuestion(prompt: string): void {
  if (prompt === "") throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, "a prompt is required");
}

async function confirm(prompt: ClientPrompt, question: PromptQuestion<boolean> & { readonly persistentKey: string }, signal: AbortSignal): Promise<boolean> {
  const { answersFile, confirm: ask } = prompt;
  const { persistentKey } = question;
  const remembers = persistentKey !== "" && answersFile !== undefined;
  if (remembers && (await isRemembered(answersFile, persistentKey))) return true;
  if (ask === undefined) return question.default;
  const yes = await ask(question, { signal });
  if (yes && remembers) await rememberYes(answersFile, persistentKey);
  return yes;
}
