import { openConnection } from './connection.ts';
import { type FlowSpec, INTERVAL, type Target } from './flow.ts';
import type { Meter } from './meter.ts';
import { patternAt } from './pattern.ts';
import type { RunningFlow } from './running-flow.ts';

const DEFAULT_RATE = 10_000_000;

/** TCP: an endless stream at a fixed rate; the server checks every byte and answers with how many it has had. */
export const startBulk = (spec: FlowSpec, target: Target, meter: Meter): RunningFlow => {
  const socket = openConnection(spec, target, 'bulk', meter);
  const interval = spec.intervalMs ?? INTERVAL.bulk;
  const share = Math.round(((spec.rate ?? DEFAULT_RATE) * interval) / 1000);
  let position = 0;
  let answered = 0;
  let rest = Buffer.alloc(0);
  // So that it waits for the connection, too.
  meter.send(0);
  socket.on('data', (data: Buffer) => {
    const counts = Buffer.concat([rest, data]);
    const whole = counts.length - (counts.length % 8);
    rest = counts.subarray(whole);
    if (whole > 0) {
      const count = Number(counts.readBigUInt64BE(whole - 8));
      meter.answer(count - answered, count === position ? undefined : performance.now());
      answered = count;
    }
  });
  const timer = setInterval(() => {
    if (!meter.lost && !socket.connecting && socket.writableLength === 0) {
      const data = patternAt(position, share);
      socket.write(data);
      position += data.length;
      meter.send(data.length);
    }
  }, interval);
  return {
    use: async () => undefined,
    stop: () => {
      clearInterval(timer);
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
};
