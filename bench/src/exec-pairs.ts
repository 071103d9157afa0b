import { memoryResult, pair, type PairResult } from "./pair.ts";
import { bothWays, download, firstByte, manyStreams, slowReaderGrowthMiB, type OpenStream } from "./stream-work.ts";

export interface ExecPairsOptions {
  /** `kube-pod`, as results call ours. */
  readonly ours: string;
  readonly openOurs: OpenStream;
  /** `kubectl exec`, as results call the peer. */
  readonly peer: string;
  readonly openPeer: OpenStream;
  readonly runs: number;
  /** Each of the peer's streams is a program and a login of its own. */
  readonly peerStreamsAtOnce: number;
}

const MIB = 100;
const STREAMS = 200;

/** What a driver that goes through an exec is compared by, with the command that it stands for. This process reads and writes both. */
export async function benchExecPairs({ ours, openOurs, peer, openPeer, runs, peerStreamsAtOnce }: ExecPairsOptions): Promise<readonly PairResult[]> {
  const few = Math.max(3, Math.round(runs / 2));
  const both = (name: string, count: number, work: (open: OpenStream) => ReturnType<typeof firstByte>) =>
    pair({ name: `${name} through ${ours} / ${peer}`, runs: count, target: 1, ours: () => work(openOurs), peer: () => work(openPeer) });
  return [
    await both("first byte", runs, firstByte),
    await both(`${MIB} MiB`, runs, (open) => download(open, MIB)),
    await both("1 GiB", few, (open) => download(open)),
    await both("1 GiB both ways", few, bothWays),
    await pair({
      name: `${ours}: ${STREAMS} streams at once / as many ${peer}, ${peerStreamsAtOnce} at once`,
      runs: 1,
      warmUps: 0,
      target: 1,
      ours: () => manyStreams(openOurs, STREAMS),
      peer: () => manyStreams(openPeer, STREAMS, peerStreamsAtOnce),
    }),
    memoryResult(`${ours}: growth while a slow reader takes 1 GiB / 64 MiB`, await slowReaderGrowthMiB(openOurs)),
  ];
}
