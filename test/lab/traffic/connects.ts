import { connect } from 'node:net';
import { type FlowSpec, INTERVAL, NAMELESS, PORTS, SILENCE, SLOW_CONNECT } from './flow.ts';
import type { Meter } from './meter.ts';
import type { RunningFlow } from './running-flow.ts';

/** Connections in one turn at most. */
const BURST = 5;

/**
 * A stream of short TCP connections: connect, one line there and back, close. Each has a verdict of its own: one that
 * is reset, refused or silent has failed; the stream itself is lost only when none gets through any more.
 */
export const startConnects = (spec: FlowSpec, server: string, meter: Meter): RunningFlow => {
  const open = new Set<symbol>();
  let stopped = false;
  const once = (): void => {
    const started = performance.now();
    const key = Symbol();
    open.add(key);
    meter.send();
    const socket = connect({ host: server, port: PORTS.echo, localAddress: spec.from, noDelay: true });
    let port = 0;
    socket.once('connect', () => {
      port = socket.localPort ?? 0;
    });
    const end = (problem?: string): void => {
      if (stopped || !open.delete(key)) {
        return;
      }
      clearTimeout(timer);
      const took = performance.now() - started;
      if (took > SLOW_CONNECT) {
        meter.slow();
      }
      if (problem === undefined) {
        meter.answer(1, open.size > 0 ? performance.now() : undefined);
        meter.stalled(took);
      } else {
        const reason = `${problem} after ${Math.round(took)} ms, from port ${port}`;
        meter.failed({ began: Date.now() - Math.round(took), reason });
      }
      socket.destroy();
    };
    const timer = setTimeout(() => end('silence'), SILENCE);
    socket.write(`${NAMELESS}\n?\n`);
    socket.once('data', () => end());
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => end('closed'));
  };
  const interval = spec.intervalMs ?? INTERVAL.connects;
  const began = performance.now();
  let begun = 0;
  // What a busy processor has held up is made up for, so that the rate is the one that was asked for; but not all at once.
  const keepPace = (): void => {
    const due = Math.floor((performance.now() - began) / interval);
    for (const end = Math.min(due, begun + BURST); begun < end; begun += 1) {
      once();
    }
  };
  const timer = setInterval(keepPace, interval);
  return {
    use: async () => undefined,
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
};
