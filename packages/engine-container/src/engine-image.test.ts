import { parseRunnerUrl, readOptions, RunnerError, urlSecrets } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { ENGINE_IMAGE_OPTIONS } from "./engine-image-options.ts";
import { asksForSpecialEngine, parseEngineImage, withoutSecrets, withSecrets, type EngineImage } from "./engine-image.ts";

const SHA = `sha256:${"ab".repeat(32)}`;
const PLAIN = { cleanup: false, env: [], pull: "missing", mounts: [], labels: {} };

const GOOD: readonly (readonly [string, Partial<EngineImage>])[] = [
  ["registry.dagger.io/engine:v0.21.8", { reference: "registry.dagger.io/engine:v0.21.8" }],
  [`engine:v1@${SHA}?container=ee&volume=vv&cleanup=1`, { reference: `engine:v1@${SHA}`, container: "ee", volume: "vv", cleanup: true }],
  ["e:1?port=1234", { reference: "e:1", port: { address: "127.0.0.1", port: 1234 } }],
  ["e:1?port=0.0.0.0:1234", { reference: "e:1", port: { address: "0.0.0.0", port: 1234 } }],
  ["e:1?port=[::1]:1234", { reference: "e:1", port: { address: "::1", port: 1234 } }],
  ["e:1?cpus=1.5&memory=4g", { reference: "e:1", cpus: 1.5, memoryBytes: 4 * 1024 ** 3 }],
  ["e:1?idle=1h30m&keep=2", { reference: "e:1", idleMs: 5_400_000, keep: 2 }],
  ["e:1?memory=512MiB", { reference: "e:1", memoryBytes: 512 * 1024 ** 2 }],
  ["e:1?memory=1.5g", { reference: "e:1", memoryBytes: 1536 * 1024 ** 2 }],
  ["e:1?memory=1048576", { reference: "e:1", memoryBytes: 1_048_576 }],
  ["e:1?env=A=b=c&env=D&env=E=", { reference: "e:1", env: ["A=b=c", "D", "E="] }],
  [
    "e:1?mount=/a:/b:ro&mount=vol:/c",
    {
      reference: "e:1",
      mounts: [
        { kind: "bind", source: "/a", target: "/b", readOnly: true },
        { kind: "volume", source: "vol", target: "/c", readOnly: false },
      ],
    },
  ],
  ["e:1?mount=C:/a:/b", { reference: "e:1", mounts: [{ kind: "bind", source: "C:/a", target: "/b", readOnly: false }] }],
  ["e:1?label=a=b&label=c", { reference: "e:1", labels: { a: "b", c: "" } }],
  ["e:1?gpus=all", { reference: "e:1", gpus: { kind: "all" } }],
  ["e:1?port=0", { reference: "e:1" }],
  ["e:1?gpus=2", { reference: "e:1", gpus: { kind: "count", count: 2 } }],
  ["e:1?gpus=0,1", { reference: "e:1", gpus: { kind: "devices", devices: ["0", "1"] } }],
  ["e:1?gpus=device=0", { reference: "e:1", gpus: { kind: "devices", devices: ["0"] } }],
  ["e:1?gpus=device=any", { reference: "e:1", gpus: { kind: "devices", devices: ["any"] } }],
  ["e:1?gpus=nvidia.com/gpu=0,MIG-1", { reference: "e:1", gpus: { kind: "devices", devices: ["nvidia.com/gpu=0", "MIG-1"] } }],
  ["e:1?gpus=GPU-1b2c", { reference: "e:1", gpus: { kind: "devices", devices: ["GPU-1b2c"] } }],
  ["e:1?platform=linux/arm64/v8&network=host&pull=never", { reference: "e:1", platform: "linux/arm64/v8", network: "host", pull: "never" }],
  ["e:1?config=/etc/engine.json&ca=none&proxy=env", { reference: "e:1", config: "/etc/engine.json", ca: "none", proxy: "env" }],
  ["e?version=auto", { reference: "e", version: "auto" }],
  ["e?version=0.21.8", { reference: "e", version: "v0.21.8" }],
];

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ["", "INVALID_URL", /names no image/],
  ["a/UPPER", "INVALID_URL", /lower case/],
  ["e:1?container=x", "INVALID_OPTION", /two or more/],
  ["e:1?contianer=x", "INVALID_OPTION", /container/],
  ["e:1?container=-x", "INVALID_OPTION", /container/],
  ["e:1?container=", "INVALID_OPTION", /empty/],
  ["e:1?volume=/path", "INVALID_OPTION", /volume/],
  ["e:1?port=-1", "INVALID_OPTION", /port/],
  ["e:1?port=70000", "INVALID_OPTION", /port/],
  ["e:1?port=host:80", "INVALID_OPTION", /port/],
  ["e:1?cpus=0", "INVALID_OPTION", /cpus/],
  ["e:1?cpus=many", "INVALID_OPTION", /cpus/],
  ["e:1?memory=4x", "INVALID_OPTION", /memory/],
  ["e:1?idle=30", "INVALID_OPTION", /idle/],
  ["e:1?idle=59s", "INVALID_OPTION", /a minute or more/],
  ["e:1?keep=0", "INVALID_OPTION", /keep/],
  ["e:1?memory=0", "INVALID_OPTION", /memory/],
  ["e:1?env=1A=b", "INVALID_OPTION", /env/],
  ["e:1?env==secret", "INVALID_OPTION", /env/],
  ["e:1?mount=/a", "INVALID_OPTION", /mount/],
  ["e:1?mount=./a:/b", "INVALID_OPTION", /absolute/],
  ["e:1?mount=/a:b", "INVALID_OPTION", /mount/],
  ["e:1?label==x", "INVALID_OPTION", /label/],
  ["e:1?label=dev.anyrunner.role=engine", "INVALID_OPTION", /our own/],
  ["e:1?gpus=0", "INVALID_OPTION", /gpus/],
  ["e:1?gpus=a;b", "INVALID_OPTION", /gpus/],
  ["e:1?gpus=none", "INVALID_OPTION", /gpus/],
  ["e:1?gpus=-1", "INVALID_OPTION", /gpus/],
  ["e:1?gpus=ALL", "INVALID_OPTION", /gpus/],
  ["e:1?platform=Linux", "INVALID_OPTION", /platform/],
  ["e:1?pull=sometimes", "INVALID_OPTION", /missing, always, never/],
  ["e:1?config=engine.json", "INVALID_OPTION", /absolute path/],
  ["e:1?proxy=proxy:3128", "INVALID_OPTION", /proxy/],
  ["e:1?version=auto", "INVALID_OPTION", /tag or digest/],
  ["e?version=latest", "INVALID_OPTION", /X\.Y\.Z/],
];

describe("parseEngineImage", () => {
  test.each(GOOD)("%s", (text, expected) => {
    const image = parse(text);
    expect(image).toEqual({ ...PLAIN, ...expected });
    expect(JSON.parse(JSON.stringify(image))).toEqual(image);
  });

  test.each(BAD)("%s is refused with %s", (text, code, message) => {
    const error = caught(text);
    expect(error.code).toBe(code);
    expect(`${error.message} ${error.hint}`).toMatch(message);
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test.each([
    ["e:1", false],
    ["e:1?pull=always&cleanup=true", false],
    ["e?version=1.0.0", false],
    ["e:1?container=xx", true],
    ["e:1?env=A=b", true],
    ["e:1?label=a=b", true],
    ["e:1?mount=/a:/b", true],
    ["e:1?gpus=all", true],
  ])("%s asks for a special engine: %s", (text, special) => {
    expect(asksForSpecialEngine(parse(text))).toBe(special);
  });
});

function parse(text: string): EngineImage {
  const url = parseRunnerUrl(`docker-image://${text}`);
  return parseEngineImage(url, readOptions(url, ENGINE_IMAGE_OPTIONS));
}

function caught(text: string): RunnerError {
  try {
    parse(text);
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

test("what may be secret is taken out for a target, and put in again from the secrets of a call", () => {
  const url = parseRunnerUrl("docker-image://e:1?env=TOKEN=hunter2&env=HERE&proxy=http://me:hunter2@p:1&cpus=2");
  const image = parseEngineImage(url, readOptions(url, ENGINE_IMAGE_OPTIONS));
  const shown = withoutSecrets(image);
  expect(shown).toEqual({ reference: "e:1", cleanup: false, pull: "missing", mounts: [], labels: {}, cpus: 2 });
  expect(withSecrets(shown, urlSecrets(url, ENGINE_IMAGE_OPTIONS))).toEqual(image);
  expect(withSecrets(shown)).toEqual({ ...shown, env: [] });
});
