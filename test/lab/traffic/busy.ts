import { onLine, openConnection } from './connection.ts';
import { type FlowSpec, INTERVAL, type Target } from './flow.ts';
import type { Meter } from './meter.ts';
import type { RunningFlow } from './running-flow.ts';

/** TCP: a numbered line every interval, whether or not the one before was answered; answers must come in order. */
export const startBusy = (spec: FlowSpec, target: Target, meter: Meter): RunningFlow => {
  const socket = openConnection(spec, target, 'echo', meter);
  /** When each request without an answer was sent, the oldest first. */
  const pending: number[] = [];
  let next = 0;
  let expected = 0;
  const send = (): void => {
    if (!meter.lost) {
      pending.push(performance.now());
      meter.send();
      socket.write(`${next}\n`);
      next += 1;
    }
  };
  onLine(socket, (line) => {
    if (line !== String(expected)) {
      meter.lose(`answer ${line.slice(0, 20)} instead of ${expected}`);
      return;
    }
    expected += 1;
    pending.shift();
    meter.answer(1, pending[0]);
  });
  send();
  const timer = setInterval(send, spec.intervalMs ?? INTERVAL.busy);
  return {
    use: async () => undefined,
    stop: () => {
      clearInterval(timer);
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
};
