import { connect } from "node:net";

/** The messages of ssh's control socket, from OpenSSH's PROTOCOL.mux (version 4, since 5.1): each is its length, its type and its fields. */
const HELLO = 0x00000001;
const OPEN_FORWARD = 0x10000006;
const OK = 0x80000001;
const PERMISSION_DENIED = 0x80000002;
const FAILURE = 0x80000003;

const VERSION = 4;
const LOCAL_FORWARD = 1;
/** Stands for the port where an address is the path of a socket. */
const SOCKET_PATH = 0xfffffffe;
const REQUEST_ID = 1;
/** Answers are a reason at most. */
const MAX_MESSAGE_BYTES = 64 * 1024;

export interface ForwardRequest {
  /** The control socket of an ssh that is logged in. */
  readonly control: string;
  /** Where ssh shall listen; absolute, and nothing is there. */
  readonly local: string;
  /** A Unix socket on the host; absolute. */
  readonly remotePath: string;
  readonly budgetMs: number;
}

/** ssh's own word against a forward, not a failure to talk to it. */
export class ForwardDeniedError extends Error {}

/**
 * Has ssh forward a socket, as `ssh -O forward` does but without starting a program: that took a tenth of a first dial. Fails with
 * ForwardDeniedError, or with an error of the control socket.
 */
export function requestForward({ control, local, remotePath, budgetMs }: ForwardRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: control });
    const settle = (then: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      then();
    };
    const fail = (error: Error) => settle(() => reject(error));
    const timer = setTimeout(() => fail(new Error(`ssh did not answer at its control socket within ${budgetMs / 1000} s`)), budgetMs);
    let received: Buffer = Buffer.alloc(0);
    socket.on("error", fail);
    socket.once("connect", () => socket.write(message(number(HELLO), number(VERSION))));
    socket.once("end", () => fail(new Error("ssh closed its control socket")));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 8 && !socket.destroyed) {
        const end = 4 + received.readUInt32BE(0);
        if (end < 8 || end > MAX_MESSAGE_BYTES) return fail(new Error("what ssh says at its control socket is not understood"));
        if (received.length < end) return;
        read(received.readUInt32BE(4), received.subarray(8, end));
        received = received.subarray(end);
      }
    });

    /** The request waits for ssh's greeting, which says that both mean the same. */
    function read(type: number, fields: Buffer): void {
      if (type === HELLO && fields.length >= 4 && fields.readUInt32BE(0) === VERSION) socket.write(openForward(local, remotePath));
      else if (type === OK) settle(resolve);
      else if (type === PERMISSION_DENIED || type === FAILURE) fail(new ForwardDeniedError(reasonOf(fields)));
      else fail(new Error(`ssh answers ${type.toString(16)} at its control socket`));
    }
  });
}

function openForward(local: string, remotePath: string): Buffer {
  const paths = [text(local), number(SOCKET_PATH), text(remotePath), number(SOCKET_PATH)];
  return message(number(OPEN_FORWARD), number(REQUEST_ID), number(LOCAL_FORWARD), ...paths);
}

/** Behind the id of the request. */
function reasonOf(fields: Buffer): string {
  return fields.subarray(8).toString("utf8");
}

function message(...fields: readonly Buffer[]): Buffer {
  const body = Buffer.concat(fields);
  return Buffer.concat([number(body.length), body]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}
