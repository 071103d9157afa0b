import { createSecretCache } from "./secret-cache.ts";
import { runSecretProgram } from "./run-secret-program.ts";
import { invalidReference, parseSecretReference, type SecretContext, type SecretProvider } from "./secret-provider.ts";

/**
 * `gcp://projects/P/secrets/S[/versions/V]`, or `gcp://S[/versions/V]` with the project of `GCP_PROJECT_ID`, `GOOGLE_CLOUD_PROJECT` or
 * `GCLOUD_PROJECT`, by `gcloud`. `GOOGLE_APPLICATION_CREDENTIALS` is used when it is set. Without `ttl` a secret is read once a session.
 */
export function createGoogleCloudProvider(): SecretProvider {
  const cache = createSecretCache<Uint8Array>();
  return (rest, context) => {
    const { path, ttlMs } = parseSecretReference(rest);
    return cache.get(path, ttlMs, () => accessVersion(path, context));
  };
}

async function accessVersion(path: string, context: SecretContext): Promise<Uint8Array> {
  const { env } = context.settings;
  const match = /^(?:projects\/([\w.:-]+)\/secrets\/)?([\w-]+)(?:\/versions\/([\w-]+))?$/.exec(path);
  if (match === null || match[2]?.startsWith("-")) throw invalidReference("has to be gcp://projects/P/secrets/S[/versions/V] or gcp://S");
  const [, named, secret, version = "latest"] = match;
  const project = named ?? (env["GCP_PROJECT_ID"] || env["GOOGLE_CLOUD_PROJECT"] || env["GCLOUD_PROJECT"]);
  if (!project) throw invalidReference("names no project; set GCP_PROJECT_ID, GOOGLE_CLOUD_PROJECT or GCLOUD_PROJECT");
  const keyFile = env["GOOGLE_APPLICATION_CREDENTIALS"];
  const stdout = await runSecretProgram({
    ...context,
    scheme: "gcp",
    command: "gcloud",
    product: "the Google Cloud CLI",
    // In base64, since the plain output is not meant for bytes that are no text.
    args: ["secrets", "versions", "access", version, `--secret=${secret}`, `--project=${project}`, "--format=get(payload.data)", "--quiet"],
    env: keyFile ? { CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: keyFile } : undefined,
  });
  return Buffer.from(stdout.toString("latin1").trim(), "base64url");
}
