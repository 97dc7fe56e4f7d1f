import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFifoLine, roleOf } from '../../../src/managers/keepalived/line.ts';

const GROUPS = new Set(['fw1_fw2', 'fw2_fw1']);
const parse = (text: string) => parseFifoLine(text, GROUPS);

describe('parseFifoLine', () => {
  it.each(['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED', 'MASTER_RX_LOWER_PRI'])('reads %s', (word) => {
    expect(parse(`INSTANCE "fw1_fw2" ${word} 150`)).toEqual({
      line: { group: 'fw1_fw2', word, priority: 150 },
    });
  });

  it('reads a line without a priority', () => {
    expect(parse('INSTANCE "fw2_fw1" STOP')).toEqual({
      line: { group: 'fw2_fw1', word: 'STOP', priority: 0 },
    });
  });

  it.each(['GROUP "fw1_fw2" MASTER 0', 'INSTANCE "fw1_fw2" MASTER_PRIORITY 50'])(
    'passes over what says nothing of a role: %s',
    (text) => {
      expect(parse(text)).toEqual({});
    },
  );

  it.each([
    ['', `not a line of keepalived's: ""`],
    ['hello', `not a line of keepalived's: "hello"`],
    ['INSTANCE "fw1_fw2" MASTER 150 ', `not a line of keepalived's: "INSTANCE \\"fw1_fw2\\" MASTER 150 "`],
    ['INSTANCE fw1_fw2 MASTER 150', `not a line of keepalived's: "INSTANCE fw1_fw2 MASTER 150"`],
    ['INSTANCE "fw1_fw2" master 150', `not a line of keepalived's: "INSTANCE \\"fw1_fw2\\" master 150"`],
    ['INSTANCE "fw1_fw2" DANCING 150', 'unknown state DANCING of "fw1_fw2"'],
    [
      'INSTANCE "VI_1" MASTER 150',
      '"VI_1" is no group of this cluster; name the vrrp_instance after its group',
    ],
  ])('says why it ignores %j', (text, ignored) => {
    expect(parse(text)).toEqual({ ignored });
  });

  it('hears keepalived behind what somebody left there', () => {
    expect(parse('INSTANCE "fw1_fINSTANCE "fw1_fw2" BACKUP 100')).toEqual({
      line: { group: 'fw1_fw2', word: 'BACKUP', priority: 100 },
      ignored: `not a line of keepalived's: "INSTANCE \\"fw1_f"`,
    });
  });

  it('shows nothing of a line that a terminal obeys, and no more than is needed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const { ignored = '' } = parse(`x${text}`);
        expect(ignored).not.toMatch(/[\p{Cc}]/u);
        expect(ignored.length).toBeLessThan(500);
      }),
    );
    expect(parse(`\u001b[2J\u009b31m${'x'.repeat(1000)}`).ignored).toBe(
      `not a line of keepalived's: "\\u001b[2J\\u009b31m${'x'.repeat(52)}..."`,
    );
  });
});

describe('roleOf', () => {
  it('takes whoever sends the advertisements for the owner, and nobody else', () => {
    expect((['MASTER', 'MASTER_RX_LOWER_PRI'] as const).map(roleOf)).toEqual(['owner', 'owner']);
    expect((['BACKUP', 'FAULT', 'STOP', 'DELETED'] as const).map(roleOf)).toEqual(Array(4).fill('replica'));
  });
});
