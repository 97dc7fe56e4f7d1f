import { createSocket } from 'node:dgram';
import { readCommands, say } from '../../test/lab/traffic/json-lines.ts';

/**
 * `arrivals.js PORT`, at the server: notes when datagrams come. Every line of input is answered by what came since the one
 * before: how many, and the longest time between two.
 */
let last: number | undefined;
let count = 0;
let longestMs = 0;

const socket = createSocket('udp4');
socket.on('message', () => {
  const now = performance.now();
  longestMs = Math.max(longestMs, now - (last ?? now));
  last = now;
  count += 1;
});
socket.bind(Number(process.argv[2]));

readCommands<unknown>(
  () => {
    say({ count, longestMs });
    count = 0;
    longestMs = 0;
  },
  () => process.exit(0),
);
