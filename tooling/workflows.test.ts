import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { parse } from "yaml";

import { REPOSITORY } from "./workspace-packages.ts";

interface Job {
  readonly permissions?: Permissions;
  readonly environment?: string;
  readonly "timeout-minutes"?: number;
  readonly uses?: string;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}

type Permissions = Readonly<Record<string, string>>;

interface Workflow {
  readonly permissions?: Permissions;
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = globSync(".github/workflows/*.yml", { cwd: REPOSITORY }).toSorted();

test("there is one that checks and one that releases", () => {
  expect(files.map((file) => path.basename(file))).toEqual(["ci.yml", "release.yml"]);
});

describe.each(files)("%s", (file) => {
  const text = readFileSync(path.join(REPOSITORY, file), "utf8");
  const { permissions = { all: "write" }, jobs } = parse(text) as Workflow;
  const each = Object.entries(jobs);

  test("uses others' actions by commit, and says which version that is", () => {
    const used = [...text.matchAll(/uses: (?!\.\/)(.*)$/gm)].map(([, action]) => action);
    expect(used.length).toBeGreaterThan(0);
    expect(used).toEqual(used.map(() => expect.stringMatching(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)));
  });

  test("may write nothing but what a job of its own needs", () => {
    expect(Object.values(permissions)).not.toContain("write");
    const writing = each.flatMap(([name, job]) =>
      Object.entries(job.permissions ?? {}).flatMap(([what, access]) => (access === "write" ? [`${name}: ${what}`] : [])),
    );
    expect(writing).toEqual(
      path.basename(file) === "release.yml" ? ["versions: contents", "versions: pull-requests", "publish: id-token", "action: contents"] : [],
    );
  });

  test("ends in time, and puts nothing of others into a shell", () => {
    expect(each.filter(([, { uses, "timeout-minutes": minutes }]) => uses === undefined && minutes === undefined)).toEqual([]);
    expect(each.flatMap(([, { steps = [] }]) => steps.filter(({ run }) => run?.includes("${{")))).toEqual([]);
  });
});

test("the job that may publish runs nothing but Node and what was checked", () => {
  const { jobs } = parse(readFileSync(path.join(REPOSITORY, ".github/workflows/release.yml"), "utf8")) as Workflow;
  expect(jobs["publish"]?.environment).toBe("npm");
  expect(jobs["publish"]?.steps?.flatMap(({ run }) => run ?? [])).toEqual(["node tooling/publish.ts --provenance packs"]);
});
