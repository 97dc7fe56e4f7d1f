import { describe, expect, it } from 'vitest';
import { demo, expectBroken } from './demo-run.ts';

describe('the demo', () => {
  it('loses nothing', { timeout: 120_000 }, async () => {
    const { status, output } = await demo();
    expect(output).toContain('flows lost: 0 of 22');
    expect(output).toContain('packets twice in steady state: 0');
    expect(output).not.toMatch(/^not finished: /m);
    expect(status, output).toBe(0);
  });
});

// The others: long/demo-broken.
describe('the demo without a mechanism', () => {
  it('fails: readiness', { timeout: 120_000 }, () =>
    // The node that returns takes its group before it holds the states.
    expectBroken('readiness', /fw1\.idle .*LOST: no answer/),
  );
});
