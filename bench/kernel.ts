import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { type Address, parseAddress } from '../src/cluster/address.ts';
import { Conntrack, type NewFlow } from '../src/kernel/conntrack.ts';
import { Nftables, type SetRef } from '../src/kernel/nftables.ts';

/**
 * Rates of the netlink codecs and how long they hold the event loop. To be run in a network namespace of its own:
 *
 *   unshare -n npx tsx bench/kernel.ts [--flows 200000] [--rounds 5] [--family 4|6]
 */
const { values } = parseArgs({
  options: {
    flows: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    family: { type: 'string', default: '4' },
  },
});
const flows = Number(values.flows);
const rounds = Number(values.rounds);

const ipv6 = values.family === '6';
const server = parseAddress(ipv6 ? '2001:db8::100' : '192.168.1.100');
const shared = parseAddress(ipv6 ? 'fd00:2::5' : '192.168.1.5');

const clientAt = (index: number): Address => {
  const bytes = [index >>> 24, (index >>> 16) & 255, (index >>> 8) & 255];
  return parseAddress(
    ipv6 ? `fd00:1::${bytes.map((byte) => byte.toString(16)).join(':')}` : `10.${bytes.join('.')}`,
  );
};

/** Every other one with its source translated. */
const flow = (_: unknown, index: number): NewFlow => {
  const src = clientAt(index);
  const sport = 1024 + (index & 255);
  const dport = 1 + (index >>> 14);
  const [address, port] = index % 2 === 0 ? [src, sport] : [shared, 1024 + (index & 0x3fff)];
  return {
    original: { protocol: 6, src, sport, dst: server, dport },
    reply: { protocol: 6, src: server, sport: dport, dst: address, dport: port },
    status: 14,
    timeout: 3600,
  };
};

interface Run {
  readonly ms: number;
  /** Longest turn of the event loop, by the clock. */
  readonly heldMs: number;
  /** Longest turn in processor time of this process: what other programs take doesn't count. */
  readonly workMs: number;
}

const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const measure = async (work: () => Promise<unknown>): Promise<Run> => {
  let heldMs = 0;
  let workMs = 0;
  let running = true;
  let seen = performance.now();
  let worked = processorMs();
  const turn = (): void => {
    const now = performance.now();
    const processor = processorMs();
    heldMs = Math.max(heldMs, now - seen);
    workMs = Math.max(workMs, processor - worked);
    seen = now;
    worked = processor;
    if (running) {
      setImmediate(turn);
    }
  };
  setImmediate(turn);
  const begin = performance.now();
  await work();
  const ms = performance.now() - begin;
  running = false;
  await new Promise((resolve) => setImmediate(resolve));
  return { ms, heldMs, workMs };
};

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const report = (what: string, runs: readonly Run[]): void => {
  const rate = flows / median(runs.map(({ ms }) => ms));
  const longest = (turns: readonly number[]): string =>
    `${median(turns).toFixed(1)} (worst ${Math.max(...turns).toFixed(1)}) ms`;
  const held = longest(runs.map(({ heldMs }) => heldMs));
  const worked = longest(runs.map(({ workMs }) => workMs));
  console.log(
    `${what.padEnd(15)} ${rate.toFixed(0).padStart(5)} k/s, longest turn ${held}, of it own work ${worked}`,
  );
};

const conntrack = new Conntrack();
const all = Array.from({ length: flows }, flow);
const tuples = all.map(({ original }) => original);
const results = new Map<string, Run[]>();
const step = async (what: string, work: () => Promise<number>): Promise<void> => {
  let count = 0;
  const run = await measure(async () => {
    count = await work();
  });
  if (count !== flows) {
    throw new Error(`${what}: ${count} of ${flows}; is nf_conntrack_max high enough, the namespace empty?`);
  }
  results.set(what, [...(results.get(what) ?? []), run]);
};

for (let round = 0; round < rounds; round += 1) {
  await step('insert', async () => (await conntrack.insert(all)).done);
  await step('dump', async () => {
    let count = 0;
    for await (const part of conntrack.dump()) {
      count += part.length;
    }
    return count;
  });
  await step('touch', async () => (await conntrack.touch(tuples)).done);
  await step('remove', async () => (await conntrack.remove(tuples)).done);
  await step('touch, missing', async () => (await conntrack.touch(tuples)).missing);
}
conntrack.close();
for (const [what, runs] of results) {
  report(what, runs);
}

const reportBuckets = (what: string, times: number[]): void => {
  times.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((part) => (times[Math.floor(times.length * part)] ?? 0).toFixed(3));
  console.log(`${what}: median ${p50} ms, 99th percentile ${p99} ms`);
};

const set: SetRef = { family: 'netdev', table: 'bench', name: 'owned' };
await execa('nft', ['-f', '-'], {
  input: 'table netdev bench {\n set owned { type mark; size 4096; flags timeout; }\n}',
});
const nftables = new Nftables();
const times: number[] = [];
for (let turn = 0; turn < 2000; turn += 1) {
  const group = Array.from({ length: 32 }, (_, index) => index);
  const begin = performance.now();
  await nftables.change(set, turn % 2 === 0 ? { add: group, remove: [] } : { add: [], remove: group });
  times.push(performance.now() - begin);
}
reportBuckets('32 buckets added or removed', times);
for (const count of [32, 1024]) {
  const buckets = Array.from({ length: count }, (_, index) => index);
  await nftables.change(set, { add: buckets, remove: [], timeout: 60_000 });
  const renewals: number[] = [];
  for (let turn = 0; turn < 500; turn += 1) {
    const begin = performance.now();
    await nftables.renew(set, buckets, 60_000);
    renewals.push(performance.now() - begin);
  }
  reportBuckets(`${count} buckets renewed`, renewals);
}
nftables.close();
await execa('nft', ['delete', 'table', 'netdev', 'bench']);
