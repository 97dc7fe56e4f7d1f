import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type Environment, readEnvironment } from '../environment.ts';
import { allowFlows } from '../limits.ts';
import type { Receiver } from '../packets/receiver.ts';
import { progress } from '../progress.ts';
import { receiversOf, SETUPS, type Setup } from './firewalls.ts';
import { report } from './report.ts';
import { type Load, load } from './web.ts';

/** One span of load. */
export interface Span extends Load {
  /** By node. */
  readonly nodes: readonly NodeSpan[];
}

export interface NodeSpan {
  readonly name: string;
  /** Processor time of the threads that take packets from the two data interfaces, seconds. */
  readonly forwarding: number;
  /** Packets that they took: own and foreign ones. */
  readonly packets: number;
}

export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began: programs that could run on this machine. */
  readonly load: number;
  readonly setups: readonly { readonly name: string; readonly spans: readonly Span[] }[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const SPANS = { full: 5, quick: 1 };
const SECONDS = { full: 5, quick: 1 };
/** More than one machine makes in a few spans: each connection has an entry for two minutes. */
const FLOWS = 2_000_000;

/** The howto's table: requests for an object of 0 bytes, through one firewall and through two. */
export const measureHttp = async ({ quick, json }: Options): Promise<void> => {
  allowFlows(FLOWS);
  const environment = await readEnvironment();
  const [average = 0] = loadavg();
  const length = quick ? 'quick' : 'full';
  const setups: { name: string; spans: readonly Span[] }[] = [];
  for (const setup of SETUPS) {
    setups.push({ name: setup.name, spans: await spansOf(setup, SPANS[length], SECONDS[length]) });
  }
  const results: Results = { environment, load: average, setups };
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(report(results));
};

const spansOf = async ({ name, open }: Setup, count: number, seconds: number): Promise<readonly Span[]> => {
  progress(`${name}: starts`);
  const lab = await open();
  try {
    const nodes = lab.nodes.filter(({ on }) => on);
    const threads: (readonly Receiver[])[] = [];
    for (const node of nodes) {
      threads.push(await receiversOf(lab, node)); // one after the other: new threads are told by not having been there
    }
    const look = () =>
      threads.map((receivers) => ({
        clock: receivers.reduce((sum, receiver) => sum + receiver.clock(), 0),
        packets: receivers.reduce((sum, receiver) => sum + receiver.packets(), 0),
      }));
    const spans: Span[] = [];
    for (let done = 1; done <= count; done += 1) {
      const before = look();
      const result = await load(lab, seconds);
      const after = look();
      spans.push({
        ...result,
        nodes: nodes.map((node, index) => ({
          name: node.name,
          forwarding: ((after[index]?.clock ?? 0) - (before[index]?.clock ?? 0)) / 1e9,
          packets: (after[index]?.packets ?? 0) - (before[index]?.packets ?? 0),
        })),
      });
      progress(`${name}: requests`, { done, of: count });
    }
    return spans;
  } finally {
    await lab.close();
  }
};
