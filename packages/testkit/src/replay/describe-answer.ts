import { decodeBytesMessage, decodePacket, decodeStat, type FileStat } from "@anyrunner/filesync";

import type { PathMapping } from "./path-mapping.ts";
import type { CallAnswer, RecordedCall } from "./recorded-call.ts";

/** An answer in lines that can be compared: `mapping` for one that was given here, undefined for a recorded one. */
export function describeAnswer(call: RecordedCall, answer: CallAnswer, mapping: PathMapping | undefined): readonly string[] {
  const end =
    answer.status === undefined ? "cancelled by the engine" : `status ${answer.status} ${mapping?.toRecorded(answer.message) ?? answer.message}`.trim();
  return [...describeMessages(call, answer.messages, mapping), end];
}

function describeMessages(call: RecordedCall, messages: readonly Buffer[], mapping: PathMapping | undefined): readonly string[] {
  switch (call.mode) {
    case "socket":
      return [`bytes ${Buffer.concat(messages.map((message) => Buffer.from(decodeBytesMessage(message)))).toString("hex")}`];
    case "tunnel":
      throw new Error("a tunnel is described by describeTunnel");
    case "unary":
    case "write-file":
      return messages.map((message) => `message ${message.toString("hex")}`);
    case "stat":
      return messages.map(decodeStat).map((stat) => describeStat({ ...stat, path: mapping?.toRecorded(stat.path) ?? stat.path }, isWrittenHere(call)));
    case "tree":
      return describeTree(messages, call.options["path"] === "/" ? mapping : undefined);
    case "write-tree":
      return describeRequests(messages);
  }
}

function isWrittenHere({ options }: RecordedCall): boolean {
  return String(options["path"]).startsWith("/tmp/");
}

/** The listing in its order; then the contents, whose pieces may be cut anywhere. */
function describeTree(messages: readonly Buffer[], mapping: PathMapping | undefined): readonly string[] {
  const lines: string[] = [];
  const contents = new Map<number, Buffer[]>();
  for (const message of messages) {
    const packet = decodePacket(message);
    if (packet.type === "data") contents.set(packet.id, [...(contents.get(packet.id) ?? []), Buffer.from(packet.data)]);
    else if (packet.type !== "stat") lines.push(JSON.stringify(packet));
    else if (packet.stat === undefined) lines.push("end of the listing");
    else {
      const path = mapping === undefined ? packet.stat.path : mapping.listedToRecorded(packet.stat.path);
      if (path !== undefined) lines.push(describeStat({ ...packet.stat, path }, false));
    }
  }
  return [...lines, ...[...contents].toSorted(([a], [b]) => a - b).map(([id, pieces]) => `content ${id}: ${Buffer.concat(pieces).toString("hex")}`)];
}

/** Which files were asked for; in what order is the receiver's own affair. */
function describeRequests(messages: readonly Buffer[]): readonly string[] {
  const packets = messages.map((message) => decodePacket(message));
  const ids = packets.flatMap((packet) => (packet.type === "request" ? [packet.id] : []));
  return [`requests ${ids.toSorted((a, b) => a - b).join(",")}`, ...packets.filter(({ type }) => type !== "request").map((packet) => JSON.stringify(packet))];
}

/** Owners are left out: the recording was made by root. */
function describeStat(stat: FileStat, withoutTime: boolean): string {
  const { path, mode, size, modTimeNs, linkname, gitIgnored } = stat;
  return [
    path,
    mode.toString(8),
    size,
    withoutTime ? "any time" : modTimeNs,
    ...(linkname === "" ? [] : [`-> ${linkname}`]),
    ...(gitIgnored ? ["ignored"] : []),
  ].join(" ");
}
