import { describe, expect, it } from 'vitest';
import { demo } from './demo-run.ts';

// Without its mechanisms: long/demo-broken.

describe('the demo', () => {
  it('loses nothing', { timeout: 120_000 }, async () => {
    const { status, output } = await demo();
    expect(output).toContain('flows lost: 0 of 22');
    expect(output).toContain('packets twice in steady state: 0');
    expect(output).not.toMatch(/^not finished: /m);
    expect(status, output).toBe(0);
  });
});
