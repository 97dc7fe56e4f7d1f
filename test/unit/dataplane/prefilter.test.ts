import { beforeEach, describe, expect, it } from 'vitest';
import { Prefilter } from '../../../src/dataplane/prefilter/prefilter.ts';
import { clusterConfig } from '../../support/cluster-config.ts';

/** What was done with the kernel's programs, of which there are two; each may be refused. */
const done: string[] = [];
let refused: { set: number; remove: boolean };
/** Whether another program has removed them. */
let gone: boolean;
let prefilter: Prefilter;

beforeEach(async () => {
  done.length = 0;
  gone = false;
  refused = { set: Number.POSITIVE_INFINITY, remove: false };
  // Every machine has it.
  const interfaces = clusterConfig().interfaces.map((one) => ({ ...one, name: 'lo' }));
  const config = clusterConfig({ interfaces });
  const [node] = config.nodes;
  if (node === undefined) throw new RangeError('a node expected');
  prefilter = new Prefilter(config, node, (text) => done.push(text), {
    set: async (_, program) => {
      refused.set -= 1;
      if (refused.set < 0) throw new Error('no room');
      done.push(`set ${program.length > 0}`);
    },
    keep: async () => {
      if (gone) done.push('put back');
      return gone;
    },
    remove: async ({ index }) => {
      if (index === 1) done.push('remove');
      if (refused.remove) throw new Error('busy');
    },
    close: () => {},
  });
  await prefilter.look();
});

const SAID = 'what other nodes filter is dropped by the rules alone: no room';

describe('a prefilter', () => {
  it('brings a program for each interface, and none again that is the same', async () => {
    await prefilter.follow(new Set([1]));
    await prefilter.follow(new Set([1]));
    expect(done).toEqual(['set true', 'set true']);
  });

  it('puts back what others have removed, and says so once', async () => {
    await prefilter.follow(new Set([1]));
    done.length = 0;
    gone = true;
    await prefilter.follow(new Set([1]));
    await prefilter.follow(new Set([1]));
    const said = 'lo, lo: the prefilter was removed by another program; put back';
    expect(done).toEqual(['put back', 'put back', said, 'put back', 'put back']);
  });

  it('passes more before more is owned, and never less for it', async () => {
    await prefilter.follow(new Set([1, 2]));
    done.length = 0;
    await prefilter.pass([2]);
    expect(done).toEqual([]);
    await prefilter.pass([3]);
    expect(done).toEqual(['set true', 'set true']);
    await prefilter.pass([1, 2, 3]);
    expect(done).toHaveLength(2);
  });

  it('removes what others have left before anything is owned', async () => {
    await prefilter.pass([1]);
    await prefilter.pass([2]);
    expect(done).toEqual(['remove']);
  });

  it('removes all where one is refused, says so once, and tries again', async () => {
    refused.set = 1;
    await prefilter.follow(new Set([1]));
    expect(done).toEqual(['set true', SAID, 'remove']);
    await prefilter.follow(new Set([1]));
    await prefilter.pass([2]);
    expect(done).toEqual(['set true', SAID, 'remove', 'remove']);
    refused.set = 9;
    await prefilter.follow(new Set([1]));
    expect(done.slice(4)).toEqual(['set true', 'set true']);
  });

  it('has nothing owned while a program that can’t be removed may drop it', async () => {
    await prefilter.follow(new Set([1, 2]));
    refused = { set: 1, remove: true };
    await expect(prefilter.follow(new Set([1]))).rejects.toThrow('busy');
    await expect(prefilter.pass([2])).rejects.toThrow('busy');
    refused.remove = false;
    await prefilter.pass([2]);
    await prefilter.follow(new Set([1, 2]));
    expect(done.slice(-1)).toEqual(['remove']);
  });
});
