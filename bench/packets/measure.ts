import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type Environment, readEnvironment } from '../environment.ts';
import { progress } from '../progress.ts';
import { Bed } from './bed.ts';
import type { Series } from './costs.ts';
import { IPV4 } from './family.ts';
import { firewalls } from './firewalls.ts';
import { report } from './report.ts';

/** Everything that one run has measured; `--json` writes it. */
export interface Results {
  readonly environment: Environment;
  /** Of the last minute, when it began: programs that could run on this machine. */
  readonly load: number;
  /** What the kernel does against flaws of this processor that makes calls slower, and nftables is full of calls. */
  readonly mitigations: string;
  readonly family: string;
  readonly rounds: number;
  readonly turnMs: number;
  readonly series: readonly Series[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const ROUNDS = { full: 60, quick: 4 };
/** Short, so that some of them fall between what other programs do; some ten thousand packets. */
const TURN_MS = 40;

/** What own and foreign packets cost by several ways of filtering, turn by turn in one run. */
export const measurePackets = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const [load = 0] = loadavg();
  const mitigations = await readMitigations();
  const rounds = quick ? ROUNDS.quick : ROUNDS.full;
  const bed = await Bed.create(IPV4);
  try {
    const streams = await bed.streams(firewalls());
    const each = streams.map((): number[] => []);
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, { turn }] of streams.entries()) {
        each[index]?.push((await turn(TURN_MS)).each);
      }
      progress('every stream in turn', { done: round, of: rounds });
    }
    const series = streams.map(({ firewall: { name, kind, snat }, owner, from }, index) => ({
      ...{ name, kind, snat, owner, from },
      each: each[index] ?? [],
    }));
    const results: Results = {
      environment,
      load,
      mitigations,
      family: IPV4.name,
      rounds,
      turnMs: TURN_MS,
      series,
    };
    if (json !== undefined) {
      await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    }
    console.log(report(results));
  } finally {
    await bed.close();
  }
};

/** Documentation/admin-guide/hw-vuln: those that change how functions are called, and how they return. */
const FLAWS = ['spectre_v2', 'retbleed', 'spec_rstack_overflow', 'indirect_target_selection'];

const readMitigations = async (): Promise<string> => {
  const texts = await Promise.all(
    FLAWS.map((flaw) => readFile(`/sys/devices/system/cpu/vulnerabilities/${flaw}`, 'utf8').catch(() => '')),
  );
  const counted = FLAWS.map((flaw, index) => `${flaw}: ${texts[index]?.split(';')[0]?.trim() ?? ''}`);
  return counted.filter((text) => !/: (Not affected)?$/.test(text)).join(', ') || 'none';
};
