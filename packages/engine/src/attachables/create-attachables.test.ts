import { GrpcStatus } from "@anyrunner/protocol";
import { expect, test } from "vitest";
import { startAttachables } from "./test-attachables.ts";

test("every method that is served is declared, and no other", () => {
  const { attachables } = startAttachables();
  expect(attachables.methods).toEqual(Object.keys(attachables.routes));
  expect(attachables.methods.toSorted()).toEqual([
    "/Git/GetConfig",
    "/Git/GetCredential",
    "/GitCredential/GetCredential",
    "/Terminal/Session",
    "/TunnelListener/Listen",
    "/dagger.git.Git/GetConfig",
    "/dagger.git.Git/GetCredential",
    "/dagger.h2c.TunnelListener/Listen",
    "/dagger.terminal.Terminal/Session",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.FileSend/DiffCopy",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.FileSync/TarStream",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
  ]);
});

test("a method that isn't served is unimplemented, which makes old engines fall back", async () => {
  const { status } = await startAttachables().call("/moby.filesync.v1.Auth/GetTokenAuthority", {}, [new Uint8Array()]);
  expect(status).toBe(GrpcStatus.UNIMPLEMENTED);
});

test("closing waits for the calls that are running", async () => {
  const engine = startAttachables();
  const stream = engine.open("/grpc.health.v1.Health/Watch");
  await stream.messages[Symbol.asyncIterator]().next();
  let closed = false;
  const closing = engine.attachables.close().then(() => (closed = true));
  await new Promise(setImmediate);
  expect(closed).toBe(false);
  stream.cancel();
  await closing;
});
