import { expect, it } from 'vitest';
import { breather } from '../../../src/system/breath.ts';

it('lets timers run in a loop that awaits nothing else', async () => {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  const breathe = breather();
  const end = performance.now() + 100;
  while (performance.now() < end) {
    await breathe();
  }
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});
