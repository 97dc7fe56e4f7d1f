/** Touches or removes the TCP flows over IPv6 of its network namespace. Argument: touch or remove. Prints what was done. */
import { Conntrack } from '../../../src/kernel/conntrack.ts';

const conntrack = new Conntrack();
const flows = [];
for await (const part of conntrack.dump()) {
  flows.push(...part);
}
const tuples = flows
  .map(({ original }) => original)
  .filter(({ protocol, src }) => protocol === 6 && typeof src !== 'number');
const done = process.argv[2] === 'remove' ? conntrack.remove(tuples) : conntrack.touch(tuples);
console.log(JSON.stringify(await done));
conntrack.close();
