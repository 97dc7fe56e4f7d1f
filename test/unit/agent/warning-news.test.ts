import { expect, it } from 'vitest';
import { WarningNews } from '../../../src/agent/warning-news.ts';
import type { Warning } from '../../../src/cluster/warning.ts';

const warning = (object: string, text = `${object} has no owner`): Warning => ({
  code: 'no-owner',
  object,
  text,
});

it('says once what has lasted for two seconds, and its end', () => {
  const lines: string[] = [];
  const news = new WarningNews({
    warn: (text: string) => lines.push(`warn ${text}`),
    info: (text: string) => lines.push(`info ${text}`),
  });
  news.look([warning('a'), warning('b')], 0);
  news.look([warning('a')], 1900);
  expect(lines).toEqual([]);
  // Another sentence about the same thing is no news.
  news.look([warning('a', 'a has none'), warning('b')], 2000);
  news.look([warning('a'), warning('b')], 3900);
  expect(lines).toEqual(['warn a has none [no-owner]']);
  news.look([], 3950);
  expect(lines).toEqual(['warn a has none [no-owner]', 'info no longer so: a has no owner [no-owner]']);
  news.look([warning('a')], 9000);
  expect(lines).toHaveLength(2);
});
