import { redact } from "./redact.ts";

/** The same text, with secrets hidden that lie across its chunks, too. What could be the beginning of one is held back until more comes. */
export function createChunkRedaction(secrets: readonly string[]): { push(chunk: string): string; end(): string } {
  let rest = "";
  return {
    push(chunk) {
      const text = redact(rest + chunk, secrets);
      const cut = text.length - beginningLength(text, secrets);
      rest = text.slice(cut);
      return text.slice(0, cut);
    },
    end: () => rest,
  };
}

/** Of the end of `text`, how much could be the beginning of a secret. */
function beginningLength(text: string, secrets: readonly string[]): number {
  const lengths = secrets.map((secret) => {
    for (let length = Math.min(secret.length - 1, text.length); length > 0; length--) if (text.endsWith(secret.slice(0, length))) return length;
    return 0;
  });
  return Math.max(0, ...lengths);
}
