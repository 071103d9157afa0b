import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { RunnerError } from "@anyrunner/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { stableClientId } from "./stable-client-id.ts";
import { userFolders } from "./user-folders.ts";
import { openUserStore, parseUserSettings } from "./user-store.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-home-"));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

describe("userFolders", () => {
  test.each([
    [{ HOME: "/h" }, "linux", "/h/.config/anyrunner", "/h/.local/state/anyrunner"],
    [{ HOME: "/h", XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s" }, "linux", "/c/anyrunner", "/s/anyrunner"],
    [{ HOME: "/h", XDG_CONFIG_HOME: "relative", XDG_STATE_HOME: "" }, "linux", "/h/.config/anyrunner", "/h/.local/state/anyrunner"],
    [{ HOME: "/h", APPDATA: "/app", LOCALAPPDATA: "/local" }, "win32", "/app/anyrunner", "/local/anyrunner"],
    [{ HOME: "/h", APPDATA: "/app" }, "linux", "/h/.config/anyrunner", "/h/.local/state/anyrunner"],
  ] as const)("%j on %s", (env, platform, config, state) => {
    expect(userFolders({ env, platform })).toMatchObject({ home: "/h", config, state });
  });
});

describe("openUserStore", () => {
  test("is empty before the first update, private afterwards, and leaves no temporary file", async () => {
    const store = openUserStore({ env: { HOME: home } });
    expect(await store.read()).toEqual({});
    await store.update((settings) => ({ ...settings, runner: "embedded://" }));
    expect(await openUserStore({ env: { HOME: home } }).read()).toEqual({ runner: "embedded://" });
    expect((await stat(store.file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(store.file))).toEqual(["config.json"]);
  });

  test("keeps keys of newer versions", async () => {
    const store = openUserStore({ env: { HOME: home } });
    await mkdir(dirname(store.file), { recursive: true });
    await writeFile(store.file, '{"future": [1], "runner": "a://"}');
    await store.update((settings) => ({ ...settings, runner: undefined }));
    expect(JSON.parse(await readFile(store.file, "utf8"))).toEqual({ future: [1] });
  });

  test("loses no update of several at once", async () => {
    const store = openUserStore({ env: { HOME: home } });
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.update((settings) => ({ ...settings, trustedDrivers: [...(settings.trustedDrivers ?? []), { path: `/${index}`, sha256: "" }] })),
      ),
    );
    expect((await store.read()).trustedDrivers).toHaveLength(8);
  });

  test("takes over the lock of a dead process", async () => {
    const store = openUserStore({ env: { HOME: home } });
    await mkdir(dirname(store.file), { recursive: true });
    await writeFile(`${store.file}.lock`, "4194305");
    expect(await store.update(() => ({ runner: "a://" }))).toEqual({ runner: "a://" });
  });

  test.each(["{", "[]", '{"runner": 1}', '{"trustedDrivers": [{}]}', '{"runners": []}', '{"runners": {"a/b": {"url": "x"}}}', '{"runners": {"a": {}}}'])(
    "refuses %s, naming the file",
    async (text) => {
      const store = openUserStore({ env: { HOME: home } });
      await mkdir(dirname(store.file), { recursive: true });
      await writeFile(store.file, text);
      await expect(store.read()).rejects.toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining(store.file) });
    },
  );

  test("any text gives settings or INVALID_CONFIG", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          expect(parseUserSettings(text, "/f")).toBeTypeOf("object");
        } catch (error) {
          if (!RunnerError.is(error) || error.code !== "INVALID_CONFIG") throw error;
        }
      }),
    );
  });
});

describe("stableClientId", () => {
  test("is made once, has 25 characters of base 36 and mode 0600", async () => {
    const id = await stableClientId({ env: { HOME: home } });
    expect(id).toMatch(/^[a-z0-9]{25}$/);
    expect(await stableClientId({ env: { HOME: home } })).toBe(id);
    const folder = join(home, ".local/state/anyrunner");
    expect(await readdir(folder)).toEqual(["stable_client_id"]);
    expect((await stat(join(folder, "stable_client_id"))).mode & 0o777).toBe(0o600);
  });

  test("is one for several first callers", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => stableClientId({ env: { HOME: home } })));
    expect(new Set(ids).size).toBe(1);
  });

  test("replaces a damaged file", async () => {
    await mkdir(join(home, ".local/state/anyrunner"), { recursive: true });
    await writeFile(join(home, ".local/state/anyrunner/stable_client_id"), "");
    const id = await stableClientId({ env: { HOME: home } });
    expect(await stableClientId({ env: { HOME: home } })).toBe(id);
  });

  test("warns where nothing can be kept, and still gives one", async () => {
    await writeFile(join(home, "file"), "");
    const events: string[] = [];
    const id = await stableClientId({ env: { HOME: home, XDG_STATE_HOME: join(home, "file") }, report: (event) => events.push(event.type) });
    expect(id).toMatch(/^[a-z0-9]{25}$/);
    expect(events).toEqual(["warning"]);
  });
});
