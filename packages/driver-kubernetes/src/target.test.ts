import { parseRunnerUrl, RunnerError } from "@anyrunner/core/driver";
import { describe, expect, test } from "vitest";

import { parseKubernetesTarget } from "./target.ts";

const GOOD: readonly [string, object][] = [
  ["kube-pod://engine-0", { choice: { kind: "pod", name: "engine-0" } }],
  [
    "kube-pod://engine.0?context=c%20x&namespace=builds&container=engine",
    { choice: { kind: "pod", name: "engine.0" }, context: "c x", namespace: "builds", container: "engine" },
  ],
  ["kube-pod://sts/engine", { choice: { kind: "workload", resource: "statefulsets", name: "engine", sameNode: false, key: "" } }],
  ["kube-pod://deploy/engine?key=repo", { choice: { kind: "workload", resource: "deployments", name: "engine", sameNode: false, key: "repo" } }],
  ["kube-pod://ds/engine?prefer=same-node", { choice: { kind: "workload", resource: "daemonsets", name: "engine", sameNode: true, key: "" } }],
  ["kube-pod://?selector=app=dagger,tier!=x", { choice: { kind: "selector", selector: "app=dagger,tier!=x", sameNode: false, key: "" } }],
  [
    "kube-image://registry.example/engine:v1?namespace=builds&name=mine&claim=cache&cpus=2&node-selector=a/b=c&toleration=gpu:NoSchedule&toleration=d=e",
    {
      scheme: "kube-image",
      namespace: "builds",
      engine: {
        image: { reference: "registry.example/engine:v1", cpus: 2, pull: "missing" },
        name: "mine",
        claim: "cache",
        storage: "100Gi",
        nodeSelector: { "a/b": "c" },
        tolerations: [
          { key: "gpu", operator: "Exists", effect: "NoSchedule" },
          { key: "d", operator: "Equal", value: "e" },
        ],
      },
    },
  ],
];

const BAD: readonly [string, string, string][] = [
  ["kube-pod://", "INVALID_URL", "kube-pod://POD"],
  ["kube-pod://Engine", "INVALID_URL", ""],
  ["kube-pod://engine:1", "INVALID_URL", ""],
  ["kube-pod://job/engine", "INVALID_URL", "sts/NAME"],
  ["kube-pod://__proto__/engine", "INVALID_URL", ""],
  ["kube-pod://sts/", "INVALID_URL", ""],
  ["kube-pod://sts/a/b", "INVALID_URL", ""],
  ["kube-pod://a?namespace=B", "INVALID_OPTION", "namespace=NAME"],
  ["kube-pod://a?container=", "INVALID_OPTION", ""],
  ["kube-pod://a?context=", "INVALID_OPTION", ""],
  ["kube-pod://a?selector=x=y", "INVALID_OPTION", ""],
  ["kube-pod://?selector=", "INVALID_OPTION", "selector=LABEL"],
  ["kube-pod://a?prefer=same-node", "INVALID_OPTION", "leave it away"],
  ["kube-pod://sts/a?prefer=near", "INVALID_OPTION", ""],
  ["kube-image://", "INVALID_URL", "kube-image://registry.dagger.io"],
  ["kube-image://e:1?whatever=1", "INVALID_OPTION", "name"],
  ["kube-image://e:1?port=1", "INVALID_OPTION", ""],
  ["kube-image://e:1?container=c", "INVALID_OPTION", ""],
  ["kube-image://e:1?storage=much", "INVALID_OPTION", "storage=100Gi"],
  ["kube-image://e:1?claim=a&snapshot=b", "INVALID_OPTION", ""],
  ["kube-image://e:1?claim=a&storage=20Gi", "INVALID_OPTION", "leave one of them away"],
  ["kube-image://e:1?storage=none&storage-class=fast", "INVALID_OPTION", "leave one of them away"],
  ["kube-image://e:1?storage=none&snapshot=warm", "INVALID_OPTION", "leave one of them away"],
  ["kube-image://e:1?name=A", "INVALID_OPTION", "name=NAME"],
  ["kube-image://e:1?toleration=:x", "INVALID_OPTION", ""],
  ["kube-image://e:1?node-selector=x", "INVALID_OPTION", ""],
  ["kube-pod://a?namespce=b", "INVALID_OPTION", 'did you mean "namespace"'],
];

describe("target", () => {
  test.each(GOOD)("%s", (url, expected) => {
    expect(parseKubernetesTarget(parseRunnerUrl(url))).toMatchObject({ driver: "kubernetes", ...expected });
  });

  test("variables of an engine are hidden in the URL", () => {
    expect(parseKubernetesTarget(parseRunnerUrl("kube-image://e:1?env=TOKEN=hunter2")).url).toBe("kube-image://e:1?env=***");
  });

  test.each(BAD)("%s is refused with %s", (url, code, hint) => {
    const error = caught(url);
    expect(error).toMatchObject({ code });
    expect(error.hint ?? "").toContain(hint);
  });
});

function caught(url: string): RunnerError {
  try {
    parseKubernetesTarget(parseRunnerUrl(url));
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}
