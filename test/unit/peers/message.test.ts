import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from '../../../src/peers/message.ts';

const STATUS = { type: 'status', managerAlive: true, owns: ['fw1_fw2'], wants: [], synced: [] };

const decoded = (body: object) =>
  decodeEnvelope(
    Buffer.from(
      JSON.stringify({
        version: 1,
        cluster: 'edge',
        from: 'fw1',
        to: 'fw2',
        session: '0123456789abcdef',
        echo: '',
        sequence: 0,
        body,
      }),
    ),
  )?.body;

describe('a status', () => {
  it('is understood without what older agents don’t tell', () => {
    expect(decoded(STATUS)).toEqual({ ...STATUS, forced: [], lost: [], drained: false });
  });

  it('tells of the connection table', () => {
    const table = { used: 5, max: 10 };
    expect(decoded({ ...STATUS, table })).toMatchObject({ table });
    expect(decoded({ ...STATUS, table: { ...table, own: 3 } })).toMatchObject({ table: { own: 3 } });
  });

  it.each([{ used: -1, max: 10 }, { used: 1.5, max: 10 }, { used: 1 }, 'full', null])(
    'is none with a table like %j',
    (table) => {
      expect(decoded({ ...STATUS, table })).toBeUndefined();
    },
  );
});
