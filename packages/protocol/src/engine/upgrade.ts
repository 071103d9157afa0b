import type { Duplex } from "node:stream";

import type { HeaderList } from "../header-list.ts";
import { formatHead } from "../http1/message-head.ts";
import { readAhead } from "../http1/read-ahead.ts";
import { writeAll } from "../http1/write-all.ts";

/** A client asks to turn its stream over to another protocol. */
export interface EngineUpgrade {
  readonly headers: HeaderList;
  /** Answers 101 and resolves with the bare stream once the client's acknowledging byte is eaten. */
  accept(): Promise<Duplex>;
  /** Answers with a status and a line of text, and ends the stream. */
  refuse(status: number, text: string): Promise<void>;
}

/** Runs for as long as the stream is used. Where it throws before it has answered, the client gets 500 with the error's message. */
export type EngineUpgradeHandler = (upgrade: EngineUpgrade) => Promise<void>;

/** The engine's own words, protocol version included: Go writes a response whose version nobody set. */
const SWITCHING = "HTTP/0.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

export async function serveUpgrade(stream: Duplex, headers: HeaderList, handler: EngineUpgradeHandler): Promise<void> {
  let answered = false;
  const upgrade: EngineUpgrade = {
    headers,
    async accept() {
      claim();
      await writeAll(stream, Buffer.from(SWITCHING, "latin1"));
      await readAhead(stream, () => 1, { limitBytes: 1, consume: true });
      return stream;
    },
    async refuse(status, text) {
      claim();
      await refuse(stream, status, text);
    },
  };
  try {
    await handler(upgrade);
    if (!answered) await refuse(stream, 500, "the upgrade was not answered");
  } catch (error) {
    if (answered) stream.destroy();
    else await refuse(stream, 500, error instanceof Error ? error.message : String(error));
  }

  function claim(): void {
    if (answered) throw new Error("the upgrade is answered already");
    answered = true;
  }
}

/** node:http has them all, and would take longer to load than an upgrade takes. */
const REASONS: Readonly<Record<number, string>> = { 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable" };

async function refuse(stream: Duplex, status: number, text: string): Promise<void> {
  const body = Buffer.from(`${text}\n`, "utf8");
  const head = formatHead(`HTTP/1.1 ${status} ${REASONS[status] ?? "Unknown"}`, [
    ["Content-Type", "text/plain; charset=utf-8"],
    ["X-Content-Type-Options", "nosniff"],
    ["Date", new Date().toUTCString()],
    ["Content-Length", String(body.length)],
  ]);
  await writeAll(stream, Buffer.concat([head, body]));
  stream.end();
  // Whoever doesn't read never learns that the client is gone.
  stream.resume();
}
