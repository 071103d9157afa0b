import { expect, test } from "vitest";

import { userFolders } from "./user-folders.ts";

const HOME = "/home/me";
const folders = (env: Readonly<Record<string, string>>, platform: NodeJS.Platform = "linux") => userFolders({ env: { HOME, ...env }, platform });

test("folders follow the XDG rules", () => {
  const own = { home: HOME, config: "/home/me/.config/anyrunner", state: "/home/me/.local/state/anyrunner", data: "/home/me/.local/share/anyrunner" };
  expect(folders({})).toEqual(own);
  expect(folders({ XDG_CONFIG_HOME: "relative" })).toEqual(own);
  expect(folders({ XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s", XDG_DATA_HOME: "/d" })).toEqual({
    home: HOME,
    config: "/c/anyrunner",
    state: "/s/anyrunner",
    data: "/d/anyrunner",
  });
});

test("ANYRUNNER_HOME holds choices and drivers, and not what runs on the machine", () => {
  expect(folders({ ANYRUNNER_HOME: "/job", XDG_CONFIG_HOME: "/c" })).toEqual({
    home: HOME,
    config: "/job",
    state: "/home/me/.local/state/anyrunner",
    data: "/job",
  });
  expect(folders({ ANYRUNNER_HOME: "job" })).toEqual(folders({}));
  expect(folders({ ANYRUNNER_HOME: "" })).toEqual(folders({}));
});
