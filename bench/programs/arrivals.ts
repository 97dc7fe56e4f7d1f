import { createSocket } from 'node:dgram';
import { readCommands, say } from '../../test/lab/traffic/json-lines.ts';

/** What came between two questions. */
export interface Arrivals {
  readonly count: number;
  /** The longest time between two. */
  readonly longestMs: number;
  /** Numbers that were left out, up to the highest that came. */
  readonly lost: number;
  /** The longest time between two with a number left out between them; 0: none was. */
  readonly lostMs: number;
  /** Numbers that came again. */
  readonly twice: number;
}

/**
 * `arrivals.js PORT`, at the server: notes when datagrams of `stream.js` come. Every line of input is answered by what came
 * since the one before.
 */
const NOTHING = { count: 0, longestMs: 0, lost: 0, lostMs: 0, twice: 0 };
let seen = { ...NOTHING };
let last: number | undefined;
let highest: number | undefined;
/** Numbers that came since the last question: for those that come late or again. */
const numbers = new Set<number>();

const socket = createSocket('udp4');
socket.on('message', (datagram) => {
  const now = performance.now();
  const number = datagram.readUInt32BE();
  const gap = now - (last ?? now);
  const left = highest === undefined ? 0 : Math.max(0, number - highest - 1);
  seen.count += 1;
  seen.longestMs = Math.max(seen.longestMs, gap);
  seen.lostMs = left > 0 ? Math.max(seen.lostMs, gap) : seen.lostMs;
  seen.lost += left;
  if (numbers.has(number)) {
    seen.twice += 1;
  } else if (number < (highest ?? 0)) {
    // Late, not lost.
    seen.lost -= 1;
  }
  numbers.add(number);
  highest = Math.max(number, highest ?? 0);
  last = now;
});
socket.bind(Number(process.argv[2]));

readCommands<unknown>(
  () => {
    say(seen);
    seen = { ...NOTHING };
    numbers.clear();
  },
  () => process.exit(0),
);
