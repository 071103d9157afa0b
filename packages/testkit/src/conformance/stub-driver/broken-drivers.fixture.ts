import { testDriver } from "../../vitest/test-driver.ts";
import { BROKEN_DRIVERS } from "./broken-drivers.ts";
import { stubSuite } from "./stub-suite.ts";

for (const [name, { create }] of Object.entries(BROKEN_DRIVERS)) testDriver({ ...stubSuite(name, create), releaseBudgetMs: 200, waitBudgetMs: 300 });
// An innocent package stands for an SDK.
testDriver({ ...stubSuite("loads an SDK at once"), entry: new URL("heavy-entry.ts", import.meta.url).href, sdkModules: ["fast-check"] });
