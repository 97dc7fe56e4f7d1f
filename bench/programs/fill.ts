import { setTimeout as sleep } from 'node:timers/promises';
import { Conntrack, type NewFlow } from '../../src/kernel/conntrack.ts';
import { flowsOfFw1 } from '../takeover/flows.ts';

/**
 * `fill.js insert|touch COUNT RATE [TIMEOUT]`, inside a node: makes the flows that the bench is about, or announces them once more,
 * at most RATE a second, so that conntrackd keeps up with the events.
 */
const [, , what, count, rate, timeout] = process.argv;
const PART = 1000;

const main = async (): Promise<void> => {
  const conntrack = new Conntrack();
  const began = performance.now();
  let sent = 0;
  let part: NewFlow[] = [];
  const send = async (): Promise<void> => {
    const result =
      what === 'insert'
        ? await conntrack.insert(part)
        : await conntrack.touch(part.map(({ original }) => original));
    if (result.done < part.length) {
      const [reason] = result.failed;
      throw new Error(
        `${what}: ${part.length - result.done} of ${part.length} refused, ${reason?.message ?? 'missing'}`,
      );
    }
    sent += part.length;
    part = [];
    await sleep(Math.max(0, began + (sent * 1000) / Number(rate) - performance.now()));
  };
  for (const flow of flowsOfFw1(Number(count))) {
    if (part.push(timeout === undefined ? flow : { ...flow, timeout: Number(timeout) }) === PART) {
      await send();
    }
  }
  await send();
  conntrack.close();
};

void main();
