import { onLine, openConnection } from './connection.ts';
import type { FlowSpec, Target } from './flow.ts';
import type { Meter } from './meter.ts';
import type { RunningFlow } from './running-flow.ts';

/** TCP: one line and its answer at the start, then silence until `use`. */
export const startIdle = (spec: FlowSpec, target: Target, meter: Meter): RunningFlow => {
  const socket = openConnection(spec, target, 'echo', meter);
  let answered: () => void = () => undefined;
  let count = 0;
  onLine(socket, (line) => {
    if (line === String(count)) {
      count += 1;
      meter.answer();
      answered();
    }
  });
  socket.on('close', () => answered());
  const use = (): Promise<void> =>
    new Promise((resolve) => {
      if (meter.lost) {
        resolve();
        return;
      }
      const watch = setInterval(() => {
        meter.check();
        if (meter.lost) {
          answered();
        }
      }, 100);
      answered = () => {
        clearInterval(watch);
        resolve();
      };
      meter.send();
      socket.write(`${count}\n`);
    });
  void use();
  return {
    use,
    stop: () => {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
};
