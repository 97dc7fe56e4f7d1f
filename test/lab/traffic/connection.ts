import { connect, type Socket } from 'node:net';
import type { FlowSpec, Target } from './flow.ts';
import type { Meter } from './meter.ts';

/**
 * Opens the TCP connection of a flow and says its name to the server in the first line. The flow is lost when the
 * connection is reset, closed or fails.
 */
export const openConnection = (
  spec: FlowSpec,
  target: Target,
  service: 'echo' | 'bulk',
  meter: Meter,
): Socket => {
  const socket = connect({
    host: target.address,
    port: target.ports[service],
    localAddress: spec.from,
    noDelay: true,
    ...(spec.port === undefined ? {} : { localPort: spec.port }),
  });
  socket.on('error', (error: NodeJS.ErrnoException) => meter.lose(error.code ?? error.message));
  socket.on('close', () => meter.lose('closed'));
  socket.write(`${spec.id}\n`);
  return socket;
};

/** Calls `take` with every complete line that comes. */
export const onLine = (socket: Socket, take: (line: string) => void): void => {
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', (data) => {
    const lines = (rest + String(data)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      take(line);
    }
  });
};
