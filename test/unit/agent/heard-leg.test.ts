import { beforeEach, describe, expect, it } from 'vitest';
import { HeardLeg, type PeerOnLeg } from '../../../src/agent/heard-leg.ts';

const LOOK_MS = 50;

/** fw1's view of a leg that it shares with fw2, as time goes on. */
class Course {
  now = 0;
  readonly leg = new HeardLeg('fw1', 0);
  /** Whether frames of fw2 come in, and those of fw1 there. */
  hears = true;
  isHeard = true;
  /** What else is to be known of fw2; undefined: it can't be reached. */
  peer: Partial<PeerOnLeg> | undefined = {};
  #isHeardAt = 0;
  #sentAt = 0;

  /** @returns when it became, or ceased to be, deaf meanwhile */
  pass(milliseconds: number): readonly number[] {
    const changes: number[] = [];
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now += LOOK_MS;
      const before = this.leg.deaf;
      if (this.now - this.#sentAt >= this.leg.pause(this.peers, this.now)) {
        this.#sentAt = this.now;
        if (this.hears) this.leg.heard('fw2', this.now);
        if (this.isHeard) this.#isHeardAt = this.now;
      }
      this.leg.judge(this.peers, this.now);
      if (this.leg.deaf !== before) changes.push(this.now);
    }
    return changes;
  }

  get peers(): readonly PeerOnLeg[] {
    return this.peer === undefined
      ? []
      : [
          {
            name: 'fw2',
            telling: this.now,
            lost: false,
            heard: new Map([['fw1', this.now - this.#isHeardAt]]),
            ...this.peer,
          },
        ];
  }
}

let course: Course;
beforeEach(() => {
  course = new Course();
  expect(course.pass(10_000)).toEqual([]);
  expect(course.leg.verdict).toBe('heard');
});

describe('a leg is deaf', () => {
  it('2 s after the last frame, and until frames have come for a second', () => {
    course.hears = false;
    const [from = 0, ...more] = course.pass(20_000);
    expect(more).toEqual([]);
    expect(from - 10_000).toBeGreaterThan(900);
    expect(from - 10_000).toBeLessThanOrEqual(2100);
    expect(course.leg.verdict).toBe('deaf');
    course.hears = true;
    const [to = 0, ...again] = course.pass(10_000);
    expect(again).toEqual([]);
    expect(to - 30_000).toBeLessThanOrEqual(2100);
    expect(course.leg.verdict).toBe('heard');
  });

  it('still when one frame has slipped through', () => {
    course.hears = false;
    course.pass(5000);
    course.leg.heard('fw2', course.now);
    expect(course.pass(10_000)).toEqual([]);
    expect(course.leg.deaf).toBe(true);
  });

  it('not where the peer’s frames come late, even by nine tenths of a second', () => {
    course.hears = false;
    expect(course.pass(900)).toEqual([]);
    course.hears = true;
    expect(course.pass(10_000)).toEqual([]);
  });

  it('still when no peer can be reached, for nothing is known to have changed', () => {
    course.hears = false;
    course.pass(5000);
    course.peer = undefined;
    expect(course.pass(10_000)).toEqual([]);
    expect(course.leg.deaf).toBe(true);
  });

  it('still when its link was away', () => {
    course.hears = false;
    course.pass(5000);
    course.leg.interrupted(course.now);
    expect(course.pass(10_000)).toEqual([]);
  });

  it.each([
    ['the peer has lost the leg itself', { lost: true }],
    ['the peer’s agent is of an older version', { telling: 0 }],
  ])('no longer when %s', (_, peer) => {
    course.hears = false;
    course.pass(5000);
    course.peer = peer;
    expect(course.pass(LOOK_MS)).toHaveLength(1);
    expect(course.leg.deaf).toBe(false);
  });

  it('no longer when the peer hears nobody either', () => {
    course.hears = false;
    course.pass(5000);
    course.isHeard = false;
    expect(course.pass(5000)).toHaveLength(1);
    expect(course.leg.deaf).toBe(false);
    expect(course.leg.unheard(course.now)).toBe(true);
  });
});

describe('where nobody hears anybody', () => {
  it('no leg is deaf at any moment, whoever’s frame was the last, and it is said after 4 s', () => {
    for (const phase of [0, 50, 300, 500, 950]) {
      const other = new Course();
      other.pass(10_000 + phase);
      other.hears = false;
      other.isHeard = false;
      expect(other.pass(3000 - phase)).toEqual([]);
      expect(other.leg.unheard(other.now)).toBe(false);
      expect(other.pass(1500 + phase)).toEqual([]);
      expect(other.leg.unheard(other.now)).toBe(true);
    }
  });

  it('it is over with the first frame', () => {
    course.hears = false;
    course.isHeard = false;
    course.pass(6000);
    course.hears = true;
    course.pass(1100);
    expect(course.leg.unheard(course.now)).toBe(false);
  });
});

it('judges nothing for 2 s after it couldn’t listen', () => {
  course.hears = false;
  course.pass(900);
  course.leg.interrupted(course.now);
  expect(course.pass(1900)).toEqual([]);
  expect(course.pass(200)).toHaveLength(1);
});
