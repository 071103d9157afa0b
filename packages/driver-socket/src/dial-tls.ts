import { X509Certificate } from "node:crypto";
import { isIP, type LookupFunction } from "node:net";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  getCACertificates,
  type DetailedPeerCertificate,
  type SecureContext,
  type TLSSocket,
} from "node:tls";

import { throwIfAborted } from "@anyrunner/core/driver";

import type { ExpiryWatch } from "./certificate-expiry.ts";
import { watchDial, type DialOptions } from "./dial.ts";
import { socketError } from "./socket-error.ts";
import { formatSocketAddress, type TlsAddress } from "./target.ts";
import { readTlsCredentials, type TlsCredentials } from "./tls-credentials.ts";

export interface DialTlsOptions extends DialOptions {
  readonly expiry: ExpiryWatch;
  readonly lookup: LookupFunction;
}

const KEEP_ALIVE_MS = 30_000;

/**
 * Dials and shakes hands: TLS 1.2 or newer, the server's certificate and name always verified, no ALPN (engine protocol 1.3).
 * Fails as a plain dial does, as `readTlsCredentials` does, and with TLS_FAILED. `onReady` gets the socket in the very moment in
 * which it is ready, so that nothing which happens to it goes unseen.
 */
export async function dialTls<T>(
  address: TlsAddress,
  { signal, budgetMs, handshakeBudgetMs, report, expiry, lookup }: DialTlsOptions,
  onReady: (socket: TLSSocket) => T,
): Promise<T> {
  const credentials = await readTlsCredentials(address);
  throwIfAborted(signal);
  expiry.check([...credentials.authorities, ...(credentials.client === undefined ? [] : [credentials.client])], { report });
  const where = formatSocketAddress(address);
  const name = address.serverName ?? address.hostname;
  return new Promise((resolve, reject) => {
    let chain: readonly X509Certificate[] = [];
    const socket = connect({
      host: address.hostname,
      port: address.port,
      lookup,
      secureContext: contextFor(credentials),
      // An address is no name to announce; it is still what the certificate must be for.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    });
    // Node ignores `noDelay` among the options of a TLS socket (nodejs: tls.connect passes only some of them on).
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const dial = watchDial(socket, {
      signal,
      resolve: () => resolve(onReady(socket)),
      reject,
      classify: (error) => socketError(error, address, chain),
    });
    dial.budget(budgetMs, `the dial of ${where}`);
    let startedAt = 0;
    socket.once("connect", () => {
      startedAt = performance.now();
      dial.budget(handshakeBudgetMs, `the TLS handshake with ${where}`);
    });
    // Before Node judges the certificate, since nothing can be read from a socket that was refused.
    socket.prependOnceListener("secure", () => (chain = chainOf(socket)));
    socket.once("secureConnect", () => {
      const [shown] = chain;
      if (shown !== undefined) expiry.check([{ what: `the certificate of ${where}`, path: "", certificate: shown }], { report });
      awaitVerdict(socket, performance.now() - startedAt, () => dial.ready());
    });
  });
}

/**
 * With TLS 1.3 a client has finished before the server looks at its certificate; a refusal comes later. What comes in its place,
 * when all is well, is a session ticket. Servers that send none are given the time of two handshakes, at most a second.
 */
function awaitVerdict(socket: TLSSocket, handshakeMs: number, ready: () => void): void {
  if (socket.getProtocol() !== "TLSv1.3") return ready();
  const settle = () => {
    clearTimeout(timer);
    socket.off("session", settle);
    // The event comes from inside OpenSSL's reading; a write before it returns would spoil the stream (bad record MAC).
    immediate = setImmediate(() => {
      socket.off("close", stop);
      if (!socket.destroyed) ready();
    });
  };
  const stop = () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(settle, Math.min(1000, 20 + 2 * handshakeMs));
  socket.once("session", settle);
  socket.once("close", stop);
}

/** The server's certificates, its own first. (`getPeerX509Certificate` would leave none for Node's own check of the name.) */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < 10) {
    chain.push(new X509Certificate(next.raw));
    // The root is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

let lastContext: { readonly key: string; readonly context: SecureContext } | undefined;

/** The context of the last dial is kept: with the system's some 270 authorities one costs 10 ms. */
function contextFor({ ca, cert, key }: TlsCredentials): SecureContext {
  const cacheKey = JSON.stringify([ca, cert, key]);
  if (lastContext?.key === cacheKey) return lastContext.context;
  const context = createSecureContext({
    minVersion: "TLSv1.2",
    ca: ca ?? [...new Set([...getCACertificates("default"), ...getCACertificates("system")])],
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  });
  lastContext = { key: cacheKey, context };
  return context;
}
