import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LOWER, UPPER } from '../kernel/dataplane/site.ts';
import { askKind, expectAnswers, hostPorts } from './rig/asking.ts';
import { crossingConfig } from './rig/config.ts';
import { addressOf, Crossing, SERVER, SIDES } from './rig/crossing.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

/** Between the two inside the rules decide, one of which is in the networks of the other's exceptions. */
const DIRECTIONS = [
  ['lan', 'wan'],
  ['wan', 'lan'],
  ['dmz', 'wan'],
  ['wan', 'dmz'],
] as const;
const NODES = ['fw1', 'fw2'] as const;

const askAll = () =>
  Promise.all(
    DIRECTIONS.map(([from, to]) =>
      askKind(crossing, 'udp', from, { address: addressOf(to, 'ip', SERVER), ...hostPorts }),
    ),
  );
const expectAll = async (): Promise<void> => {
  for (const replies of await askAll()) expectAnswers('udp', replies);
};

/** What a node's programs have dropped, and what its rules have as another node's. */
const dropped = async (node: 'fw1' | 'fw2') => {
  const sum = (text: string, pattern: RegExp): number =>
    [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  const machine = crossing.nodes[node];
  const qdiscs = await Promise.all(
    Object.values(SIDES).map(({ device }) => machine.run(['tc', '-s', 'qdisc', 'show', 'dev', device])),
  );
  const rules = await machine.run(['nft', 'list', 'table', 'netdev', 'conntrack_ha']);
  return {
    programs: sum(qdiscs.join(''), /clsact[^(]*\(dropped (\d+)/g),
    rules: sum(rules, /packets (\d+) bytes \d+ drop comment "another node/g),
  };
};

describe('the programs before the rules', () => {
  const config = crossingConfig({ publish: false, prefilter: true });
  beforeEach(() => crossing.load(config, { fw1: LOWER, fw2: UPPER }), 30_000);

  it('drop all that these would have dropped, and nothing else', async () => {
    const before = await Promise.all(NODES.map(dropped));
    await expectAll();
    const after = await Promise.all(NODES.map(dropped));
    for (const [index, { programs, rules }] of after.entries()) {
      expect(programs - (before[index]?.programs ?? 0)).toBeGreaterThan(50);
      expect(rules).toBe(0);
    }
  });

  it('let in what is owned from now on', async () => {
    await crossing.change('fw1', config, { add: UPPER, remove: LOWER });
    await crossing.change('fw2', config, { add: LOWER, remove: UPPER });
    await expectAll();
  });

  it('drop it if they aren’t told', async () => {
    const behindThem = { ...config, prefilter: false };
    await crossing.change('fw1', behindThem, { add: UPPER, remove: LOWER });
    await crossing.change('fw2', behindThem, { add: LOWER, remove: UPPER });
    const answers = (await askAll()).flatMap((replies) => Object.values(replies).flat());
    expect(answers).toEqual([]);
  });

  it('are gone with the data plane', async () => {
    await crossing.unload(config);
    for (const node of NODES) {
      expect(await crossing.nodes[node].run(['tc', 'filter', 'show', 'dev', 'eth1', 'ingress'])).toBe('');
    }
  });
});
