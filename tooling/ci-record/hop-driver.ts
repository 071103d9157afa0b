import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { run } from "../run.ts";

const MANIFEST = {
  name: "anyrunner-driver-hop",
  version: "1.0.0",
  license: "Apache-2.0",
  type: "module",
  exports: { ".": "./index.js", "./package.json": "./package.json" },
  anyrunner: { name: "hop", specVersion: 1, schemes: ["hop"] },
};

const DRIVER = `
import { connect } from "node:net";
export const driver = {
  specVersion: 1, name: "hop", schemes: ["hop"], capabilities: [], options: [],
  parse: (url) => ({ driver: "hop", url: "hop://" + url.body, path: url.body }),
  probe: async () => ({ available: true }),
  provision: async ({ path }) => ({ driver: "hop", id: path, endpoint: { path }, owned: false, labels: {} }),
  connect: ({ endpoint }) => new Promise((resolve, reject) => {
    const stream = connect(endpoint.path).once("error", reject);
    stream.once("connect", () => resolve({ stream, kind: "socket", halfClose: true, closed: new Promise((done) => stream.once("close", () => done({ kind: "end" }))), diagnostics: async () => ({}) }));
  }),
};
`;

/** Publishes a driver that no release has: `hop:///PATH` is the engine behind a Unix socket. */
export function publishHopDriver(folder: string, env: NodeJS.ProcessEnv): void {
  const place = path.join(folder, "hop");
  mkdirSync(place);
  writeFileSync(path.join(place, "package.json"), JSON.stringify(MANIFEST));
  writeFileSync(path.join(place, "index.js"), DRIVER);
  run("npm", ["publish"], { cwd: place, env });
}
