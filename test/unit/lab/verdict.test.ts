import { expect, test } from 'vitest';
import { renderVerdict } from '../../lab/demo/verdict-table.ts';
import type { FlowReport } from '../../lab/traffic/flow.ts';
import { Ledger } from '../../lab/verdict/ledger.ts';
import { SETTLING, summarize } from '../../lab/verdict/summary.ts';

const report = (id: string, more: Partial<FlowReport> = {}): FlowReport => ({
  id,
  state: 'up',
  reason: '',
  sent: 100,
  answered: 100,
  failed: 0,
  slow: 0,
  twice: 0,
  waiting: 0,
  worstStall: 30,
  stall: 30,
  ...more,
});

const ledger = (): Ledger => {
  const made = new Ledger();
  made.add({ id: 'c1.udp', kind: 'udp', from: '192.168.0.2' });
  return made;
};

test('what comes twice counts at both ends, with its time', () => {
  const book = ledger();
  book.takeClient({ at: 1000, used: [], flows: [report('c1.udp', { twice: 2 })] });
  book.takeClient({ at: 1100, used: [], flows: [report('c1.udp')] });
  book.takeServer({ at: 5000, twice: { 'c1.udp': 3 }, ports: {}, broken: {} });
  const verdicts = book.verdicts();
  expect(verdicts[0]?.twice).toEqual([
    { at: 1000, count: 2 },
    { at: 5000, count: 3 },
  ]);
  expect(summarize(verdicts)).toMatchObject({ twice: 5, twiceSteady: 5, worstStall: 30, lost: [] });
});

test.each([
  ['before the transition', 899, 1],
  ['in it', 900, 0],
  ['just after it', 1000 + SETTLING, 0],
  ['later', 1001 + SETTLING, 1],
])('what comes twice %s counts as steady or not', (_, at, steady) => {
  const book = ledger();
  book.takeClient({ at, used: [], flows: [report('c1.udp', { twice: 1 })] });
  expect(summarize(book.verdicts(), [{ from: 900, to: 1000 }]).twiceSteady).toBe(steady);
});

test.each([
  ['the client says so', { state: 'lost', reason: 'ECONNRESET' }, {}, 'ECONNRESET'],
  [
    'its port changed',
    {},
    { ports: { 'c1.udp': [2674, 10_682] } },
    'translated port changed: 2674, then 10682',
  ],
  ['its data is wrong', {}, { broken: { 'c1.udp': 'wrong data near byte 3' } }, 'wrong data near byte 3'],
  [
    'new connections failed',
    { failed: 2, reason: 'ECONNRESET after 3 ms' },
    {},
    '2 of 100 connections failed: ECONNRESET after 3 ms',
  ],
] as const)('a flow is lost when %s', (_, client, server, reason) => {
  const book = ledger();
  book.takeClient({ at: 1, used: [], flows: [report('c1.udp', client)] });
  book.takeServer({ at: 1, twice: {}, ports: {}, broken: {}, ...server });
  expect(book.verdicts()).toMatchObject([{ lost: true, state: 'lost', reason }]);
  expect(summarize(book.verdicts()).lost).toHaveLength(1);
});

test('one port is no change, and no report no loss', () => {
  const book = ledger();
  book.takeServer({ at: 1, twice: {}, ports: { 'c1.udp': [2674] }, broken: {} });
  expect(book.verdicts()).toMatchObject([{ lost: false, state: 'starting' }]);
  expect(() => book.add({ id: 'c1.udp', kind: 'busy', from: '' })).toThrow('two flows called c1.udp');
});

test('the final table tells each flow, each transition and the sums', () => {
  const book = ledger();
  book.takeClient({ at: 5000, used: [], flows: [report('c1.udp', { twice: 4, worstStall: 412 })] });
  const lines = renderVerdict(book.verdicts(), [{ name: 'fw1 loses power', from: 900, to: 1250 }]);
  expect(lines).toMatchInlineSnapshot(`
    [
      "FLOW              ANSWERED  WORST STALL  TWICE (STEADY)  VERDICT",
      "c1.udp                 100       412 ms           4 (4)  kept",
      "",
      "fw1 loses power                                                350 ms",
      "",
      "flows lost: 0 of 1",
      "packets twice in steady state: 4 (in transitions: 0)",
      "worst stall: 412 ms",
    ]
  `);
});
