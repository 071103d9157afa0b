import { parseRunnerUrl, serializeRunnerUrl, type RunnerEvent } from "@anyrunner/core";

import { caught, expectHidden, expectTypedError } from "./caught.ts";
import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { openTarget, visibleText } from "./open-target.ts";
import { createBudgetedDriver, withinBudget } from "./within-budget.ts";

const PLANTED = "planted-5ecret-7a1f";

/** Secrets that a URL or the surroundings hold never come out again. */
export function secretCases({ suite }: CaseContext): readonly CaseDraft[] {
  const group = "secrets";
  return [
    {
      group,
      name: "a password and secret parameters of a URL show in no error, report, target or handle",
      async run() {
        for (const url of await urlsWithSecrets(suite)) {
          const shown = await everythingSaidAbout(suite, url);
          expectHidden(shown.join("\n"), [PLANTED]);
        }
      },
    },
    {
      group,
      name: "what the driver learns from its surroundings shows in nothing that it emits",
      async run() {
        await using open = await openTarget(suite);
        const { driver, handle, target, emitted, far } = open;
        const report = (event: RunnerEvent) => open.report(event);
        const connection = await open.connect("DIE");
        connection.stream.resume();
        emitted.push(visibleText(await connection.closed("after the far end died")), JSON.stringify(await connection.diagnostics({})));
        emitted.push(JSON.stringify(await driver.probe(target, { report })));
        if (driver.inspect !== undefined) emitted.push(JSON.stringify(await driver.inspect(handle, { report })));
        if (driver.list !== undefined) emitted.push(JSON.stringify(await driver.list({ report })));
        await far.kill();
        emitted.push(visibleText(await caught(() => driver.connect(handle, { report }))));
        expectHidden(emitted.join("\n"), far.secrets ?? []);
      },
    },
  ];
}

/** The target's URL with a secret in each place where one can stand; not all of them need to be valid. */
async function urlsWithSecrets(suite: DriverSuite): Promise<readonly string[]> {
  const far = await suite.target();
  await far.close();
  const [scheme = "", rest = ""] = far.url.split("://");
  const { options } = suite.createDriver();
  const joiner = rest.includes("?") ? "&" : "?";
  return [
    `${scheme}://someone:${PLANTED}@${rest}`,
    `${scheme}://someone:${PLANTED}@nowhere.invalid/`,
    `${scheme}://${rest}${joiner}no-such-token=${PLANTED}`,
    ...options.filter(({ secret }) => secret).map(({ name }) => withParam(far.url, name, PLANTED)),
  ];
}

/** The parameter may stand there already, and most may stand there only once. */
function withParam(text: string, name: string, value: string): string {
  const url = parseRunnerUrl(text);
  return serializeRunnerUrl({ ...url, params: [...url.params.filter((param) => param.name !== name), { name, value }] });
}

async function everythingSaidAbout(suite: DriverSuite, url: string): Promise<readonly string[]> {
  const driver = createBudgetedDriver(suite);
  const shown: string[] = [];
  const report = (event: unknown) => {
    shown.push(JSON.stringify(event));
  };
  try {
    const target = await driver.parse(parseRunnerUrl(url));
    shown.push(JSON.stringify(target), JSON.stringify(await driver.probe(target, { report })));
    const handle = await driver.provision(target, { report });
    shown.push(JSON.stringify(handle));
    const { stream, closed } = await driver.connect(handle, { report });
    stream.destroy();
    shown.push(visibleText(await withinBudget(suite, "closed", "`closed` did not resolve after its stream was destroyed", closed)));
  } catch (error) {
    expectTypedError(error);
    shown.push(visibleText(error), JSON.stringify(error));
  }
  return shown;
}
