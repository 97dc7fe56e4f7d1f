import { setTimeout as sleep } from 'node:timers/promises';
import { Conntrack, type NewFlow } from '../../src/kernel/conntrack.ts';
import { flowsOfFw1 } from '../takeover/flows.ts';

/**
 * `churn.js FIRST RATE`, inside a node: RATE flows a second come, each goes after five seconds; none is among the FIRST of the
 * bench's. Every second it prints how many have come in how many milliseconds.
 */
const [, , first, rate] = process.argv;
const LIFE_MS = 5000;
const TICK_MS = 10;

function* churned(): Generator<NewFlow, void, undefined> {
  let number = 0;
  for (const flow of flowsOfFw1(Number.POSITIVE_INFINITY)) {
    number += 1;
    if (number > Number(first)) {
      yield flow;
    }
  }
}

const main = async (): Promise<void> => {
  const conntrack = new Conntrack();
  const flows = churned();
  const alive: { readonly since: number; readonly flows: readonly NewFlow[] }[] = [];
  const began = performance.now();
  let came = 0;
  let said = 0;
  for (;;) {
    const now = performance.now();
    const due = Math.floor(((now - began) * Number(rate)) / 1000) - came;
    const part = Array.from({ length: due }, () => flows.next().value).filter((flow) => flow !== undefined);
    const { failed } = await conntrack.insert(part);
    for (const reason of failed) {
      throw reason;
    }
    came += part.length;
    alive.push({ since: now, flows: part });
    while (now - (alive[0]?.since ?? now) >= LIFE_MS) {
      await conntrack.remove((alive.shift()?.flows ?? []).map(({ original }) => original));
    }
    if (now - began >= (said + 1) * 1000) {
      said += 1;
      process.stdout.write(`${JSON.stringify({ came, ms: Math.round(now - began) })}\n`);
    }
    await sleep(TICK_MS);
  }
};

void main();
