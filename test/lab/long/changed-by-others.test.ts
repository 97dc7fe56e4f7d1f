import { test } from 'vitest';
import { bounceStory, NAMES, remakeStory } from '../changed-interfaces.ts';

test('an interface that is removed and made again: outside', () => remakeStory('outside'), 180_000);

test.each([
  { nodes: ['fw1'], milliseconds: 0 },
  { nodes: ['fw2'], milliseconds: 1000 },
  { nodes: NAMES, milliseconds: 0 },
])(
  'links of $nodes down and up after $milliseconds ms',
  ({ nodes, milliseconds }) => bounceStory(nodes, milliseconds),
  120_000,
);
