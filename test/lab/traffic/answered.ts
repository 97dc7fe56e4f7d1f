import { until } from '../rig/wait.ts';
import type { Traffic } from './traffic.ts';

/** Every flow must have so many more answers before a state counts as steady. */
const ANSWERS = 3;

/** Waits until every flow (but the idle) has been answered again, and again. */
export const untilAnswered = async (traffic: Traffic): Promise<void> => {
  const look = () => traffic.snapshot().filter(({ kind }) => kind !== 'idle');
  const before = new Map(look().map(({ id, answered }) => [id, answered]));
  await until(
    'answers on every flow',
    () =>
      look()
        .filter(({ id, answered, lost }) => lost || answered < (before.get(id) ?? 0) + ANSWERS)
        .map(({ id, reason }) => `${id} ${reason}`),
    12_000,
    (open) => open.length === 0,
  );
};
