import { test } from 'vitest';
import { cutInTurn } from '../fleeting.ts';

test('a hundred power cuts in turn leave nothing behind in any table', { timeout: 1_200_000 }, () =>
  cutInTurn(100),
);
