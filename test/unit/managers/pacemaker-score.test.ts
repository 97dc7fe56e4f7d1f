import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promotionScore } from '../../../src/managers/pacemaker/score.ts';

describe('promotionScore', () => {
  it.each([
    [0, 100],
    [1, 90],
    [2, 87],
    [3, 84],
    [15, 48],
  ])('is, of a node that is ready, by its rank %i: %i', (rank, score) => {
    expect(promotionScore(rank, true, false, false)).toBe(score);
    expect(promotionScore(rank, true, true, false)).toBe(score);
    expect(promotionScore(rank, true, false, true)).toBe(score);
  });

  it.each([
    ['owns it', true, false, 1],
    ['could only take what nobody has', false, true, 1],
    ['misses the states while a peer serves', false, false, undefined],
  ])('is, of a node that is not ready and %s: owns %s, orphan %s, score %s', (_, owns, orphan, score) => {
    expect(promotionScore(0, false, owns, orphan)).toBe(score);
    expect(promotionScore(15, false, owns, orphan)).toBe(score);
  });

  it('puts whoever is ready before whoever is not, and those in the order of the group', () => {
    const rank = fc.integer({ min: 0, max: 15 });
    fc.assert(
      fc.property(rank, rank, fc.boolean(), fc.boolean(), (one, other, owns, orphan) => {
        const ready = promotionScore(one, true, owns, orphan) ?? Number.NaN;
        expect(ready).toBeGreaterThan(promotionScore(other, false, owns, orphan) ?? 0);
        const second = promotionScore(other, true, owns, orphan) ?? Number.NaN;
        expect(Math.sign(ready - second)).toBe(Math.sign(other - one));
      }),
    );
  });
});
