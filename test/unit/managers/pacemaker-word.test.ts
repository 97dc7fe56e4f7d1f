import { describe, expect, it } from 'vitest';
import { pacemakerWord, roleOfWord } from '../../../src/managers/pacemaker/word.ts';

describe('pacemakerWord', () => {
  it.each([
    ['PROMOTED', 'owner'],
    ['UNPROMOTED', 'replica'],
    ['STOPPED', 'replica'],
  ])('takes %s, which makes a node the %s', (word, role) => {
    expect(pacemakerWord(word)).toBe(word);
    expect(roleOfWord(word)).toBe(role);
  });

  it.each(['', 'promoted', 'MASTER', 'PROMOTED ', 'toString'])('knows no %j', (text) => {
    expect(pacemakerWord(text)).toBeUndefined();
  });
});
