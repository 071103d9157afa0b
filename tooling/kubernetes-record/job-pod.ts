import { kubectl, startKubectl, type Started } from "./kubectl.ts";
import type { RecordSettings } from "./settings.ts";

const FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A pod of a job whose service account's token lies in a file that can be replaced. */
export interface JobPod {
  readonly name: string;
  /** Runs the command line of a shell in it. */
  start(command: string): Started;
  /** Puts a new token there; the answer revokes it. */
  newToken(): Promise<{ readonly token: string; revoke(): Promise<void> }>;
}

export async function makeJobPod(settings: RecordSettings, name: string): Promise<JobPod> {
  await kubectl(settings, ["apply", "--filename", "-"], JSON.stringify(podManifest(settings, name)));
  await kubectl(settings, ["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s"]);
  const write = async (file: string, text: string) => {
    await kubectl(settings, ["exec", "--stdin", name, "--", "sh", "-c", `cat > ${FOLDER}/${file}.new && mv ${FOLDER}/${file}.new ${FOLDER}/${file}`], text);
  };
  await write("ca.crt", JSON.parse(await kubectl(settings, ["get", "configmap", "kube-root-ca.crt", "--output", "json"])).data["ca.crt"]);
  await write("namespace", settings.namespace);
  return {
    name,
    start: (command) => startKubectl(settings, ["exec", name, "--", "sh", "-c", command]),
    async newToken() {
      const bound = `${name}-token-${Date.now()}`;
      await kubectl(settings, ["create", "secret", "generic", bound]);
      const token = (await kubectl(settings, ["create", "token", "anyrunner-job", "--bound-object-kind=Secret", `--bound-object-name=${bound}`])).trim();
      await write("token", token);
      return { token, revoke: async () => void (await kubectl(settings, ["delete", "secret", bound])) };
    },
  };
}

function podManifest({ jobImage, api }: RecordSettings, name: string): object {
  const [host, port] = api?.split(":") ?? [];
  const fromPod = (field: string) => ({ valueFrom: { fieldRef: { fieldPath: field } } });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      serviceAccountName: "anyrunner-job",
      automountServiceAccountToken: false,
      hostNetwork: api !== undefined,
      terminationGracePeriodSeconds: 1,
      restartPolicy: "Never",
      containers: [
        {
          name: "job",
          image: jobImage,
          imagePullPolicy: "IfNotPresent",
          command: ["sleep", "infinity"],
          env: [
            { name: "POD_NAME", ...fromPod("metadata.name") },
            { name: "POD_NAMESPACE", ...fromPod("metadata.namespace") },
            ...(api === undefined
              ? []
              : [
                  { name: "KUBERNETES_SERVICE_HOST", value: host },
                  { name: "KUBERNETES_SERVICE_PORT", value: port },
                ]),
          ],
          volumeMounts: [{ name: "account", mountPath: FOLDER }],
        },
      ],
      volumes: [{ name: "account", emptyDir: {} }],
    },
  };
}
