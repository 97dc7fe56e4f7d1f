import { expect, it } from 'vitest';
import { eventsText, readEvents } from '../../../src/observe/events.ts';

const step = (fields: object): string =>
  `${JSON.stringify({
    time: '2026-01-01T00:00:00.250Z',
    id: 'a1',
    node: 'fw2',
    transition: 'takeover',
    group: 'fw1_fw2',
    step: 'ask',
    ms: 0.2,
    reason: 'keepalived says MASTER',
    ...fields,
  })}\n`;

it('puts the steps of one transition together, and says when it began', () => {
  const text = [
    step({ ms: 250 }),
    step({ id: 'b2', transition: 'release', group: 'fw2_fw1', step: 'hold' }),
    step({ step: 'activate', ms: 251.5, reason: 'keepalived says MASTER; fw1 gave it up' }),
    step({ step: 'adopt', ms: 300 }),
  ].join('');
  const events = readEvents(text);
  expect(events).toMatchObject([
    {
      time: '2026-01-01T00:00:00.000Z',
      done: true,
      steps: [
        { name: 'ask', ms: 250 },
        { name: 'activate', ms: 251.5 },
        { name: 'adopt', ms: 300 },
      ],
    },
    { transition: 'release', group: 'fw2_fw1', done: false },
  ]);
});

it('leaves out what is cut or of another version', () => {
  const whole = step({});
  const text = `${whole.slice(40)}${whole}{}\nnull\n${step({ id: 'c3', transition: 'unheard of' })}${whole.slice(0, 40)}`;
  expect(readEvents(text)).toHaveLength(1);
  expect(readEvents('')).toEqual([]);
});

it('prints two lines a transition', () => {
  const text = eventsText(
    readEvents(step({}) + step({ id: 'b2', transition: 'rejoin', group: null, step: 'verify', ms: 1234.56 })),
  );
  expect(text).toBe(
    [
      '2026-01-01T00:00:00.249Z fw2: takeover fw1_fw2: keepalived says MASTER',
      '    ms: ask 0.2; not finished',
      '2025-12-31T23:59:59.015Z fw2: rejoin: keepalived says MASTER',
      '    ms: verify 1234.6',
    ].join('\n'),
  );
});
