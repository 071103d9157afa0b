import type { Reporter } from "@anyrunner/core/driver";

import type { CertificateFile } from "./tls-credentials.ts";
import { day } from "./tls-error.ts";

const WARN_BEFORE_MS = 14 * 24 * 60 * 60 * 1000;

/** Tells of certificates that are about to expire, each once. */
export interface ExpiryWatch {
  check(
    certificates: readonly Pick<CertificateFile, "what" | "path" | "certificate">[],
    options: { readonly report?: Reporter | undefined; readonly now?: Date },
  ): void;
}

export function createExpiryWatch(): ExpiryWatch {
  const warned = new Set<string>();
  return {
    check(certificates, { report, now = new Date() }) {
      if (report === undefined) return;
      for (const { what, path, certificate } of certificates) {
        const remaining = certificate.validToDate.getTime() - now.getTime();
        const id = `certificate-expires:${certificate.fingerprint256.replaceAll(":", "").slice(0, 16).toLowerCase()}`;
        if (remaining >= WARN_BEFORE_MS || warned.has(id)) continue;
        warned.add(id);
        const days = Math.max(0, Math.floor(remaining / (24 * 60 * 60 * 1000)));
        report({
          type: "warning",
          id,
          message: `${what} ${path === "" ? "" : `in ${path} `}expires on ${day(certificate.validToDate)}, in ${days} ${days === 1 ? "day" : "days"}`,
          hint: "renew it in time; `anyrunner certs rotate` does so for its own",
        });
      }
    },
  };
}
