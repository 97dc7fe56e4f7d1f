import { connect } from 'node:net';
import { type FlowSpec, INTERVAL, NAMELESS, SILENCE, SLOW_CONNECT, type Target } from './flow.ts';
import type { Meter } from './meter.ts';
import type { RunningFlow } from './running-flow.ts';

/** Connections in one turn at most. */
const BURST = 5;

/** Linux's own (ip_local_port_range in the kernel's ip-sysctl.rst). */
const LOCAL_PORTS = { first: 32768, last: 60999 } as const;

/**
 * A stream of short TCP connections: connect, one line there and back, close. Each has a verdict of its own: one that
 * is reset, refused or silent has failed; the stream itself is lost only when none gets through any more.
 */
export const startConnects = (spec: FlowSpec, target: Target, meter: Meter): RunningFlow => {
  const open = new Set<symbol>();
  let stopped = false;
  // In turn, since the kernel looks through all that wait to be free (TIME_WAIT) when it is to find one itself.
  let local: number = LOCAL_PORTS.last;
  const nextPort = (): number => {
    local = local === LOCAL_PORTS.last ? LOCAL_PORTS.first : local + 1;
    return local;
  };
  const begin = (): void => {
    const started = performance.now();
    const key = Symbol();
    open.add(key);
    const port = nextPort();
    const from = { localAddress: spec.from, localPort: port };
    const socket = connect({ host: target.address, port: target.ports.echo, ...from, noDelay: true });
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
    const again = (): void => {
      if (stopped || !open.delete(key)) return;
      clearTimeout(timer);
      begin();
    };
    socket.write(`${NAMELESS}\n?\n`);
    socket.once('data', () => end());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Another connection from here has the port: it is no one's failure.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EADDRINUSE') again();
      else end(error.message);
    });
    socket.on('close', () => end('closed'));
  };
  const interval = spec.intervalMs ?? INTERVAL.connects;
  const began = performance.now();
  let begun = 0;
  // What a busy processor has held up is made up for, so that the rate is the one that was asked for; but not all at once.
  const keepPace = (): void => {
    const due = Math.floor((performance.now() - began) / interval);
    for (const end = Math.min(due, begun + BURST); begun < end; begun += 1) {
      meter.send();
      begin();
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
