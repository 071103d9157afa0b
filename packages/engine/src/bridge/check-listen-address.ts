import { isLoopback, RunnerError } from "@anyrunner/core";
import { formatListenUrl, type ListenAddress, type ServerIdentity } from "@anyrunner/protocol";

export interface CheckListenAddressInput {
  readonly listen?: ListenAddress | undefined;
  readonly identity?: ServerIdentity | undefined;
  readonly insecureTcp?: boolean | undefined;
}

/**
 * Whoever reaches the engine has root on its machine, so that an address is refused (USAGE) which others reach than those whom the user
 * means: plain TCP beyond this machine always, on it without consent; TLS without certificates.
 */
export function checkListenAddress({ listen, identity, insecureTcp = false }: CheckListenAddressInput): void {
  if (listen === undefined || listen.kind === "unix") return;
  const refuse = (reason: string, hint: string) => new RunnerError("USAGE", `${formatListenUrl(listen)} is not listened on: ${reason}`, { hint });
  if (listen.kind === "tls") {
    if (identity === undefined)
      throw refuse("there are no certificates for it", "make some with `anyrunner certs create FOLDER --host NAME`, and give --certs FOLDER");
    return;
  }
  if (!isLoopback(listen.host)) throw refuse("plain TCP would let everyone in who reaches this machine", "listen on tls:// with --certs FOLDER");
  if (!insecureTcp) {
    throw refuse(
      "every user and program of this machine could use the engine, which has root",
      "listen on unix://, on tls:// with --certs FOLDER, or say --insecure-tcp",
    );
  }
}
