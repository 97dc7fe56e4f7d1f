import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConntrackdNews } from '../../../src/agent/conntrackd-news.ts';

const setUp = () => {
  const asked: (string | undefined)[] = [];
  const upkeep = {
    gaveUp: () => {},
    verifySoon: (peer?: string) => void asked.push(peer),
    recall: () => {},
    cacheHolds: () => {},
  };
  const news = new ConntrackdNews(upkeep, { loadedTable: () => {} }, pino({ level: 'silent' }));
  const clock = vi.spyOn(performance, 'now');
  /** Refusals that conntrackd's counters tell of at this moment. */
  const refuse = (now: number, count = 1): void => {
    clock.mockReturnValue(now);
    news.refusedStates(count);
  };
  return { news, asked, refuse };
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('states that the kernel refuses', () => {
  it('are counted, and compared at once', () => {
    const { news, asked, refuse } = setUp();
    expect(news.refused).toBe(0);
    refuse(1000, 3);
    refuse(2000, 4);
    expect(news.refused).toBe(7);
    expect(asked).toEqual([undefined, undefined]);
  });

  it('are refused again and again when a second look sees it too, until there was a pause', () => {
    const { news, refuse } = setUp();
    refuse(1000);
    expect(news.refusing(1000)).toBe(false);
    refuse(2000);
    expect(news.refusing(2000)).toBe(true);
    expect(news.refusing(4999)).toBe(true);
    expect(news.refusing(5000)).toBe(false);
    refuse(9000);
    expect(news.refusing(9000)).toBe(false);
  });
});
