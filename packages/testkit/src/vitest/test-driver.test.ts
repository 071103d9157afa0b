import { stubSuite } from "../conformance/stub-driver/stub-suite.ts";
import { testDriver } from "./test-driver.ts";

testDriver(stubSuite("stub driver"));
