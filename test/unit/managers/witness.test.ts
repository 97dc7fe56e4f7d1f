import { describe, expect, it } from 'vitest';
import { type Correction, Witness } from '../../../src/managers/keepalived/witness.ts';

const ADDRESS = '127.84.0.50';
const GROUPS = [
  { group: 'fw1_fw2', address: ADDRESS },
  { group: 'fw2_fw1', address: '127.84.0.51' },
];
const HERE = new Set(['127.0.0.1', ADDRESS]);
const GONE = new Set(['127.0.0.1']);

const MASTER = { group: 'fw1_fw2', word: 'MASTER', address: ADDRESS };
const NOT_MASTER = { group: 'fw1_fw2', word: 'NOT-MASTER', address: ADDRESS };

/** A witness whose writer has come and who has heard these words of fw1_fw2. */
const hearing = (...words: readonly Parameters<Witness['heard']>[1][]): Witness => {
  const witness = new Witness(GROUPS);
  witness.writer(true);
  for (const word of words) {
    witness.heard('fw1_fw2', word);
  }
  return witness;
};

const looks = (witness: Witness, ...seen: readonly ReadonlySet<string>[]): readonly Correction[] =>
  seen.flatMap((local) => witness.look(local));

describe('Witness', () => {
  it.each([
    ['MASTER', HERE],
    ['MASTER_RX_LOWER_PRI', HERE],
    ['BACKUP', GONE],
    ['FAULT', GONE],
    ['STOP', GONE],
    ['DELETED', GONE],
  ] as const)('has nothing to say when the word %s is right', (word, local) => {
    expect(looks(hearing(word), local, local, local, local, local)).toEqual([]);
  });

  it.each(['BACKUP', 'FAULT', 'STOP', 'DELETED'] as const)(
    'takes an instance for MASTER whose address is there for three looks after %s, once',
    (word) => {
      const witness = hearing(word);
      expect(looks(witness, HERE, HERE)).toEqual([]);
      expect(looks(witness, HERE)).toEqual([{ ...MASTER, said: word }]);
      expect(looks(witness, HERE, HERE, HERE, HERE)).toEqual([]);
    },
  );

  it('takes an instance for MASTER of which nothing was heard', () => {
    expect(looks(hearing(), HERE, HERE, HERE)).toEqual([{ ...MASTER, said: undefined }]);
  });

  it.each(['MASTER', 'MASTER_RX_LOWER_PRI'] as const)(
    'takes %s back when the address that was there is gone for three looks, once',
    (word) => {
      const witness = hearing(word);
      expect(looks(witness, HERE, GONE, GONE)).toEqual([]);
      expect(looks(witness, GONE)).toEqual([{ ...NOT_MASTER, said: word }]);
      expect(looks(witness, GONE, GONE, GONE)).toEqual([]);
      expect(looks(witness, HERE, HERE, HERE)).toEqual([{ ...MASTER, said: 'NOT-MASTER' }]);
    },
  );

  it('never misses an address that it has not seen: a keepalived.conf written by hand may have others', () => {
    expect(looks(hearing('MASTER'), GONE, GONE, GONE, GONE)).toEqual([]);
    const witness = hearing('MASTER');
    witness.look(HERE);
    witness.writer(true);
    expect(looks(witness, GONE, GONE, GONE, GONE)).toEqual([]);
  });

  it('counts looks in a row, and from the last line', () => {
    const witness = hearing('BACKUP');
    expect(looks(witness, HERE, HERE, GONE, HERE, HERE)).toEqual([]);
    witness.heard('fw1_fw2', 'BACKUP');
    expect(looks(witness, HERE, HERE)).toEqual([]);
    expect(looks(witness, HERE)).toHaveLength(1);
  });

  it('says nothing while nobody writes: a killed keepalived leaves its addresses', () => {
    const witness = hearing('MASTER');
    witness.look(HERE);
    witness.writer(false);
    expect(looks(witness, GONE, GONE, GONE, GONE)).toEqual([]);
    witness.heard('fw1_fw2', 'BACKUP');
    expect(looks(witness, HERE, HERE, HERE, HERE)).toEqual([]);
    witness.writer(true);
    expect(looks(witness, HERE, GONE, GONE, GONE)).toEqual([]);
  });

  it('takes no word of an earlier keepalived: after a reload MASTER is found by its address', () => {
    const witness = hearing('MASTER');
    witness.look(HERE);
    witness.writer(false);
    witness.writer(true);
    expect(looks(witness, HERE, HERE, HERE)).toEqual([{ ...MASTER, said: undefined }]);
  });

  it('starts from the word that an earlier agent has heard', () => {
    const witness = new Witness([{ group: 'fw1_fw2', address: ADDRESS, word: 'MASTER' }]);
    witness.writer(true);
    expect(looks(witness, HERE, HERE, HERE, GONE, GONE, GONE)).toEqual([{ ...NOT_MASTER, said: 'MASTER' }]);
  });
});
