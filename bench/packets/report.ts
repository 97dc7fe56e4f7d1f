import { count, environmentLine, table } from '../table.ts';
import { FLOWS } from './bed.ts';
import { type Costs, costsOf, singleOf, speedUp } from './costs.ts';
import type { Results } from './measure.ts';

const SIZES = [2, 4, 8, 16];

/** The results as a text to be read: tables in Markdown. */
export const report = (results: Results): string => {
  const { environment, load, mitigations, rounds, turnMs, family, series } = results;
  const costs = costsOf(series);
  return [
    `${environmentLine(environment)}, load ${load.toFixed(1)}; ${mitigations}`,
    '',
    `What a packet costs above being received, ns (${family}, ${count(FLOWS)} flows of UDP, 60 bytes; the least of ${rounds} turns of ${turnMs} ms):`,
    '',
    ...table(
      ['', 'own: from inside', 'from outside', 'foreign: from inside', 'from outside', 'foreign / own, %'],
      costs.map(costRow),
    ),
    '',
    'How many times as much as one firewall so many nodes carry, by these costs:',
    '',
    ...table(
      ['', ...SIZES.map((nodes) => `${nodes} nodes`)],
      costs.flatMap((one) => (one.foreign === undefined ? [] : [speedRow(costs, one)])),
    ),
    '',
    `By every other turn alone each cost is the same within ${Math.ceil(spread(results))} ns.`,
  ].join('\n');
};

const costRow = ({ name, snat, own, foreign }: Costs): readonly string[] => [
  nameOf(name, snat),
  ...[own.inside, own.outside].map(nanoseconds),
  ...(foreign === undefined
    ? ['', '', '']
    : [...[foreign.inside, foreign.outside].map(nanoseconds), ((foreign.mean / own.mean) * 100).toFixed(1)]),
];

const speedRow = (all: readonly Costs[], one: Costs): readonly string[] => [
  nameOf(one.name, one.snat),
  ...SIZES.map((nodes) => speedUp(nodes, singleOf(all, one), one).toFixed(1)),
];

const nameOf = (name: string, snat: boolean): string => `${name}${snat ? ', SNAT' : ''}`;

const nanoseconds = (value: number): string => count(Math.round(value));

/** How far the costs by odd turns and those by even turns are from each other, at most; nanoseconds. */
const spread = ({ series }: Results): number => {
  const [odd, even] = [1, 0].map((parity) =>
    costsOf(series, (turn) => turn % 2 === parity).flatMap(numbersOf),
  );
  return Math.max(...(odd ?? []).map((value, index) => Math.abs(value - (even?.[index] ?? 0))));
};

const numbersOf = ({ own, foreign }: Costs): readonly number[] =>
  [own, foreign].flatMap((cost) => (cost === undefined ? [] : [cost.inside, cost.outside]));
