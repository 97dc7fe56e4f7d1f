import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bringUp } from '../../test/lab/cluster.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import type { FirewallNode } from '../../test/lab/rig/node.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { progress } from '../progress.ts';
import { type Figures, figuresOf } from '../quantiles.ts';
import { environmentLine, milliseconds, table } from '../table.ts';

export interface Results {
  readonly environment: Environment;
  /** Milliseconds a call, each of many calls in a row. */
  readonly calls: readonly { readonly what: string; readonly perCall: readonly number[] }[];
}

interface Options {
  readonly quick: boolean;
  readonly json: string | undefined;
}

const ROWS = { full: 20, quick: 2 };
/** In one row. */
const CALLS = 50;

const HOOKS = fileURLToPath(new URL('../../hooks', import.meta.url));

/** The caller stays the same, as Pacemaker's executor does. */
const MONITOR = `OCF_RESOURCE_INSTANCE=fw1_fw2 ${HOOKS}/ocf/group monitor`;

const CALLED = [
  ['a shell that does nothing', 'sh -c :'],
  ['monitor, nothing started', MONITOR.replace('fw1_fw2', 'fw2_fw1')],
  ['monitor, promoted', MONITOR],
  [
    "conntrackd's statistics, the least that the stock agent's monitor asks",
    'conntrackd -C /etc/conntrackd/conntrackd.conf -s',
  ],
] as const;

/** What a monitor of the resource agent costs while all is well. */
export const measureMonitor = async ({ quick, json }: Options): Promise<void> => {
  const environment = await readEnvironment();
  const rows = quick ? ROWS.quick : ROWS.full;
  progress('a node starts');
  const lab = await Lab.create({ nodes: 2, clients: 0, cluster: { snat: true, manager: 'pacemaker' } });
  try {
    const node = lab.node('fw1');
    await bringUp(node, 'none');
    for (const action of ['start', 'promote']) {
      await node.run(['sh', '-c', MONITOR.replace('monitor', action)]);
    }
    const calls: { what: string; perCall: number[] }[] = [];
    for (const [what, command] of CALLED) {
      const perCall: number[] = [];
      for (let done = 1; done <= rows; done += 1) {
        perCall.push(await rowOf(node, command));
        progress(what, { done, of: rows });
      }
      calls.push({ what, perCall });
    }
    const results: Results = { environment, calls };
    if (json !== undefined) {
      await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    }
    console.log(report(results));
  } finally {
    await lab.close();
  }
};

/** Milliseconds a call. The shell's own clock: what leads into the node doesn't count. */
const rowOf = async (node: FirewallNode, command: string): Promise<number> => {
  const script = `
    read -r from _ </proc/uptime
    i=0; while [ $i -lt ${CALLS} ]; do ${command} >/dev/null 2>&1; i=$((i + 1)); done
    read -r to _ </proc/uptime
    echo "$from $to"`;
  const [from = '', to = ''] = (await node.run(['sh', '-c', script])).trim().split(' ');
  return ((Number(to) - Number(from)) * 1000) / CALLS;
};

const report = ({ environment, calls }: Results): string =>
  [
    environmentLine(environment),
    '',
    `Milliseconds a call, ${CALLS} calls in a row:`,
    '',
    ...table(
      ['', 'rows', 'median', 'worst'],
      calls.map(({ what, perCall }) => rowFor(what, figuresOf(perCall))),
    ),
  ].join('\n');

const rowFor = (what: string, { count, median, worst }: Figures): readonly string[] => [
  what,
  String(count),
  milliseconds(median),
  milliseconds(worst),
];
