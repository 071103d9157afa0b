export interface Sample {
  readonly wallMs: number;
  readonly peakMiB?: number;
}

export interface PairOptions {
  readonly name: string;
  readonly runs: number;
  /** The highest ratio ours / peer that meets the project's target. */
  readonly target: number;
  readonly ours: (run: number) => Promise<Sample>;
  readonly peer: (run: number) => Promise<Sample>;
  /** Uncounted runs of each before. Default 1. */
  readonly warmUps?: number;
}

export interface PairResult {
  readonly name: string;
  readonly oursMs: number;
  readonly peerMs: number;
  /** Median of the ratios of neighbouring runs. */
  readonly ratio: number;
  readonly target: number;
  readonly oursMiB: number;
  readonly peerMiB: number;
  readonly runs: number;
  /** Of `oursMs` and `peerMs` where they are no times. */
  readonly unit?: string;
}

/** Runs ours and the peer in turn, so that a machine that drifts hits both alike; medians of all. */
export async function pair(options: PairOptions): Promise<PairResult> {
  const ours: Sample[] = [];
  const peer: Sample[] = [];
  const warmUps = options.warmUps ?? 1;
  for (let run = 0; run < warmUps + options.runs; run++) {
    const first = await options.ours(run);
    const second = await options.peer(run);
    if (run < warmUps) continue;
    ours.push(first);
    peer.push(second);
  }
  return {
    name: options.name,
    oursMs: median(ours.map((sample) => sample.wallMs)),
    peerMs: median(peer.map((sample) => sample.wallMs)),
    ratio: median(ours.map((sample, index) => sample.wallMs / (peer[index]?.wallMs ?? Number.NaN))),
    target: options.target,
    oursMiB: Math.max(...ours.map((sample) => sample.peakMiB ?? 0)),
    peerMiB: Math.max(...peer.map((sample) => sample.peakMiB ?? 0)),
    runs: options.runs,
  };
}

const MEMORY_LIMIT_MIB = 64;

/** By how much a process grew, against the most that it may. */
export function memoryResult(name: string, growthMiB: number): PairResult {
  return {
    name,
    oursMs: growthMiB,
    peerMs: MEMORY_LIMIT_MIB,
    ratio: growthMiB / MEMORY_LIMIT_MIB,
    target: 1,
    oursMiB: 0,
    peerMiB: 0,
    runs: 1,
    unit: "MiB",
  };
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest-rank percentile. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
