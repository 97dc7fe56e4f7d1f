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
  failures: [],
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
    {
      failures: [
        { began: 0, reason: 'ECONNRESET after 3 ms' },
        { began: 5, reason: 'closed after 2 ms' },
      ],
    },
    {},
    '2 of 100 connections failed: ECONNRESET after 3 ms, begun at 1970-01-01T00:00:00.000Z',
  ],
] as const)('a flow is lost when %s', (_, client, server, reason) => {
  const book = ledger();
  book.takeClient({ at: 1, used: [], flows: [report('c1.udp', client)] });
  book.takeServer({ at: 1, twice: {}, ports: {}, broken: {}, ...server });
  expect(book.verdicts()).toMatchObject([{ lost: true, state: 'lost', reason }]);
  expect(summarize(book.verdicts()).lost).toHaveLength(1);
});

test.each([
  ['just before the second', 8999, 1],
  ['a second before its owner loses power', 9000, 0],
  ['while it does', 10_050, 0],
  ['after it', 10_051, 1],
])('a new connection that began %s and failed counts or not', (_, began, failed) => {
  const book = new Ledger(() => [{ from: 10_000, to: 10_050 }]);
  book.add({ id: 'c1.connects', kind: 'connects', from: '192.168.0.2' });
  const failure = { began, reason: 'silence' };
  book.takeClient({ at: 1, used: [], flows: [report('c1.connects', { failures: [failure] })] });
  book.takeClient({ at: 2, used: [], flows: [report('c1.connects')] });
  expect(book.verdicts()).toMatchObject([{ failed, young: 1 - failed, lost: failed > 0 }]);
});

test('what failed and is forgiven counts no more, what fails later does', () => {
  const book = ledger();
  const failure = { began: 1, reason: 'ECONNRESET' };
  book.takeClient({ at: 1, used: [], flows: [report('c1.udp', { failures: [failure, failure] })] });
  expect(book.forgiveConnections()).toBe(2);
  expect(book.verdicts()).toMatchObject([{ failed: 0, lost: false }]);
  book.takeClient({ at: 2, used: [], flows: [report('c1.udp', { failures: [failure] })] });
  expect(book.verdicts()).toMatchObject([{ failed: 1, lost: true }]);
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
