import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/error.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { changed } from './sample.ts';

/** The lines of the error that `text` gives. */
export const complaints = (text: string): readonly string[] => {
  try {
    parseConfig(text, 'c.yaml');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.message.split('\n');
    }
    throw error;
  }
};

/** A row: the line of the sample, what stands there instead, and the error. */
export type Row = readonly [line: number, text: string | undefined, ...errors: string[]];

/** Each row is a test: exactly these errors. */
export const check = (name: string, rows: readonly Row[]): void => {
  describe(name, () => {
    test.each(rows.map(([line, text, ...errors]) => ({ line, text, errors })))(
      'line $line: $text',
      ({ line, text, errors }) => {
        expect(complaints(changed(line, text))).toEqual(errors.map((error) => `c.yaml:${error}`));
      },
    );
  });
};
