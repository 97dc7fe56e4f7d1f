import type { Story } from './story.ts';

/** Does something to a story, waits until it is steady again, and says how long flows had to wait for an answer at worst. */
export const withStall = async (story: Story, what: string, act: () => Promise<unknown>): Promise<void> => {
  story.traffic.takeStall();
  await act();
  await story.steady();
  const stall = story.traffic.takeStall();
  const whose = story.traffic.snapshot().filter(({ worstStall }) => worstStall === stall);
  console.log(`${what}: worst stall ${stall} ms, of ${whose.map(({ id }) => id).join(', ')}`);
};
