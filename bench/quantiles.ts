/** What a number of repetitions came to. */
export interface Figures {
  readonly count: number;
  readonly median: number;
  /** 99th percentile by nearest rank: of fewer than 100 repetitions it is the slowest. */
  readonly p99: number;
  readonly worst: number;
}

/** Throws a RangeError for an empty list. */
export const figuresOf = (values: readonly number[]): Figures => {
  const sorted = [...values].sort((one, other) => one - other);
  return {
    count: sorted.length,
    median: (at(sorted, Math.ceil(sorted.length / 2)) + at(sorted, Math.floor(sorted.length / 2) + 1)) / 2,
    p99: at(sorted, Math.ceil(sorted.length * 0.99)),
    worst: at(sorted, sorted.length),
  };
};

/** The value of that rank, from 1. */
const at = (sorted: readonly number[], rank: number): number => {
  const value = sorted[rank - 1];
  if (value === undefined) {
    throw new RangeError('nothing was measured');
  }
  return value;
};
