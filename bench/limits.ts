import { readFileSync, writeFileSync } from 'node:fs';

/** Can be set in the initial network namespace only, and holds for the table of each. */
const MAXIMUM = '/proc/sys/net/netfilter/nf_conntrack_max';

/** Raises the size of the connection tables if need be; the old one is put back when this process ends, however. */
export const allowFlows = (flows: number): void => {
  const before = readFileSync(MAXIMUM, 'utf8');
  if (Number(before) >= flows) {
    return;
  }
  try {
    writeFileSync(MAXIMUM, String(flows));
  } catch (cause) {
    throw new Error(
      `${MAXIMUM} is ${before.trim()} and can't be raised to ${flows} here; run the bench outside of any container`,
      { cause },
    );
  }
  process.once('exit', () => writeFileSync(MAXIMUM, before));
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(status));
  }
};
