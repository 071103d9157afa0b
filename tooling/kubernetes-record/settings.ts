import path from "node:path";

export interface RecordSettings {
  /** `KUBECONFIG` of the administrator; `kubectl` has to be on PATH, and is used to set things up only. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** `RECORD_JOB_IMAGE`: what job-image.ts made, on the nodes. */
  readonly jobImage: string;
  /** `RECORD_ENGINE_IMAGE`: an engine's image on the nodes. */
  readonly engineImage: string;
  /** `RECORD_CLAIM_PATH`: folder of the node for the cache of an engine, where no provisioner makes volumes. */
  readonly claimPath: string | undefined;
  /** `RECORD_API`, `HOST:PORT`: where a pod on the node's network finds the API server, for a cluster without service addresses. */
  readonly api: string | undefined;
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): RecordSettings {
  const need = (name: string) => env[name] ?? fail(`set ${name}`);
  return {
    kubeconfig: path.resolve(need("KUBECONFIG")),
    namespace: env["RECORD_NAMESPACE"] ?? "anyrunner-record",
    jobImage: need("RECORD_JOB_IMAGE"),
    engineImage: need("RECORD_ENGINE_IMAGE"),
    claimPath: env["RECORD_CLAIM_PATH"],
    api: env["RECORD_API"],
  };
}

function fail(message: string): never {
  throw new Error(message);
}
