import { SERVICE_ACCOUNT_DIRECTORY, type ClusterSource } from "./cluster-config.ts";

const kubeconfig = process.env["ANYRUNNER_TEST_KUBECONFIG"];

/** Why tests with a real cluster don't run; `undefined`: they run. */
export const skipReason = kubeconfig === undefined ? "ANYRUNNER_TEST_KUBECONFIG names no cluster" : undefined;

export const testEnv = { KUBECONFIG: kubeconfig };
export const testSource: ClusterSource = { env: testEnv, serviceAccountDirectory: SERVICE_ACCOUNT_DIRECTORY };
export const NAMESPACE = "default";
