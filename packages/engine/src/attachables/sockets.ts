import { stat } from "node:fs/promises";
import { GrpcError, GrpcStatus, Ssh, unaryHandler, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";
import { diskError } from "./disk-error.ts";
import { relayDatagrams } from "./relay-datagrams.ts";
import { relaySocket } from "./relay-socket.ts";
import { parseSocketAddress } from "./socket-address.ts";

/** Sockets and services of this machine, the SSH agent among them (engine protocol 5.6). */
export function socketRoutes(): GrpcRoutes {
  return {
    [Ssh.checkAgent.path]: unaryHandler(Ssh.checkAgent, async ({ id }) => {
      const address = parseSocketAddress(id);
      if (address.network === "unix") await checkSocketFile(address.path);
      return {};
    }),
    [Ssh.forwardAgent.path]: forwardAgent,
  };
}

async function checkSocketFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isSocket()) return;
  } catch (error) {
    throw diskError(`socket ${path} not found`, "stat", path, error);
  }
  throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, `not a socket: ${path}`);
}

/** One connection to the socket that the metadata names, for as long as the call lasts. */
async function forwardAgent(call: GrpcCall): Promise<void> {
  const url = call.metadata.get("x-dagger-socket-urlencoded");
  if (url === undefined || url === "") throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, "missing socket url");
  const address = parseSocketAddress(url);
  await (address.network === "udp" ? relayDatagrams(call, address) : relaySocket(call, address));
}
