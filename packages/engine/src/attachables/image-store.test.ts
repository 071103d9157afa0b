import { Readable } from "node:stream";
import { decodeBytesMessage, encodeBytesMessage } from "@anyrunner/filesync";
import { BasicStore, GrpcStatus } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import type { ImageStore } from "./image-store.ts";
import { startAttachables } from "./test-attachables.ts";

/** A store that keeps archives in memory. */
function makeStore() {
  const images = new Map<string, string>();
  const imageStore: ImageStore = {
    async load(archive, { name }) {
      let text = "";
      for await (const chunk of archive) text += String(chunk);
      images.set(name, text);
    },
    async save({ name }) {
      const image = images.get(name);
      if (image === undefined) throw new Error(`no image ${name}`);
      return Readable.from([Buffer.from(image.slice(0, 3)), Buffer.from(image.slice(3))]);
    },
  };
  return { images, imageStore };
}

const metadata = { "dagger.store.tag": "app:1" };
const data = (text: string) => Buffer.concat(encodeBytesMessage(Buffer.from(text)));

test("without a store nothing is offered", async () => {
  const { attachables } = startAttachables();
  expect(attachables.methods.filter((path) => path.includes("Store"))).toEqual([]);
});

describe("an image", () => {
  test.each([BasicStore.writeTarball.path, "/dagger.store.BasicStore/LoadTarball"])("%s: is loaded under its name", async (path) => {
    const { images, imageStore } = makeStore();
    const answer = await startAttachables({ imageStore }).call(path, metadata, [data("tar "), data(""), data("archive")]);
    expect(answer).toMatchObject({ status: 0, messages: [{ length: 0 }] });
    expect([...images]).toEqual([["app:1", "tar archive"]]);
  });

  test("is saved", async () => {
    const { images, imageStore } = makeStore();
    images.set("app:1", "tar archive");
    const { messages, status } = await startAttachables({ imageStore }).call(BasicStore.readTarball.path, metadata, [new Uint8Array()]);
    expect([status, messages.map((message) => Buffer.from(decodeBytesMessage(message)).toString())]).toEqual([0, ["tar", " archive"]]);
  });

  test("failures are those of the store; a name is needed", async () => {
    const { imageStore } = makeStore();
    const engine = startAttachables({ imageStore });
    expect(await engine.call(BasicStore.readTarball.path, metadata, [new Uint8Array()])).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: "no image app:1",
    });
    expect(await engine.call(BasicStore.readTarball.path, {}, [new Uint8Array()])).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
    expect(await engine.call(BasicStore.writeTarball.path, {}, [data("x")])).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  });

  test("a transfer that is cancelled fails the loading", async () => {
    let failure: unknown;
    const { imageStore } = makeStore();
    const load: ImageStore["load"] = (archive, options) =>
      imageStore.load(archive, options).catch((error: unknown) => {
        failure = error;
        throw error;
      });
    const engine = startAttachables({ imageStore: { ...imageStore, load } });
    const stream = engine.open(BasicStore.writeTarball.path, metadata);
    await stream.send(data("half"));
    stream.cancel();
    await stream.messages[Symbol.asyncIterator]()
      .next()
      .catch(() => {});
    while (failure === undefined) await new Promise(setImmediate);
    await engine.attachables.close();
    expect(failure).toMatchObject({ status: GrpcStatus.CANCELLED });
  });
});
