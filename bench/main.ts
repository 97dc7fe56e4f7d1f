import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { MOVERS, measureHandback } from './handback/measure.ts';
import { measureIdle } from './idle/measure.ts';
import { measureLoop } from './loop/measure.ts';
import { measureMonitor } from './monitor/measure.ts';
import { measureNodes } from './nodes/measure.ts';
import { measureRefresh } from './refresh/measure.ts';
import { measureTakeover } from './takeover/measure.ts';
import { measureVerify } from './verify/measure.ts';

const USAGE = `npm run bench -- takeover [--quick] [--json FILE]
    from the manager's word to active buckets, beside the stock way; adopting; power cut to the first packet
npm run bench -- handback [--by keepalived|pacemaker|clone] [--replicas kernel|cache] [--flows 0] [--repetitions 20] [--quick] [--json FILE]
    the moment without an owner when a group goes back to its home, as a flow sees it, beside so many others; by all three
    in turn: the clone is a plain one, without conntrack-ha
npm run bench -- idle [--quick] [--json FILE]
    what agent, conntrackd and keepalived use while nothing happens
npm run bench -- loop [--quick] [--json FILE]
    240 groups' words at once: until all are active, and how long that holds the event loop
npm run bench -- refresh [--quick] [--json FILE]
    what it costs owner and replica that copies don't expire
npm run bench -- monitor [--quick] [--json FILE]
    what a monitor of Pacemaker's resource agent costs
npm run bench -- nodes [--quick] [--json FILE]
    two, three and five nodes: until the others own what one leaves, and until it has its home back
npm run bench -- verify [--quick] [--json FILE]
    a replica compares its copies with the owner's flows, also while those come and go
npm run bench -- kernel [--flows 200000] [--rounds 5] [--family 4|6]
    the netlink codecs: rates, and how long they hold the event loop`;

const [what, ...rest] = process.argv.slice(2);

const options = (): { quick: boolean; json: string | undefined } => {
  const { values } = parseArgs({
    args: rest,
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  });
  return { quick: values.quick, json: values.json };
};

const takeover = (): Promise<void> => measureTakeover(options());

const handback = (): Promise<void> => {
  const { values } = parseArgs({
    args: rest,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      by: { type: 'string' },
      replicas: { type: 'string', default: 'kernel' },
      flows: { type: 'string', default: '0' },
      repetitions: { type: 'string', default: '20' },
    },
  });
  const { json } = values;
  const repetitions = values.quick ? 2 : Number(values.repetitions);
  const replicas = values.replicas === 'cache' ? 'cache' : 'kernel';
  const movers = MOVERS.filter((mover) => values.by === undefined || values.by === mover);
  return measureHandback({ movers, repetitions, json, replicas, flows: Number(values.flows) });
};

const idle = (): Promise<void> => measureIdle(options());

const loop = (): Promise<void> => measureLoop(options());

const refresh = (): Promise<void> => measureRefresh(options());

const monitor = (): Promise<void> => measureMonitor(options());

const nodes = (): Promise<void> => measureNodes(options());

const verify = (): Promise<void> => measureVerify(options());

/** In a network namespace of its own. */
const kernel = async (): Promise<void> => {
  const program = fileURLToPath(new URL('kernel.ts', import.meta.url));
  const tsx = fileURLToPath(new URL('../node_modules/.bin/tsx', import.meta.url));
  await execa('unshare', ['--net', '--', tsx, program, ...rest], { stdio: 'inherit' });
};

const run = { takeover, handback, idle, loop, monitor, refresh, nodes, verify, kernel }[what ?? ''];
if (run === undefined) {
  console.error(USAGE);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error('bench: it makes network namespaces; run it as root: sudo npm run bench -- takeover');
  process.exit(1);
}
try {
  await run();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
