import { resolve } from "node:path";

import { RunnerError } from "@anyrunner/core";
import type { CertificateFacts, CertificateSet } from "@anyrunner/driver-socket/certs";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../format-table.ts";

export interface CertsCommandOptions {
  /** Relative to the working directory. */
  readonly folder: string;
  /** Names and addresses of the server; empty for those that it has. */
  readonly hosts?: readonly string[] | undefined;
  readonly days?: string | undefined;
  /** Renew the authority, too. */
  readonly authority?: boolean | undefined;
}

/** Makes an authority and by it certificates for one server and its clients. */
export async function certsCreateCommand(context: CommandContext, { folder, hosts = [], days }: CertsCommandOptions): Promise<number> {
  const { createCertificates } = await import("@anyrunner/driver-socket/certs");
  const made = await createCertificates({ folder: resolve(context.cwd, folder), hosts, days: numberOfDays(days) });
  show(context, made);
  advise(context, made);
  return EXIT.success;
}

/** Shows what a folder of certificates holds, and for how long. */
export async function certsShowCommand(context: CommandContext, { folder }: CertsCommandOptions): Promise<number> {
  const { inspectCertificates } = await import("@anyrunner/driver-socket/certs");
  show(context, await inspectCertificates({ folder: resolve(context.cwd, folder) }));
  return EXIT.success;
}

/** Renews the certificates of server and client. */
export async function certsRotateCommand(context: CommandContext, { folder, hosts = [], days, authority }: CertsCommandOptions): Promise<number> {
  const { rotateCertificates } = await import("@anyrunner/driver-socket/certs");
  const renewed = await rotateCertificates({
    folder: resolve(context.cwd, folder),
    hosts: hosts.length === 0 ? undefined : hosts,
    days: numberOfDays(days),
    authority,
  });
  show(context, renewed);
  context.note(
    authority === true
      ? `give ca.pem to both sides first, then ${renewed.server.file} to the server and ${renewed.client.file} to its clients`
      : `give ${renewed.server.file} to the server and ${renewed.client.file} to its clients`,
  );
  return EXIT.success;
}

function show(context: CommandContext, set: CertificateSet): void {
  if (context.json) return context.print(JSON.stringify(set, undefined, 2));
  const row = (what: string, { file, validTo, daysLeft, hosts }: CertificateFacts) => [
    what,
    validTo.slice(0, 10),
    daysLeft < 0 ? "expired" : `${daysLeft} days`,
    file,
    hosts.join(", "),
  ];
  const authorities = set.authorities.map((facts, index) => row(index === 0 ? "authority" : "authority before", facts));
  for (const line of formatTable(
    ["CERTIFICATE", "VALID TO", "LEFT", "FILE", "HOSTS"],
    [...authorities, row("server", set.server), row("client", set.client)],
  )) {
    context.print(line.trimEnd());
  }
}

function advise(context: CommandContext, { folder, server, client, authorities }: CertificateSet): void {
  const ca = authorities[0]?.file ?? "";
  const host = server.hosts[0] ?? "";
  context.note(
    `server: socat OPENSSL-LISTEN:8443,reuseaddr,fork,cert=${server.file},cafile=${ca} UNIX-CONNECT:/run/dagger/engine.sock, or whatever ends TLS before the engine`,
  );
  context.note(`client: --runner 'tls://${host.includes(":") ? `[${host}]` : host}:8443?ca_path=${ca}&cert_path=${client.file}&key_path=${client.file}'`);
  context.note(`${folder}/ca-key.pem signs new certificates: it goes nowhere`);
}

function numberOfDays(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text)) throw new RunnerError("USAGE", `--days is no number: "${text}"`, { hint: "write for example --days 90" });
  return Number(text);
}
