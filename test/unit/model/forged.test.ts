import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Body } from '../../../src/peers/message.ts';
import { inVirtualTime, World } from './world.ts';

const GROUPS = ['fw1_fw2', 'fw1_fw3', 'fw2_fw3', 'fw2_fw1', 'fw3_fw1', 'fw3_fw2', 'none'];

const group = fc.constantFrom(...GROUPS);
const names = fc.subarray(GROUPS);
const id = fc.nat({ max: 5 });
const body: fc.Arbitrary<Body> = fc.oneof(
  fc.record({
    type: fc.constant('status' as const),
    managerAlive: fc.boolean(),
    owns: names,
    wants: names,
    forced: names,
    synced: names,
    lost: fc.subarray(['eth1', 'eth2']),
    drained: fc.boolean(),
  }),
  fc.record({ type: fc.constant('ask' as const), group, synced: fc.boolean(), id }),
  fc.record({
    type: fc.constant('answer' as const),
    group,
    id,
    granted: fc.boolean(),
    reason: fc.constant('forged'),
  }),
  fc.record({ type: fc.constant('bulk' as const) }),
);
const messages = fc.array(
  fc.record({
    after: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 1500 })),
    from: fc.constantFrom('fw2', 'fw3'),
    body,
  }),
  { maxLength: 40 },
);
const word = fc.constantFrom('BACKUP' as const, 'STOP' as const, undefined);

it('activates nothing whatever the peers say, where no manager wants it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(word, { minLength: 6, maxLength: 6 }),
      messages,
      async (seed, words, said) => {
        const world = new World({ nodes: 3, words: 'any', seed });
        await inVirtualTime(world, async () => {
          const machine = world.machine('fw1');
          machine.boot();
          await world.pass(2100);
          for (const [index, { name }] of world.groups.entries()) {
            const chosen = words[index];
            if (chosen !== undefined) {
              machine.word(name, chosen);
            }
          }
          for (const { after, from, body } of said) {
            await world.pass(after);
            machine.agent?.forge(from, body);
            expect([...machine.owned]).toEqual([]);
          }
          await world.pass(2500);
          expect([...machine.owned]).toEqual([]);
        });
      },
    ),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 60), seed: 7 },
  );
});
