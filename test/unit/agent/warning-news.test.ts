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
  news.look([], 0);
  news.look([warning('a'), warning('b')], 20_000);
  news.look([warning('a')], 21_900);
  expect(lines).toEqual([]);
  // Another sentence about the same thing is no news.
  news.look([warning('a', 'a has none'), warning('b')], 22_000);
  news.look([warning('a'), warning('b')], 23_900);
  expect(lines).toEqual(['warn a has none [no-owner]']);
  news.look([], 23_950);
  expect(lines).toEqual(['warn a has none [no-owner]', 'info no longer so: a has no owner [no-owner]']);
  news.look([warning('a')], 29_000);
  expect(lines).toHaveLength(2);
});

it('says nothing while an agent and what it waits for are starting', () => {
  const lines: string[] = [];
  const log = (text: string) => lines.push(text);
  const news = new WarningNews({ warn: log, info: log });
  news.look([warning('a'), warning('b')], 100);
  news.look([warning('a'), warning('b')], 15_000);
  news.look([warning('a')], 15_050);
  expect(lines).toEqual([]);
  news.look([warning('a')], 15_100);
  expect(lines).toEqual(['a has no owner [no-owner]']);
});
