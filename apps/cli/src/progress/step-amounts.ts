import { formatBytes } from "@anyrunner/engine-container";
import type { LogRecord } from "@anyrunner/engine";

/** How far steps are, by the records that engines from 1.0 on send for layers and files; of a bounded number of them. */
export interface StepAmounts {
  /** Whether the record says how far something is; it is no output then. */
  add(log: LogRecord): boolean;
  /** All of what these steps say together: `1.5 MiB of 12.0 MiB`. Empty when they say nothing. */
  read(spanIds: readonly string[]): string;
  forget(spanId: string): void;
}

const MOST_STEPS = 1000;
const MOST_ITEMS = 1000;

interface Amount {
  readonly current: number;
  /** 0: nobody knows. */
  readonly total: number;
  readonly unit: string;
}

export function createStepAmounts(): StepAmounts {
  const steps = new Map<string, Map<string, Amount>>();
  return {
    add({ spanId, attributes }) {
      const item = attributes["dagger.io/progress.item"];
      if (typeof item !== "string") return false;
      const items = steps.get(spanId) ?? new Map<string, Amount>();
      const unit = attributes["dagger.io/progress.unit"];
      if (items.size < MOST_ITEMS || items.has(item)) {
        items.set(item, {
          current: numberOf(attributes["dagger.io/progress.current"]),
          total: numberOf(attributes["dagger.io/progress.total"]),
          unit: unit === "bytes" || unit === "objects" ? unit : "",
        });
      }
      steps.set(spanId, items);
      if (steps.size > MOST_STEPS) steps.delete(steps.keys().next().value ?? "");
      return true;
    },
    read(spanIds) {
      const amounts = spanIds.flatMap((id) => [...(steps.get(id)?.values() ?? [])]);
      const unit = amounts.some((amount) => amount.unit === "bytes") ? "bytes" : (amounts[0]?.unit ?? "");
      const counted = amounts.filter((amount) => amount.unit === unit);
      if (counted.length === 0) return "";
      const show = (value: number) => (unit === "bytes" ? formatBytes(value) : String(value));
      const total = counted.some((amount) => amount.total <= 0) ? undefined : sum(counted.map((amount) => amount.total));
      const current = show(sum(counted.map((amount) => amount.current)));
      return `${total === undefined ? current : `${current} of ${show(total)}`}${unit === "objects" ? " objects" : ""}`;
    },
    forget: (spanId) => void steps.delete(spanId),
  };
}

function numberOf(value: LogRecord["attributes"][string]): number {
  return typeof value === "bigint" || typeof value === "number" ? Math.max(0, Number(value)) : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
