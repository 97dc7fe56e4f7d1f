import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../src/system/lines.ts';

const split = (limit: number, chunks: readonly (Buffer | string)[]) => {
  const lines: string[] = [];
  const tooLong: number[] = [];
  const splitter = new LineSplitter(
    limit,
    (line) => lines.push(line),
    (bytes) => tooLong.push(bytes),
  );
  for (const chunk of chunks) {
    splitter.push(chunk);
  }
  return { lines, tooLong, cut: splitter.end() };
};

describe('LineSplitter', () => {
  it('puts lines together from whatever pieces they come in', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z ]{0,20}$/)), fc.array(fc.nat(7)), (lines, sizes) => {
        let text = lines.map((line) => `${line}\n`).join('');
        const chunks: string[] = [];
        for (const size of sizes) {
          chunks.push(text.slice(0, size));
          text = text.slice(size);
        }
        expect(split(20, [...chunks, text])).toEqual({ lines, tooLong: [], cut: 0 });
      }),
    );
  });

  it('takes a line of the limit, and reports a longer one once with its length', () => {
    const chunks = ['a'.repeat(10), '\n', 'b'.repeat(11), '\nc\n'];
    expect(split(10, chunks)).toEqual({ lines: ['a'.repeat(10), 'c'], tooLong: [11], cut: 0 });
    const pieces = [...Array<string>(100).fill('d'.repeat(7)), 'e\nf\n'];
    expect(split(10, pieces)).toEqual({ lines: ['f'], tooLong: [701], cut: 0 });
    expect(split(10, [`${'g'.repeat(5000)}\n${'h'.repeat(50)}\ni\n`])).toEqual({
      lines: ['i'],
      tooLong: [5000, 50],
      cut: 0,
    });
  });

  it('drops what was cut, and says how much', () => {
    expect(split(10, ['a\nbc'])).toEqual({ lines: ['a'], tooLong: [], cut: 2 });
    expect(split(10, ['x'.repeat(30)])).toEqual({ lines: [], tooLong: [], cut: 30 });
  });

  it('keeps every byte of what is no text', () => {
    const { lines } = split(300, [Buffer.from([0, 255, 128, 10])]);
    expect(lines).toEqual(['\u0000\u00ff\u0080']);
  });
});
