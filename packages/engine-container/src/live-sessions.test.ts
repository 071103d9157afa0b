import { expect, test } from "vitest";

import { countSessions } from "./live-sessions.ts";

/** Cut from an engine 0.21.8 with one session, and without one. */
const LISTENING = "00000000303701f0: 00000002 00000000 00010000 0001 01 1716833 /run/dagger/engine.sock";
const CONNECTED = "0000000046802989: 00000003 00000000 00000000 0001 03 1718125 /run/dagger/engine.sock";
const OTHER = "0000000046802989: 00000003 00000000 00000000 0001 03 1718125 /run/other.sock";
const TCP = "   1: 0100007F:04D2 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 20 4 30 10 -1";

test.each<[string, string, number | undefined, number | undefined]>([
  ["the metric", `${LISTENING}\n${CONNECTED}\n# metrics\ndagger_connected_clients 3\n`, undefined, 3],
  ["the metric before connections that are no session", `${LISTENING}\n${CONNECTED}\n# metrics\ndagger_connected_clients 0\n`, undefined, 0],
  ["a metric with labels", `# metrics\ndagger_connected_clients{a="b"} 1e+00\n`, undefined, 1],
  ["connections to the socket", `${LISTENING}\n${CONNECTED}\n${CONNECTED}\n${OTHER}\n# metrics\n`, undefined, 2],
  ["none", `${LISTENING}\n${OTHER}\n# metrics\n`, undefined, 0],
  ["connections to the published port", `${LISTENING}\n${TCP}\n# metrics\n`, 1234, 1],
  ["not those to another port", `${LISTENING}\n${TCP}\n# metrics\n`, 4321, 0],
  ["nothing known where no engine listens", `${OTHER}\n${TCP}\n# metrics\n`, 1234, undefined],
  ["nothing known without an answer", "", undefined, undefined],
])("%s", (_name, text, port, expected) => {
  expect(countSessions(text, port)).toBe(expected);
});
