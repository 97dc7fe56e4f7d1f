import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type FlowSpec, INTERVAL, type Target } from './flow.ts';
import type { Meter } from './meter.ts';
import { Numbers } from './numbers.ts';
import type { RunningFlow } from './running-flow.ts';

/** UDP: a numbered datagram every interval, which the server sends back once. */
export const startUdp = (spec: FlowSpec, target: Target, meter: Meter): RunningFlow => {
  const socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
  const seen = new Numbers();
  let next = 0;
  let lastAnswered = -1;
  const interval = spec.intervalMs ?? INTERVAL.udp;
  socket.on('error', (error: NodeJS.ErrnoException) => meter.lose(error.code ?? error.message));
  socket.on('message', (message) => {
    const [id, text] = message.toString('latin1').split(' ');
    const number = Number(text);
    if (id !== spec.id || !Number.isSafeInteger(number)) {
      return;
    }
    if (!seen.add(number)) {
      meter.twice();
      return;
    }
    lastAnswered = Math.max(lastAnswered, number);
    // A datagram lost for good is no stall: only what was sent after the newest answer still waits.
    meter.answer(1, lastAnswered === next - 1 ? undefined : performance.now());
  });
  const send = (): void => {
    if (!meter.lost) {
      meter.send();
      socket.send(
        `${spec.id} ${next} `.padEnd(spec.size ?? 0, '.'),
        target.ports.udp,
        target.address,
        (error) => {
          // What the network says about one datagram (unreachable, no buffer) is a loss of that one.
          void error;
        },
      );
      next += 1;
    }
  };
  let timer: NodeJS.Timeout | undefined;
  socket.bind({ address: spec.from, port: spec.port ?? 0 }, () => {
    send();
    timer = setInterval(send, interval);
  });
  return {
    use: async () => undefined,
    stop: () => {
      clearInterval(timer);
      socket.close();
    },
  };
};
