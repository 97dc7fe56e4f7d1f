import { execa } from 'execa';
import { type FlowSpec, INTERVAL, type Target } from './flow.ts';
import type { Meter } from './meter.ts';
import { Numbers } from './numbers.ts';
import { parsePingLine } from './ping-line.ts';
import type { RunningFlow } from './running-flow.ts';

/** ICMP echo with a fixed identifier, by iputils' ping (-O says which requests have no answer yet). */
export const startPing = (spec: FlowSpec, target: Target, meter: Meter): RunningFlow => {
  const interval = String((spec.intervalMs ?? INTERVAL.ping) / 1000);
  const id = spec.icmpId === undefined ? [] : ['-e', String(spec.icmpId)];
  const child = execa('ping', ['-n', '-O', '-i', interval, ...id, '-I', spec.from, target.address], {
    reject: false,
    buffer: false,
    stdin: 'ignore',
  });
  const seen = new Numbers();
  let answeredAt = performance.now();
  let stopped = false;
  const take = (line: string): void => {
    const event = parsePingLine(line);
    if (event?.kind === 'unanswered') {
      meter.send(1, answeredAt);
    } else if (event !== undefined) {
      if (seen.add(event.sequence)) {
        meter.send();
        meter.answer();
        answeredAt = performance.now();
      } else {
        meter.twice();
      }
    }
  };
  void (async () => {
    for await (const line of child) {
      take(line);
    }
    const { exitCode, stderr } = await child;
    if (!stopped) {
      meter.lose(`ping ended with ${exitCode}: ${String(stderr ?? '')}`);
    }
  })();
  return {
    use: async () => undefined,
    stop: () => {
      stopped = true;
      child.kill('SIGINT');
    },
  };
};
