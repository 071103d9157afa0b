import type { Socket } from "node:net";

import { expect, test } from "vitest";

import { createAddressPin, type HeldAddress } from "./pin-address.ts";

const at = (remoteAddress: string) => ({ remoteAddress, remoteFamily: "IPv4" }) as Socket;
const lookUp = (held: HeldAddress) =>
  new Promise((resolve, reject) => held.lookup("engines.test", { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error))));

test("the address is forgotten with the last stream, also when that one never stood", async () => {
  let asked = 0;
  const pin = createAddressPin(async () => [{ address: `127.0.0.${++asked}`, family: 4 }]);
  const first = pin.hold();
  expect(await lookUp(first)).toEqual([{ address: "127.0.0.1", family: 4 }]);
  first.connected(at("127.0.0.1"));
  const second = pin.hold();
  first.release();
  second.failed();
  expect(await lookUp(pin.hold())).toEqual([{ address: "127.0.0.2", family: 4 }]);
});
