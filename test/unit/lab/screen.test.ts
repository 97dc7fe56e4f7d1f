import { expect, test } from 'vitest';
import type { GroupView, Model, NodeView } from '../../lab/demo/model.ts';
import { renderScreen } from '../../lab/demo/screen.ts';
import type { FlowVerdict } from '../../lab/verdict/ledger.ts';

const flow = (id: string, more: Partial<FlowVerdict> = {}): FlowVerdict => ({
  id,
  kind: 'udp',
  state: 'up',
  lost: false,
  reason: '',
  sent: 10,
  answered: 10,
  failed: 0,
  young: 0,
  slow: 0,
  twice: [],
  waiting: 0,
  worstStall: 12,
  ports: [],
  ...more,
});

const nodes: NodeView[] = [
  { name: 'fw1', on: true, owned: 32, sends: 1234, gets: 99_999 },
  { name: 'fw2', on: false, owned: undefined, sends: 0, gets: 0 },
];

const groups: GroupView[] = [
  { name: 'fw1_fw2', buckets: 32, owners: [{ node: 'fw1', buckets: 32 }] },
  { name: 'fw2_fw1', buckets: 32, owners: [] },
];

const KINDS = ['busy', 'idle', 'udp', 'ping', 'bulk', 'connects'];

const model = (more: Partial<Model> = {}): Model => ({
  title: 'two firewalls',
  elapsed: 67_300,
  nodes,
  groups,
  flows: ['c1', 'c2'].flatMap((client) =>
    ['fw1', 'fw2'].flatMap((home) => KINDS.map((kind) => flow(`${client}.${home}.${kind}`))),
  ),
  events: Array.from({ length: 30 }, (_, index) => ({
    at: index * 1000,
    text: `event ${index}`,
    tone: 'plain',
  })),
  ...more,
});

const SMALL = { columns: 80, rows: 24, colour: false };

test('twelve flows of two clients and the newest events fit a terminal of 80 by 24', () => {
  const lines = renderScreen(model(), SMALL);
  expect(lines).toMatchInlineSnapshot(`
    [
      "two firewalls                                                             1:07.3",
      "",
      "NODE      KERNEL OWNS   pkt/s out    in GROUP    BUCKETS  OWNER                ",
      "fw1       32 buckets       1234  99999  fw1_fw2       32  fw1",
      "fw2       no power                      fw2_fw1       32  nobody",
      "",
      "FLOW            STATE  WAITS  WORST  2x FLOW            STATE  WAITS  WORST  2x",
      "c1.fw1.busy     up         -  12 ms   0 c2.fw1.busy     up         -  12 ms   0",
      "c1.fw1.idle     up         -  12 ms   0 c2.fw1.idle     up         -  12 ms   0",
      "c1.fw1.udp      up         -  12 ms   0 c2.fw1.udp      up         -  12 ms   0",
      "c1.fw1.ping     up         -  12 ms   0 c2.fw1.ping     up         -  12 ms   0",
      "c1.fw1.bulk     up         -  12 ms   0 c2.fw1.bulk     up         -  12 ms   0",
      "c1.fw1.connects up         -  12 ms   0 c2.fw1.connects up         -  12 ms   0",
      "c1.fw2.busy     up         -  12 ms   0 c2.fw2.busy     up         -  12 ms   0",
      "c1.fw2.idle     up         -  12 ms   0 c2.fw2.idle     up         -  12 ms   0",
      "c1.fw2.udp      up         -  12 ms   0 c2.fw2.udp      up         -  12 ms   0",
      "c1.fw2.ping     up         -  12 ms   0 c2.fw2.ping     up         -  12 ms   0",
      "c1.fw2.bulk     up         -  12 ms   0 c2.fw2.bulk     up         -  12 ms   0",
      "c1.fw2.connects up         -  12 ms   0 c2.fw2.connects up         -  12 ms   0",
      "",
      "TIMELINE",
      "0:27.0  event 27",
      "0:28.0  event 28",
      "0:29.0  event 29",
    ]
  `);
  expect(lines).toHaveLength(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test.each([
  [40, 10],
  [80, 5],
  [200, 60],
])('a terminal of %i by %i is never overrun', (columns, rows) => {
  const lines = renderScreen(model({ title: 'long '.repeat(60) }), { columns, rows, colour: false });
  expect(lines.length).toBeLessThanOrEqual(rows);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
});

test('a group with two owners, in part or whole, says so', () => {
  const owners = [
    { node: 'fw1', buckets: 32 },
    { node: 'fw2', buckets: 3 },
  ];
  const lines = renderScreen(model({ groups: [{ name: 'fw1_fw2', buckets: 32, owners }] }), SMALL);
  expect(lines.join('\n')).toContain('fw1 and fw2: 3');
});

test('of more flows than fit, the lost ones are shown', () => {
  const many = Array.from({ length: 40 }, (_, index) => flow(`c1.flow${index}`));
  const lost = flow('c1.last', { state: 'lost', lost: true, waiting: 9000 });
  const text = renderScreen(model({ flows: [...many, lost] }), SMALL).join('\n');
  expect(text).toContain('c1.last         LOST   9.0 s');
});

test('colours add nothing that can be seen', () => {
  const esc = String.fromCharCode(27);
  const coloured = renderScreen(model(), { ...SMALL, colour: true });
  const plain = coloured.map((line) => line.replaceAll(new RegExp(`${esc}\\[\\d+m`, 'g'), '').trimEnd());
  expect(coloured.join('')).toContain(`${esc}[32m`);
  expect(plain).toEqual(renderScreen(model(), SMALL).map((line) => line.trimEnd()));
});
