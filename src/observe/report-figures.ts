import { readFile } from 'node:fs/promises';
import { entryOf, type Section } from './report.ts';
import { packetEntries } from './report-rules.ts';
import { runAnywhere } from './report-versions.ts';

/** What is going on: the agent's view, how full conntrack is and what it lost, and packets. @param status the agent's, as text */
export const figuresSection = async (status: () => Promise<string>): Promise<Section> => ({
  title: 'Figures',
  entries: [
    await entryOf('status', status),
    await entryOf('conntrack entries', entries),
    await entryOf('conntrack lost', lost),
    ...(await packetEntries()),
  ],
});

const entries = async (): Promise<string> => {
  const [count, maximum] = await Promise.all(
    ['count', 'max'].map((name) => readFile(`/proc/sys/net/netfilter/nf_conntrack_${name}`, 'utf8')),
  );
  return `${count?.trim()} of ${maximum?.trim()}`;
};

/** Counters that stand for packets or flows that something went wrong with. conntrack(8), -S. */
const TROUBLES = ['invalid', 'insert_failed', 'drop', 'early_drop', 'error', 'clash_resolve'] as const;

const lost = async (): Promise<string> => sumsOf(await runAnywhere('conntrack', ['-S']));

/** Sums of the processors' counters, from what `conntrack -S` prints. */
export const sumsOf = (text: string): string =>
  TROUBLES.map((name) => {
    const values = [...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, 'g'))].map(([, value]) =>
      BigInt(value ?? 0),
    );
    return `${name} ${values.reduce((sum, value) => sum + value, 0n)}`;
  }).join(', ');
