import { expect, it } from 'vitest';
import { breather } from '../../../src/system/breath.ts';

it('lets timers run in a loop that awaits nothing else', async () => {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  const breathe = breather();
  // A busy machine takes longer for it; without a breath there is none however long it lasts.
  const end = performance.now() + 5000;
  while (ticks <= 5 && performance.now() < end) {
    await breathe();
  }
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});
