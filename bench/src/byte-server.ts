/**
 * The far end of the stream benches, a process of its own: `byte-server.ts unix PATH`, `tcp`, or `tls CERTIFICATES`. A connection begins with
 * a line: `PING` is answered with a byte; `SOURCE n` with n MiB; `SINK n` reads n MiB and says `.`; `BOTH n` does both at once.
 */
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

const MIB = Buffer.alloc(2 ** 20);

const [, , kind = "tcp", place = ""] = process.argv;
const server = kind === "tls" ? createTlsServer({ ...certificates(place), allowHalfOpen: true }, serve) : createServer({ allowHalfOpen: true }, serve);
const announce = () => process.stdout.write(`${kind === "unix" ? place : (server.address() as AddressInfo).port}\n`);
if (kind === "unix") server.listen(place, announce);
else server.listen(0, "127.0.0.1", 1024, announce);
// Whoever started this is gone.
process.stdin.resume().once("end", () => process.exit(0));

function certificates(folder: string) {
  const identity = readFileSync(join(folder, "server.pem"));
  return { cert: identity, key: identity, ca: readFileSync(join(folder, "ca.pem")), requestCert: true, rejectUnauthorized: true };
}

function serve(socket: Socket): void {
  socket.on("error", () => {});
  socket.once("data", (first: Buffer) => {
    const end = first.indexOf("\n");
    const [command = "", count = "0"] = first.subarray(0, end).toString().split(" ");
    const bytes = Number(count) * MIB.length;
    const wantsInput = command === "SINK" || command === "BOTH";
    if (command === "PING") return void socket.write(".");
    if (command !== "SINK") source(socket, Number(count));
    if (wantsInput) sink(socket, bytes - (first.length - end - 1), command === "SINK");
  });
}

/** Whoever reads it closes: an end would close the other direction, too, in tools that pass bytes on. */
function source(socket: Socket, count: number): void {
  let sent = 0;
  const more = () => {
    while (sent < count) {
      sent++;
      if (!socket.write(MIB)) return void socket.once("drain", more);
    }
  };
  more();
}

function sink(socket: Socket, bytes: number, answers: boolean): void {
  let missing = bytes;
  socket.on("data", (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing <= 0 && answers) socket.write(".");
  });
}
