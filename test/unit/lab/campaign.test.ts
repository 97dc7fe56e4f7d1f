import { describe, expect, it } from 'vitest';
import { chooseStep, mending } from '../../lab/campaign/choose.ts';
import { afterwards, allWell, isWell, isWhole, type NodeCondition } from '../../lab/campaign/condition.ts';
import { EVENT_KINDS, eventText } from '../../lab/campaign/event.ts';
import { Random } from '../../lab/campaign/random.ts';
import { Tally } from '../../lab/campaign/tally.ts';

const cluster = (nodes: number): readonly NodeCondition[] =>
  Array.from({ length: nodes }, (_, index) => allWell(`fw${index + 1}`));

/** The events of a campaign, each with the nodes' conditions after it. */
const play = (seed: number, nodes: number, events: number) => {
  const random = new Random(seed);
  let condition = cluster(nodes);
  return Array.from({ length: events }, () => {
    const step = chooseStep(condition, random);
    condition = condition.map((node) =>
      node.name === step.event.node ? afterwards(node, step.event) : node,
    );
    return { step, condition };
  });
};

describe('a campaign', () => {
  it('is the same for the same seed, and another for another', () => {
    const texts = (seed: number) => play(seed, 3, 50).map(({ step }) => eventText(step.event));
    expect(texts(7)).toEqual(texts(7));
    expect(texts(7)).not.toEqual(texts(8));
  });

  it.each([2, 3, 5])('of %i nodes always leaves one that could serve', (nodes) => {
    for (const { condition } of play(1, nodes, 2000)) {
      expect(condition.some(isWhole)).toBe(true);
    }
  });

  it('has every kind of event happen, sooner or later', () => {
    expect(new Set(play(1, 2, 2000).map(({ step }) => step.event.kind)).size).toBe(EVENT_KINDS.length);
  });

  it('never lacks both heartbeats', () => {
    for (const { condition } of play(2, 3, 2000)) {
      const cut = new Set(condition.flatMap((node) => node.cut));
      const silent = condition.some(({ on, frozen, keepalived }) => on && (frozen || !keepalived));
      expect(cut.has('sync') && (cut.has('inside') || cut.has('outside') || silent)).toBe(false);
    }
  });

  it('can make all well again at any time', () => {
    for (const { condition } of play(3, 5, 500)) {
      const mended = condition.map((node) => mending(node).reduce(afterwards, node));
      expect(mended.every(isWell)).toBe(true);
    }
  });
});

describe('the tally', () => {
  it('adds up by kind', () => {
    const tally = new Tally();
    tally.note('boot', { events: 1, twice: 2, failed: 0, young: 0, worstStall: 30, worstSettling: 400 });
    tally.note('boot', { events: 1, twice: 1, failed: 1, young: 4, worstStall: 20, worstSettling: 500 });
    tally.note('overlapping', { events: 3, twice: 0, failed: 0, young: 0, worstStall: 7, worstSettling: 8 });
    expect(tally.events).toBe(5);
    expect(tally.text()).toMatch(/^boot +2 +30 ms +500 ms +3 +1 +4$/m);
    expect(new Tally(tally.rows).text()).toBe(tally.text());
  });
});
