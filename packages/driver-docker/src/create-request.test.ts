import { planEngineContainer, type EngineImage } from "@anyrunner/engine-container";
import { expect, test } from "vitest";

import { createRequest } from "./create-request.ts";

const IMAGE: EngineImage = { reference: "engine:v1", cleanup: false, env: [], pull: "missing", mounts: [], labels: {} };
const request = (image: Partial<EngineImage> = {}) => createRequest(planEngineContainer({ ...IMAGE, ...image }, { env: {} }));

test("an image and nothing else", () => {
  expect(request()).toEqual({
    Image: "engine:v1",
    Cmd: ["--debug", "--debugaddr", "127.0.0.1:6060"],
    Env: ["_EXPERIMENTAL_DAGGER_METRICS_ADDR=127.0.0.1:9090"],
    Labels: expect.objectContaining({ "dev.anyrunner.role": "engine" }),
    StopTimeout: 600,
    ExposedPorts: {},
    HostConfig: {
      Privileged: true,
      RestartPolicy: { Name: "unless-stopped" },
      Mounts: [
        {
          Type: "volume",
          Source: "anyrunner-engine-v1",
          Target: "/var/lib/dagger",
          ReadOnly: false,
          VolumeOptions: { Labels: { "dev.anyrunner.role": "engine-cache" } },
        },
      ],
      PortBindings: {},
    },
  });
});

test.each<[string, Partial<EngineImage>, object]>([
  ["cpus", { cpus: 1.5 }, { NanoCpus: 1_500_000_000 }],
  ["memory", { memoryBytes: 1024 }, { Memory: 1024 }],
  ["a port", { port: { address: "127.0.0.1", port: 1234 } }, { PortBindings: { "1234/tcp": [{ HostIp: "127.0.0.1", HostPort: "1234" }] } }],
  ["all GPUs", { gpus: { kind: "all" } }, { DeviceRequests: [{ Driver: "", Count: -1, Capabilities: [["gpu"]] }] }],
  ["two GPUs", { gpus: { kind: "count", count: 2 } }, { DeviceRequests: [{ Driver: "", Count: 2, Capabilities: [["gpu"]] }] }],
  ["one GPU", { gpus: { kind: "devices", devices: ["0"] } }, { DeviceRequests: [{ Driver: "", DeviceIDs: ["0"], Capabilities: [["gpu"]] }] }],
  ["a network", { network: "host" }, { NetworkMode: "host" }],
  ["a proxy on this machine", { proxy: "http://localhost:1" }, { ExtraHosts: ["host.docker.internal:host-gateway"] }],
])("%s", (_name, image, hostConfig) => {
  expect(request(image)["HostConfig"]).toMatchObject(hostConfig);
});

test("a folder of the host is mounted as it is", () => {
  const { Mounts: mounts } = request({ mounts: [{ kind: "bind", source: "/a", target: "/b", readOnly: true }] })["HostConfig"] as {
    readonly Mounts: readonly unknown[];
  };
  expect(mounts[1]).toEqual({ Type: "bind", Source: "/a", Target: "/b", ReadOnly: true });
});

test("a port is exposed and listened on", () => {
  expect(request({ port: { address: "127.0.0.1", port: 1234 } })).toMatchObject({
    Cmd: ["--debug", "--debugaddr", "127.0.0.1:6060", "--addr", "tcp://0.0.0.0:1234"],
    ExposedPorts: { "1234/tcp": {} },
  });
});
