import type { RunnerEvent } from "@anyrunner/core";
import { expect, test } from "vitest";

import { warnOfVisibleSecrets } from "./visible-secrets.ts";

function warnings(...texts: readonly (string | undefined)[]): readonly RunnerEvent[] {
  const events: RunnerEvent[] = [];
  warnOfVisibleSecrets((event) => void events.push(event), texts);
  return events;
}

test.each(["tcp://me:hunter2@host:1", "tcp://host:1?token=hunter2", "docker-image://a?proxy=http://me:hunter2@proxy:3128"])(
  "%s is warned of once, with the remedy, and not shown",
  (url) => {
    const [warning, ...others] = warnings(undefined, url, url);
    expect(warning).toMatchObject({ type: "warning", hint: expect.stringContaining("anyrunner add NAME -") });
    expect(JSON.stringify(warning)).not.toContain("hunter2");
    expect(others).toEqual([]);
  },
);

test.each([
  [undefined],
  ["my-name"],
  ["-"],
  ["ssh://me@host"],
  ["tcp://host:1?password-file=/x"],
  ["docker-image://a@sha256:00"],
  ["docker-image://a?proxy=http://proxy:3128"],
  ["x://a b"],
])("%s holds none", (text) => {
  expect(warnings(text)).toEqual([]);
});
