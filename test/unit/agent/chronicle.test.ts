import { expect, it } from 'vitest';
import { Chronicle } from '../../../src/agent/chronicle.ts';
import { readEvents } from '../../../src/observe/events.ts';
import { type Step, TRANSITIONS, type TransitionName } from '../../../src/transitions/steps.ts';

const chronicle = () => {
  const written: string[] = [];
  return { written, it: new Chronicle('fw1', (lines) => written.push(lines)) };
};

const STEPS: Readonly<Record<TransitionName, readonly Step[]>> = {
  takeover: TRANSITIONS.takeover.map((step) => `takeover.${step}` as const),
  release: TRANSITIONS.release.map((step) => `release.${step}` as const),
  rejoin: TRANSITIONS.rejoin.map((step) => `rejoin.${step}` as const),
  mend: TRANSITIONS.mend.map((step) => `mend.${step}` as const),
};

it.each(['takeover', 'release', 'rejoin'] as const)('tells %s step by step', (name) => {
  const { written, it: told } = chronicle();
  const group = name === 'rejoin' ? '' : 'fw1_fw2';
  told.begin(name, group, 'because');
  for (const step of STEPS[name]) {
    told.done(step, group);
  }
  told.flush();
  expect(readEvents(written.join(''))).toMatchObject([
    {
      node: 'fw1',
      transition: name,
      group: group === '' ? null : group,
      reason: 'because',
      done: true,
      steps: TRANSITIONS[name].map((step) => ({ name: step })),
    },
  ]);
});

it('writes nothing before flush, and each step once', () => {
  const { written, it: told } = chronicle();
  told.begin('release', 'fw1_fw2', 'fw2 asks for it');
  told.done('release.hold', 'fw1_fw2');
  told.done('release.deactivate', 'fw1_fw2');
  expect(written).toEqual([]);
  told.flush();
  told.flush();
  expect(written).toHaveLength(1);
  expect(written[0]?.split('\n')).toHaveLength(3);
});

it('has one answer, also where the word came again', () => {
  const { written, it: told } = chronicle();
  told.begin('release', 'fw1_fw2', 'fw2 asks for it');
  for (const step of ['release.answer', 'release.answer', 'release.disown'] as const)
    told.done(step, 'fw1_fw2');
  told.flush();
  expect(readEvents(written.join(''))[0]?.steps.map(({ name }) => name)).toEqual(['answer', 'disown']);
});

it('takes the reason that is known last, and a second begin for the same transition', () => {
  const { written, it: told } = chronicle();
  told.begin('takeover', 'fw1_fw2', 'keepalived says MASTER');
  told.begin('takeover', 'fw1_fw2', 'another');
  told.done('takeover.ask', 'fw1_fw2');
  told.done('takeover.activate', 'fw1_fw2', 'keepalived says MASTER; fw2 gave it up');
  told.flush();
  const events = readEvents(written.join(''));
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ reason: 'keepalived says MASTER; fw2 gave it up', done: false });
});

it('forgets what was overtaken or never begun', () => {
  const { written, it: told } = chronicle();
  told.done('release.hold', 'fw1_fw2');
  told.begin('takeover', 'fw1_fw2', '');
  told.overtaken('takeover', 'fw1_fw2');
  told.done('takeover.adopt', 'fw1_fw2');
  told.doneForAll('takeover.adopt');
  told.flush();
  expect(written).toEqual([]);
});

it('ends all that wait for the same step', () => {
  const { written, it: told } = chronicle();
  for (const group of ['fw1_fw2', 'fw2_fw1']) {
    told.begin('release', group, '');
    told.done('release.hold', group);
  }
  told.doneForAll('release.disown');
  told.doneForAll('release.disown');
  told.flush();
  const events = readEvents(written.join(''));
  expect(events.map(({ group, done, steps }) => [group, done, steps.length])).toEqual([
    ['fw1_fw2', true, 2],
    ['fw2_fw1', true, 2],
  ]);
});
