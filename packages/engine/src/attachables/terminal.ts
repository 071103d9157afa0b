import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Terminal, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";
import { stopOutputProcessing, type TerminalInput } from "./stop-output-processing.ts";

/** The terminal that a person sits at, as `process.stdin`, `process.stdout` and `process.stderr` are one. */
export interface ClientTerminal {
  readonly input: Readable & TerminalInput & { readonly isTTY?: boolean | undefined; readonly isRaw?: boolean | undefined; setRawMode?(raw: boolean): unknown };
  readonly output: Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined; readonly rows?: number | undefined };
  readonly error: Writable;
  /** Called when the engine takes the terminal; what it gives is called when the terminal is free again. For whoever else writes there. */
  readonly onBorrow?: (() => () => void) | undefined;
}

type Codec = Awaited<ReturnType<typeof Terminal.session.codec>>;
type Answer = NonNullable<Parameters<Codec["encodeResponse"]>[0]["msg"]>;

/** A shell in a container, at the terminal of this machine (engine protocol 5.9). One at a time; others wait for their turn. */
export function terminalRoutes({ terminal }: { readonly terminal?: ClientTerminal | undefined }): GrpcRoutes {
  let last: Promise<unknown> = Promise.resolve();
  const session = (knowsReady: boolean) => (call: GrpcCall) => {
    const turn = last.then(() => runSession(call, terminal, knowsReady));
    last = turn.catch(() => {});
    return turn;
  };
  return {
    [Terminal.session.path]: session(true),
    // Engines up to 0.18, of which the older ones want the size first.
    "/Terminal/Session": session(false),
  };
}

async function runSession(call: GrpcCall, terminal: ClientTerminal | undefined, knowsReady: boolean): Promise<void> {
  if (call.signal.aborted) return;
  if (!terminal?.input.isTTY || !terminal.output.isTTY) throw new Error("stdin is not a terminal; cannot get terminal size");
  const codec = await Terminal.session.codec();
  const send = (msg: Answer) => call.send(codec.encodeResponse({ msg }));
  const giveBack = terminal.onBorrow?.();
  const restore = attach(terminal, send);
  try {
    if (knowsReady) await send({ case: "ready", value: {} });
    await send({ case: "resize", value: sizeOf(terminal) });
    // Before anything is shown, and behind the size, which older engines want to come before all keys.
    await stopOutputProcessing(terminal.input, call.signal);
    for await (const message of call.messages) {
      const { msg } = codec.decodeRequest(message);
      if (msg.case === "stdout") await write(terminal.output, msg.value, call.signal);
      else if (msg.case === "stderr") await write(terminal.error, msg.value, call.signal);
      else if (msg.case === "exit") {
        terminal.error.write(`exit ${msg.value}\n`);
        return;
      }
    }
  } catch (error) {
    // The engine hangs up when the session is over.
    if (!call.signal.aborted) throw error;
  } finally {
    restore();
    giveBack?.();
  }
}

/** Passes on keys and sizes from now on; the result puts everything back as it was. */
function attach(terminal: ClientTerminal, send: (msg: Answer) => Promise<void>): () => void {
  const { input, output } = terminal;
  const wasRaw = input.isRaw ?? false;
  const wasFlowing = input.readableFlowing === true;
  let attached = true;
  const onData = (data: Buffer) => {
    input.pause();
    const resume = () => void (attached && input.resume());
    // A call that is over needs no keys any more.
    send({ case: "stdin", value: data }).then(resume, () => {});
  };
  const onResize = () => void send({ case: "resize", value: sizeOf(terminal) }).catch(() => {});
  input.setRawMode?.(true);
  input.on("data", onData).resume();
  output.on("resize", onResize);
  return () => {
    attached = false;
    input.off("data", onData);
    output.off("resize", onResize);
    input.setRawMode?.(wasRaw);
    if (wasFlowing) input.resume();
    else input.pause();
  };
}

function sizeOf({ output }: ClientTerminal) {
  return { width: output.columns ?? 80, height: output.rows ?? 24 };
}

async function write(stream: Writable, data: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!stream.write(data)) await once(stream, "drain", { signal });
}
