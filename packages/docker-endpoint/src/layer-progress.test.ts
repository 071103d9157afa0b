import type { RunnerEvent } from "@anyrunner/core";
import { expect, test } from "vitest";

import { createLayerProgress } from "./layer-progress.ts";

const MIB = 1024 * 1024;

test("layers are summed; small steps are not told; the end is", () => {
  const events: RunnerEvent[] = [];
  const progress = createLayerProgress({
    id: "image-pull",
    message: "pulling engine:v1",
    moving: "Downloading",
    arrived: ["Download complete"],
    report: (event) => events.push(event),
  });
  progress.push({ status: "Pulling from engine", id: "v1" });
  progress.push({ status: "Pulling fs layer", id: "a" });
  progress.push({ status: "Downloading", id: "a", progressDetail: { current: 1 * MIB, total: 10 * MIB } });
  progress.push({ status: "Downloading", id: "a", progressDetail: { current: 2 * MIB, total: 10 * MIB } });
  progress.push({ status: "Downloading", id: "b", progressDetail: { current: 5 * MIB, total: 5 * MIB } });
  progress.push({ status: "Download complete", id: "a" });
  progress.push({ status: "Extracting", id: "a", progressDetail: { current: 1, total: 10 * MIB } });
  progress.push({ status: "Digest: sha256:1" });
  progress.end();
  const common = { type: "progress", id: "image-pull", message: "pulling engine:v1" };
  expect(events).toEqual([
    common,
    { ...common, current: 1 * MIB, total: 10 * MIB, unit: "bytes" },
    { ...common, current: 7 * MIB, total: 15 * MIB, unit: "bytes" },
    { ...common, current: 15 * MIB, total: 15 * MIB, unit: "bytes" },
    { ...common, done: true },
  ]);
});
