import { duplexPair, type Duplex } from "node:stream";

/** An engine in this process: serves one end of each stream. */
export type InMemoryRunner = (stream: Duplex) => void;

/** The runners that there are, by address. */
export const runners: Map<string, InMemoryRunner> = new Map();

/** Both ends of a stream in memory. A side that is destroyed takes the other with it, as a cut connection would. */
export function openStream(serve: InMemoryRunner): Duplex {
  const [near, far] = duplexPair();
  near.once("close", () => far.destroy());
  far.once("close", () => {
    // What the far end sent before it ended is still to be read.
    if (!far.writableFinished) near.destroy(new Error("the runner has gone"));
  });
  serve(far);
  return near;
}
