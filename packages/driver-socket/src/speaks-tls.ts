import { connect } from "node:tls";

export interface SpeaksTlsOptions {
  readonly host: string;
  readonly port: number;
  readonly servername?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take, in ms. Default 1,500. */
  readonly budgetMs?: number | undefined;
}

const BUDGET_MS = 1500;

/** Whether a TLS server answers there; nothing is told to it but the beginning of a handshake. Never throws. */
export function speaksTls({ host, port, servername, signal, budgetMs = BUDGET_MS }: SpeaksTlsOptions): Promise<boolean> {
  return new Promise((resolve) => {
    // Who it is doesn't matter: the question is only which language it speaks.
    const socket = connect({ host, port, rejectUnauthorized: false, ...(servername === undefined ? {} : { servername }) });
    const settle = (answer: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = () => settle(false);
    const timer = setTimeout(onAbort, budgetMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("secureConnect", () => settle(true));
    // A refusal in the words of TLS is an answer, too.
    socket.once("error", (error: NodeJS.ErrnoException) => settle(/_ALERT_/.test(error.code ?? "")));
    socket.once("close", onAbort);
    socket.on("error", () => {});
    if (signal?.aborted) onAbort();
  });
}
