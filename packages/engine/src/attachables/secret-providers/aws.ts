import { createSecretCache } from "./secret-cache.ts";
import { askSecretProgram } from "./run-secret-program.ts";
import { invalidReference, parseSecretReference, type SecretContext, type SecretProvider, type SecretReference } from "./secret-provider.ts";

/** `aws+sm://name?region&version&stage&field`: AWS Secrets Manager, by the AWS CLI. Read once a session. */
export function createSecretsManagerProvider(): SecretProvider {
  const cache = createSecretCache<Uint8Array>();
  return (rest, context) => cache.get(rest, undefined, () => readSecret(parseSecretReference(rest), context));
}

/** `aws+ps://name?region`: a parameter of AWS Systems Manager, decrypted, by the AWS CLI. Its name gets a slash in front. Read once a session. */
export function createParameterStoreProvider(): SecretProvider {
  const cache = createSecretCache<Uint8Array>();
  return (rest, context) => cache.get(rest, undefined, () => readParameter(parseSecretReference(rest), context));
}

async function readSecret(reference: SecretReference, context: SecretContext): Promise<Uint8Array> {
  const { path, query } = reference;
  const [version, stage, field] = ["version", "stage", "field"].map((name) => query.get(name) ?? "");
  if (version && stage) throw invalidReference("can't name both a version and a stage");
  const { SecretString: text, SecretBinary: binary } = await callAws(
    {
      scheme: "aws+sm",
      args: ["secretsmanager", "get-secret-value"],
      input: { SecretId: path, ...(version ? { VersionId: version } : { VersionStage: stage || "AWSCURRENT" }) },
    },
    reference,
    context,
  );
  const value = typeof text === "string" ? Buffer.from(text) : Buffer.from(typeof binary === "string" ? binary : "", "base64");
  if (text === undefined && binary === undefined) throw new Error(`secret "${path}" has no string or binary value`);
  return field ? readField(value, field, path) : value;
}

async function readParameter(reference: SecretReference, context: SecretContext): Promise<Uint8Array> {
  const name = `/${reference.path}`;
  const answer = await callAws({ scheme: "aws+ps", args: ["ssm", "get-parameter"], input: { Name: name, WithDecryption: true } }, reference, context);
  const { Value: value } = (answer["Parameter"] ?? {}) as { readonly Value?: unknown };
  if (typeof value !== "string") throw new Error(`parameter "${name}" has no value`);
  return Buffer.from(value);
}

interface AwsCall {
  readonly scheme: string;
  readonly args: readonly string[];
  readonly input: Readonly<Record<string, unknown>>;
}

/** The input is one JSON argument, since the CLI would take `file://…` in an argument of its own for a file to read. */
async function callAws({ scheme, args, input }: AwsCall, { query }: SecretReference, context: SecretContext): Promise<Readonly<Record<string, unknown>>> {
  const { env } = context.settings;
  const region = query.get("region") || env["AWS_REGION"];
  if (region && !/^[a-z0-9][a-z0-9-]*$/i.test(region)) throw invalidReference("names a region that can't be one");
  return askSecretProgram<Readonly<Record<string, unknown>>>({
    ...context,
    scheme,
    command: "aws",
    product: "the AWS CLI",
    args: [
      ...args,
      "--cli-input-json",
      JSON.stringify(input),
      "--output",
      "json",
      ...(region ? ["--region", region] : []),
      ...(env["AWS_ENDPOINT_URL"] ? ["--endpoint-url", env["AWS_ENDPOINT_URL"]] : []),
    ],
    env: { AWS_PAGER: "" },
  });
}

/** One field of a secret that is a JSON object: text as it is, anything else as JSON. */
function readField(secret: Uint8Array, field: string, name: string): Uint8Array {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(secret).toString("utf8"));
  } catch {
    // The parser's message would quote the secret.
  }
  if (typeof fields !== "object" || fields === null) throw new Error(`secret "${name}" is no JSON object, so it has no field "${field}"`);
  if (!Object.hasOwn(fields, field)) throw new Error(`field "${field}" not found in secret "${name}"`);
  const value = (fields as Readonly<Record<string, unknown>>)[field];
  if (value === null) return Buffer.alloc(0);
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}
