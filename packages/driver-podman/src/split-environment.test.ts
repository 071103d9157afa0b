import { expect, test } from "vitest";

import { splitEnvironment } from "./split-environment.ts";

test("values go by the environment, but for names that the CLI would take for itself", () => {
  expect(splitEnvironment({ TOKEN: "s3cret", PATH: "/opt/bin", CONTAINERS_CONF: "", HTTP_PROXY: "http://p:1", XDG_RUNTIME_DIR: "/run" })).toEqual({
    args: ["-e", "TOKEN", "-e", "PATH=/opt/bin", "-e", "CONTAINERS_CONF=", "-e", "HTTP_PROXY", "-e", "XDG_RUNTIME_DIR=/run"],
    env: { TOKEN: "s3cret", HTTP_PROXY: "http://p:1" },
  });
});
