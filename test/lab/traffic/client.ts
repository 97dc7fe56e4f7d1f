/**
 * Runs in a client: `client.js SERVER`. Takes commands (flow.ts) as lines on standard input, reports every 100 ms on
 * standard output, ends when its input closes.
 */
import { startBulk } from './bulk.ts';
import { startBusy } from './busy.ts';
import { startConnects } from './connects.ts';
import { type ClientReport, type Command, type FlowKind, type FlowSpec, PORTS, type Target } from './flow.ts';
import { startIdle } from './idle.ts';
import { readCommands, say } from './json-lines.ts';
import { Meter } from './meter.ts';
import { startPing } from './ping.ts';
import type { RunningFlow } from './running-flow.ts';
import { startUdp } from './udp.ts';

type Start = (spec: FlowSpec, target: Target, meter: Meter) => RunningFlow;

const STARTERS: Readonly<Record<FlowKind, Start>> = {
  busy: startBusy,
  idle: startIdle,
  udp: startUdp,
  ping: startPing,
  bulk: startBulk,
  connects: startConnects,
};

const server: Target = { address: process.argv[2] ?? '', ports: PORTS };
const flows: { readonly spec: FlowSpec; readonly meter: Meter; readonly flow: RunningFlow }[] = [];
let used: string[] = [];

const report = (): void => {
  const line: ClientReport = { at: Date.now(), flows: flows.map(({ meter }) => meter.report()), used };
  used = [];
  say(line);
};

const timer = setInterval(report, 100);

const end = (): void => {
  clearInterval(timer);
  report();
  for (const { flow } of flows) {
    flow.stop();
  }
  // Lets the last line out; nothing else keeps the process.
  process.stdout.write('', () => process.exit(0));
};

const obey = (command: Command): void => {
  if (command.do === 'add') {
    for (const spec of command.flows) {
      const meter = new Meter(spec);
      flows.push({ spec, meter, flow: STARTERS[spec.kind](spec, spec.to ?? server, meter) });
    }
  } else if (command.do === 'use') {
    for (const { spec, flow } of flows.filter((each) => each.spec.kind === 'idle')) {
      void flow.use().then(() => used.push(spec.id));
    }
  } else {
    end();
  }
};

readCommands<Command>(obey, end);
