import { Duplex, PassThrough } from "node:stream";

import { RunnerError, type RunnerConnection, type RunnerDriver } from "@anyrunner/core";

import { createStubDriver } from "./stub-driver.ts";

/** Drivers with one defect each, and a part of the name of every test that must notice it. */
export const BROKEN_DRIVERS: Readonly<Record<string, { readonly create: () => RunnerDriver; readonly noticedBy: readonly string[] }>> = {
  "loses a byte of what it reads": {
    create: () => withStream(losingStream),
    noticedBy: ["carries 8 MiB both ways", "delivers what the peer sent", "don't mix"],
  },
  "takes all that is written": { create: () => withStream(greedyStream), noticedBy: ["a reader that has stopped"] },
  "keeps its socket when the stream is destroyed": { create: () => withStream(clingingStream), noticedBy: ["destroying the stream releases everything"] },
  "connects in spite of an abort": {
    create: () =>
      withConnect(
        ({ connect }) =>
          (handle) =>
            connect(handle, {}),
      ),
    noticedBy: ["connect with an aborted signal"],
  },
  "leaves its listener on the signal": { create: () => withConnect(listeningConnect), noticedBy: ["connect cancelled", "leaves no listener"] },
  "throws what the system gave": {
    create: () =>
      withConnect(
        ({ connect }) =>
          (handle, options) =>
            connect(handle, options).catch((error: Error) => Promise.reject(error.cause as Error)),
      ),
    noticedBy: ["every connection closes with a reason"],
  },
  "says end when it should say local": {
    create: () => withConnection((connection) => ({ ...connection, closed: connection.closed.then(() => ({ kind: "end" })) })),
    noticedBy: ["destroying the stream"],
  },
  "never tells that a connection is over": {
    create: () => withConnection((connection) => ({ ...connection, closed: new Promise(() => {}) })),
    noticedBy: ["carries 8 MiB", "far end of one connection dies", "every connection closes with a reason"],
  },
  "has diagnostics that throw": {
    create: () => withConnection((connection) => ({ ...connection, diagnostics: () => Promise.reject(new Error("no")) })),
    noticedBy: ["far end of one connection dies", "every connection closes with a reason"],
  },
  "claims a half-close that isn't there": {
    create: () => withConnection((connection) => ({ ...connection, halfClose: false })),
    noticedBy: ["every connection says of half-close"],
  },
  "throws where it should report": {
    create: () => changed({ probe: () => Promise.reject(new RunnerError("NOT_FOUND", "nothing there")) }),
    noticedBy: ["probe reports", "probe finds", "probe of a runner that was killed"],
  },
  "gives another id each time": {
    create: () => changed({ provision: async (target, options) => ({ ...(await base().provision(target, options)), id: String(Math.random()) }) }),
    noticedBy: ["gives one id"],
  },
  "keeps a function in its handle": {
    create: () =>
      changed({
        provision: async (target, options) => ({
          ...(await base().provision(target, options)),
          endpoint: { path: target["path"], dial: (() => {}) as unknown as string },
        }),
      }),
    noticedBy: ["plain JSON"],
  },
  "takes any parameter": {
    create: () => changed({ parse: (url) => base().parse({ ...url, params: [] }) }),
    noticedBy: ["an unknown parameter", "is refused with INVALID_OPTION"],
  },
  "tells passwords": {
    create: () =>
      changed({ parse: (url) => ({ ...createTarget(url.body), url: `${url.scheme}://${url.body}?${url.params.map(({ value }) => value).join()}` }) }),
    noticedBy: ["show in no error"],
  },
  "keeps a password in its target": {
    create: () => changed({ parse: async (url) => ({ ...(await base().parse({ ...url, body: url.body.replace(/^.*@/, "") })), body: url.body }) }),
    noticedBy: ["show in no error"],
  },
  "keeps a secret parameter in its handle": {
    create: () =>
      changed({
        provision: async (target, options) => ({
          ...(await base().provision(target, options)),
          labels: { token: String(options.secrets?.options?.["token"]) },
        }),
      }),
    noticedBy: ["show in no error"],
  },
  "declares what it has not": {
    create: () => changed({ capabilities: ["half-close", "logs"] }),
    noticedBy: ["members agree with its capabilities", "gives the log as text"],
  },
};

function base(): RunnerDriver {
  return createStubDriver();
}

function changed(change: Partial<RunnerDriver>): RunnerDriver {
  return { ...base(), ...change };
}

function withConnect(change: (driver: RunnerDriver) => RunnerDriver["connect"]): RunnerDriver {
  return changed({ connect: change(base()) });
}

function withConnection(change: (connection: RunnerConnection) => RunnerConnection): RunnerDriver {
  return withConnect((driver) => async (handle, options) => change(await driver.connect(handle, options)));
}

function withStream(change: (stream: Duplex) => Duplex): RunnerDriver {
  return withConnection((connection) => ({ ...connection, stream: change(connection.stream) }));
}

function createTarget(path: string) {
  return { driver: "stub", url: "", path };
}

function losingStream(socket: Duplex): Duplex {
  let lost = false;
  const readable = new PassThrough({
    transform(chunk: Buffer, _, callback) {
      callback(null, lost || chunk.length < 100 ? chunk : chunk.subarray(1));
      lost ||= chunk.length >= 100;
    },
  });
  return around(socket, socket.pipe(readable));
}

/** Accepts every write at once and keeps it. */
function greedyStream(socket: Duplex): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk, _, callback) {
      socket.write(chunk);
      callback();
    },
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  socket.once("end", () => stream.push(null));
  return stream;
}

function clingingStream(socket: Duplex): Duplex {
  return around(socket, socket, () => {});
}

function around(socket: Duplex, readable: NodeJS.ReadableStream, destroy = () => void socket.destroy()): Duplex {
  const stream = new Duplex({
    read: () => readable.resume(),
    write: (chunk, _, callback) => void socket.write(chunk, () => callback()),
    final: (callback) => void socket.end(callback),
    destroy(error, callback) {
      destroy();
      callback(error);
    },
  });
  readable.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) readable.pause();
  });
  readable.once("end", () => stream.push(null));
  return stream;
}

function listeningConnect({ connect }: RunnerDriver): RunnerDriver["connect"] {
  return (handle, options) => {
    options.signal?.addEventListener("abort", () => {});
    return connect(handle, options);
  };
}
