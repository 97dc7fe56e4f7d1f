import { say } from '../../test/lab/traffic/json-lines.ts';
import { watchRules } from '../set-events.ts';

/** Buckets that came into a node's set or went out of it. */
export interface SetChange {
  /** CLOCK_MONOTONIC, which is the same for all processes of a machine, in milliseconds. */
  readonly at: number;
  readonly came: readonly number[];
  readonly went: readonly number[];
}

/** `set-watch.js`, inside a node: says when the kernel has told of buckets that came or went; first "listens". */
watchRules(({ added: came, removed: went }) => {
  const at = Number(process.hrtime.bigint() / 1000n) / 1000;
  if (came.length + went.length > 0) {
    say({ at, came, went });
  }
});
say('listens');
process.stdin.on('end', () => process.exit(0)).resume();
