import { GrpcStatus, Secrets } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import { makeDirectory, startAttachables } from "../test-attachables.ts";
import { makeProgramShims, type ShimAnswer } from "../test-program-shim.ts";

/**
 * None of these stores is at hand: stand-ins on PATH answer as the programs' documentation says they do (never run against the real
 * ones). What is shown is the argument vectors and what is made of the answers.
 */
function storeWith(answers: Readonly<Record<string, ShimAnswer>>, variables: Readonly<Record<string, string>> = {}) {
  const shims = makeProgramShims(answers);
  const engine = startAttachables({ cwd: makeDirectory(), env: { ...shims.env, ...variables } });
  const read = async (id: string) => {
    const codec = await Secrets.getSecret.codec();
    const { messages, status, message } = await engine.call(Secrets.getSecret.path, {}, [codec.encodeRequest({ id })]);
    return { text: messages.map((bytes) => Buffer.from(codec.decodeResponse(bytes).data).toString()).join(), status, message };
  };
  return { read, calls: shims.calls };
}

const found = (text: string) => ({ text, status: 0, message: "" });

describe("a program that is missing is named, and how to get it", () => {
  test.each([
    ["op://vault/item/field", "op", "the 1Password CLI"],
    ["vault://path.field", "vault", "HashiCorp's vault"],
    ["libsecret://login?service=x", "secret-tool", "libsecret's tools (Debian: libsecret-tools)"],
    ["aws+sm://name", "aws", "the AWS CLI"],
    ["aws+ps://name", "aws", "the AWS CLI"],
    ["gcp://projects/p/secrets/s", "gcloud", "the Google Cloud CLI"],
  ])("%s", async (id, program, product) => {
    expect(await storeWith({}).read(id)).toEqual({
      text: "",
      status: GrpcStatus.FAILED_PRECONDITION,
      message: `secrets of ${id.split("://", 1)[0]}:// need the program "${program}", which was not found; install ${product}, or put it on PATH`,
    });
  });
});

describe("op://", () => {
  test("is read once a session, with op's own parameters and without ttl", async () => {
    const { read, calls } = storeWith({ op: { stdout: "hunter2" } });
    expect(await read("op://vault/item/field?attribute=otp&ttl=1h")).toEqual(found("hunter2"));
    expect(await read("op://vault/item/field?attribute=otp&ttl=1h")).toEqual(found("hunter2"));
    expect(calls().map(({ args }) => args)).toEqual([["read", "-n", "op://vault/item/field?attribute=otp"]]);
  });

  test("a failure tells what op said, without the token", async () => {
    const missing = storeWith({ op: { exitCode: 1, stderr: `[ERROR] could not read secret: "item" isn't an item in the "vault" vault` } });
    expect(await missing.read("op://vault/item/field")).toMatchObject({ status: GrpcStatus.UNKNOWN });
    const broken = storeWith({ op: { exitCode: 6, stderr: "bad token ops_abcdef" } }, { OP_SERVICE_ACCOUNT_TOKEN: "ops_abcdef" });
    expect(await broken.read("op://vault/item/field")).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: "op failed to read a secret of op:// with exit status 6: bad token ***",
    });
  });

  test("a ttl that is none is an invalid argument", async () => {
    expect(await storeWith({}).read("op://vault/item/field?ttl=soon")).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  });
});

test.each([
  ["aws+sm://name", "aws"],
  ["aws+ps://name", "aws"],
  ["vault://path.field", "vault"],
])("an answer that isn't what it should be isn't quoted: %s", async (id, program) => {
  const { message } = await storeWith({ [program]: { stdout: "hunter2" } }).read(id);
  expect(message).toBe(`${program} failed to read a secret of ${id.split("://", 1)[0]}://: its answer is no JSON`);
});

describe("vault://", () => {
  const answer = { stdout: JSON.stringify({ data: { data: { user: "me", password: "hunter2", number: 1 } } }) };

  test("fields of one path cost one call", async () => {
    const { read, calls } = storeWith({ vault: answer }, { VAULT_TOKEN: "token", VAULT_PATH_PREFIX: "kv" });
    expect(await read("vault://team/app.password")).toEqual(found("hunter2"));
    expect(await read("vault://team/app.user")).toEqual(found("me"));
    expect(calls()).toMatchObject([{ args: ["kv", "get", "-format=json", "-mount=kv", "team/app"], env: { VAULT_TOKEN: "token" } }]);
  });

  test("what isn't there, and what is no text", async () => {
    expect(await storeWith({ vault: answer }).read("vault://app.none")).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: 'secret "none" not found in path "app"',
    });
    expect(await storeWith({ vault: answer }).read("vault://app.number")).toMatchObject({ message: 'secret "number" in path "app" is not a string' });
    const missing = storeWith({ vault: { exitCode: 2, stderr: "No value found at secret/data/app" } });
    expect(await missing.read("vault://app.x")).toMatchObject({ status: GrpcStatus.UNKNOWN });
  });

  test("an AppRole goes through standard input, and its token through the environment", async () => {
    const role = { VAULT_APPROLE_ROLE_ID: "role-1", VAULT_APPROLE_SECRET_ID: "secret-1", VAULT_APPROLE_MOUNT_PATH: "roles" };
    const { read, calls } = storeWith({ vault: answer }, role);
    expect(await read("vault://app.user")).toEqual(found("me"));
    expect(calls()).toMatchObject([
      { args: ["write", "-field=token", "auth/roles/login", "-"], input: JSON.stringify({ role_id: "role-1", secret_id: "secret-1" }) },
      { args: ["kv", "get", "-format=json", "-mount=secret", "app"], env: { VAULT_TOKEN: answer.stdout } },
    ]);
    expect(JSON.stringify(calls().map(({ args }) => args))).not.toMatch(/secret-1|role-1/);
  });

  test.each(["vault://app", "vault://a.b.c", "vault://-flag.x", "vault://%zz.x"])("%s is an invalid argument", async (id) => {
    expect(await storeWith({ vault: answer }).read(id)).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  });
});

describe("aws+sm:// and aws+ps://", () => {
  test("a secret's version, region and field", async () => {
    const { read, calls } = storeWith({ aws: { stdout: JSON.stringify({ SecretString: '{"user":"me","port":1,"none":null}' }) } }, { AWS_REGION: "eu-west-1" });
    expect(await read("aws+sm://team/app?field=user&version=v1&region=us-east-1")).toEqual(found("me"));
    expect(await read("aws+sm://team/app?field=port")).toEqual(found("1"));
    expect(await read("aws+sm://team/app?field=none")).toEqual(found(""));
    expect(await read("aws+sm://team/app?field=other")).toMatchObject({ status: GrpcStatus.UNKNOWN });
    const first = ["secretsmanager", "get-secret-value", "--cli-input-json", '{"SecretId":"team/app","VersionId":"v1"}', "--output", "json"];
    expect(calls()[0]).toMatchObject({ args: [...first, "--region", "us-east-1"], env: { AWS_PAGER: "" } });
    expect(calls()[1]?.args.slice(3)).toEqual(['{"SecretId":"team/app","VersionStage":"AWSCURRENT"}', "--output", "json", "--region", "eu-west-1"]);
  });

  test("bytes that are no text come as they are", async () => {
    expect(await storeWith({ aws: { stdout: JSON.stringify({ SecretBinary: Buffer.from("bytes").toString("base64") }) } }).read("aws+sm://x")).toEqual(
      found("bytes"),
    );
  });

  test("a parameter, whose name begins with a slash", async () => {
    const { read, calls } = storeWith({ aws: { stdout: JSON.stringify({ Parameter: { Value: "hunter2" } }) } }, { AWS_ENDPOINT_URL: "http://localhost:4566" });
    expect(await read("aws+ps://team/app")).toEqual(found("hunter2"));
    expect(calls()[0]?.args).toEqual([
      ...["ssm", "get-parameter", "--cli-input-json", '{"Name":"/team/app","WithDecryption":true}', "--output", "json"],
      ...["--endpoint-url", "http://localhost:4566"],
    ]);
  });

  test.each([
    ["An error occurred (ResourceNotFoundException) when calling"],
    ["An error occurred (ParameterNotFound) when calling"],
    ["An error occurred (AccessDeniedException) when calling"],
  ])("%s", async (stderr) => {
    expect(await storeWith({ aws: { exitCode: 254, stderr } }).read("aws+sm://x")).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: expect.stringContaining(stderr),
    });
  });

  test("a version and a stage exclude each other; a region is a word", async () => {
    for (const id of ["aws+sm://x?version=1&stage=y", "aws+ps://x?region=--profile", "aws+ps://x?region=a%20b"]) {
      expect(await storeWith({ aws: {} }).read(id)).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
    }
  });

  test("a field of what is no JSON doesn't repeat it", async () => {
    const { message } = await storeWith({ aws: { stdout: JSON.stringify({ SecretString: "hunter2" }) } }).read("aws+sm://x?field=y");
    expect(message).toBe('secret "x" is no JSON object, so it has no field "y"');
  });
});

describe("gcp://", () => {
  const answer = { stdout: `${Buffer.from("hünter2\n").toString("base64url")}\n` };

  test.each([
    ["gcp://projects/p-1/secrets/s", {}, "latest", "p-1"],
    ["gcp://projects/p-1/secrets/s/versions/7", {}, "7", "p-1"],
    ["gcp://s", { GOOGLE_CLOUD_PROJECT: "p-2" }, "latest", "p-2"],
    ["gcp://s/versions/7?ttl=5m", { GCP_PROJECT_ID: "p-3", GOOGLE_CLOUD_PROJECT: "p-2" }, "7", "p-3"],
  ])("%s", async (id, variables, version, project) => {
    const { read, calls } = storeWith({ gcloud: answer }, variables);
    expect(await read(id)).toEqual(found("hünter2\n"));
    expect(calls()[0]?.args).toEqual(["secrets", "versions", "access", version, "--secret=s", `--project=${project}`, "--format=get(payload.data)", "--quiet"]);
  });

  test("a key file is handed on; what gcloud says when the secret isn't there is told", async () => {
    const { read, calls } = storeWith({ gcloud: { exitCode: 1, stderr: "ERROR: NOT_FOUND: Secret" } }, { GOOGLE_APPLICATION_CREDENTIALS: "/key.json" });
    expect(await read("gcp://projects/p/secrets/s")).toMatchObject({ status: GrpcStatus.UNKNOWN });
    expect(calls()[0]?.env).toMatchObject({ CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: "/key.json" });
  });

  test.each(["gcp://s", "gcp://projects/p", "gcp://-s", "gcp://projects/p/secrets/s/versions"])("%s without a project is an invalid argument", async (id) => {
    expect(await storeWith({ gcloud: answer }).read(id)).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  });
});

describe("libsecret://", () => {
  const item = (path: string, label: string, secret: string) =>
    `[/org/freedesktop/secrets/collection/${path}]\nlabel = ${label}\nsecret = ${secret}\ncreated = 2026\nmodified = 2026\n`;
  const answer = { stdout: item("login/3", "mine", "line 1\nline 2") + item("login/4", "other", "hunter3") + item("work/3", "mine", "hunter4") };

  test.each([
    ["libsecret://login/3?service=x", "line 1\nline 2"],
    ["libsecret://login/other?service=x", "hunter3"],
    ["libsecret://work?service=x&user=me", "hunter4"],
  ])("%s", async (id, secret) => {
    const { read, calls } = storeWith({ "secret-tool": answer });
    expect(await read(id)).toEqual(found(secret));
    expect(calls()[0]?.args).toEqual(["search", "--all", "--unlock", "service", "x", ...(id.includes("user") ? ["user", "me"] : [])]);
  });

  test("none and several", async () => {
    const { read } = storeWith({ "secret-tool": answer });
    expect(await read("libsecret://login/none?service=x")).toMatchObject({ status: GrpcStatus.UNKNOWN });
    expect(await read("libsecret://login?service=x")).toMatchObject({ message: "too many items found in the collection login" });
  });

  test.each(["libsecret://login/mine", "libsecret://login?-x=1"])("%s is an invalid argument", async (id) => {
    expect(await storeWith({ "secret-tool": answer }).read(id)).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  });
});
