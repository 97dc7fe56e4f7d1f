import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Channel, NETLINK_NETFILTER, type Request } from '../../src/kernel/channel.ts';
import { ChannelClosedError, NetlinkReplyError, NetlinkTimeoutError } from '../../src/kernel/error.ts';
import { MessageWriter, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from '../../src/kernel/message.ts';
import type { SetRef } from '../../src/kernel/nftables.ts';
import {
  parseElements,
  transactionMessages,
  writeGetElements,
  writeGetGeneration,
  writeTransaction,
} from '../../src/kernel/set-message.ts';

const GET_GENERATION = (10 << 8) | 16;

const request = (
  encode: (writer: MessageWriter, first: number) => void,
  more: Partial<Request> = {},
): Request => ({
  operation: 'test',
  subject: 'the channel',
  messages: 1,
  encode: (first) => {
    const writer = new MessageWriter(16);
    encode(writer, first);
    return writer.written;
  },
  ...more,
});

const generation = request((writer, first) => writeGetGeneration(writer, first));

/** nfnetlink skips a message without its header in silence, when it asks for no acknowledgement. */
const silent = request((writer, first) => {
  writer.openMessage(0x100, NLM_F_REQUEST, first);
  writer.closeMessage();
});

const channelWith = (timeoutMs: number, receiveBytes = 4096): Channel =>
  new Channel({ protocol: NETLINK_NETFILTER, receiveBytes, timeoutMs });

const nothing = { refusals: [], interrupted: false };

let channel: Channel;

beforeEach(() => {
  channel = channelWith(200);
});

afterEach(() => {
  channel.close();
});

describe('a request', () => {
  it('ends with its acknowledgement, in the order of asking', async () => {
    const order: number[] = [];
    const ask = (index: number) => channel.request(generation).then(() => order.push(index));

    await Promise.all([ask(1), ask(2), ask(3)]);

    expect(order).toEqual([1, 2, 3]);
  });

  it('that is never answered ends in time, and the next one is well', async () => {
    const begin = performance.now();

    await expect(channel.request(silent)).rejects.toThrow(
      new NetlinkTimeoutError('test', 'the channel', 200),
    );

    expect(performance.now() - begin).toBeGreaterThan(190);
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(await channel.request(generation)).toEqual(nothing);
  });

  it('whose answer waits while the event loop is blocked has not timed out', async () => {
    const answer = channel.request(generation);
    await Promise.resolve(); // its turn has come, it is sent
    for (const end = performance.now() + 400; performance.now() < end; );

    expect(await answer).toEqual(nothing);
  });

  it('is dropped by its signal, before and meanwhile', async () => {
    const signal = AbortSignal.abort(new Error('before'));
    await expect(channel.request({ ...generation, signal })).rejects.toThrow('before');

    const controller = new AbortController();
    const dropped = channel.request({ ...silent, signal: controller.signal });
    setImmediate(() => controller.abort(new Error('meanwhile')));
    await expect(dropped).rejects.toThrow('meanwhile');
    expect(await channel.request(generation)).toEqual(nothing);
  });

  it('and those behind it end when the channel is closed', async () => {
    const first = channel.request(silent);
    const second = channel.request(generation);
    setImmediate(() => channel.close());

    await expect(first).rejects.toThrow(ChannelClosedError);
    await expect(second).rejects.toThrow(ChannelClosedError);
    await expect(channel.request(generation)).rejects.toThrow(ChannelClosedError);
  });

  it('may close its channel in any callback', async () => {
    for (let round = 0; round < 200; round += 1) {
      const closing = channelWith(1000);
      const closed = closing.request({ ...generation, onMessage: () => closing.close() });
      await expect(closed).rejects.toThrow(ChannelClosedError);
      const other = channelWith(1000);
      await other.request(generation);
      other.close();
    }
  });

  it('that cannot be encoded holds up nobody', async () => {
    const broken = request(() => {
      throw new RangeError('too long');
    });

    await expect(channel.request(broken)).rejects.toThrow('too long');
    expect(await channel.request(generation)).toEqual(nothing);
  });

  it('that is longer than the send buffer is an error', async () => {
    const huge = request((writer, first) => {
      writer.openMessage(GET_GENERATION, NLM_F_REQUEST | NLM_F_ACK, first);
      writer.zeros(64 << 20);
      writer.closeMessage();
    });

    await expect(channel.request(huge)).rejects.toMatchObject({ code: 'EMSGSIZE' });
  });

  it('reports a parser that throws, and goes on', async () => {
    const onMessage = (): never => {
      throw new NetlinkReplyError('something else', 20);
    };

    await expect(channel.request({ ...generation, onMessage })).rejects.toThrow(NetlinkReplyError);
    expect(await channel.request(generation)).toEqual(nothing);
  });
});

describe('a set changed through the channel', () => {
  const set: SetRef = { family: 'netdev', table: 'channel', name: 'numbers' };
  const keys = Array.from({ length: 1500 }, (_, index) => index + 2);

  beforeEach(async () => {
    // With a size it has a table that never grows: one list gives each element once
    const input = 'table netdev channel {\n set numbers { type mark; size 65536; elements = { 1 } }\n}';
    await execa('nft', ['-f', '-'], { input });
  });

  afterEach(async () => {
    await execa('nft', ['delete', 'table', 'netdev', 'channel']);
  });

  it('is not changed at all when a message of the batch is refused', async () => {
    const changes = [{ set, add: [5], remove: [9] }];

    const outcome = await channel.request(
      request((writer, first) => writeTransaction(writer, changes, first), { messages: 3, batch: true }),
    );

    expect(outcome.refusals).toEqual([{ index: 2, errno: 2 }]);
    const { stdout } = await execa('nft', ['list', 'set', 'netdev', 'channel', 'numbers']);
    expect(stdout).toMatch(/elements = \{ 0x00000001 }/);
  });

  it('refuses a message longer than the receive buffer in words', async () => {
    const changes = [{ set: { ...set, name: 'none' }, add: keys, remove: [] }];

    const outcome = await channel.request(
      request((writer, first) => writeTransaction(writer, changes, first), { messages: 2, batch: true }),
    );

    expect(outcome.refusals).toEqual([{ index: 1, errno: 2 }]);
  });

  it('can be listed again at once when a list was dropped in the middle', async () => {
    // More than the 32 datagrams that are read in one turn
    const many = Array.from({ length: 20_000 }, (_, index) => index + 2);
    const changes = [{ set, add: many, remove: [] }];
    await channel.request(
      request((writer, first) => writeTransaction(writer, changes, first), {
        messages: transactionMessages(changes),
        batch: true,
      }),
    );
    const controller = new AbortController();
    const list = (more: Partial<Request>) =>
      channel.request(request((writer, first) => writeGetElements(writer, set, first), more));

    const onMessage = () => controller.abort(new Error('enough'));
    await expect(list({ signal: controller.signal, onMessage })).rejects.toThrow('enough');

    const listed: number[] = [];
    await list({
      onMessage: (...message) => listed.push(...parseElements(message[0], message[1], message[2])),
    });
    expect(new Set(listed)).toEqual(new Set([1, ...many]));
  });

  it('cannot be listed into a buffer that is too short for the reply', async () => {
    const changes = [{ set, add: keys, remove: [] }];
    await channel.request(
      request((writer, first) => writeTransaction(writer, changes, first), { messages: 2, batch: true }),
    );
    const narrow = channelWith(1000, 256);

    const list = narrow.request(request((writer, first) => writeGetElements(writer, set, first)));

    await expect(list).rejects.toThrow(NetlinkReplyError);
    narrow.close();
  });
});

it('is used for a dump of nothing', async () => {
  const dump = request((writer, first) => {
    writer.openMessage(0x101, NLM_F_REQUEST | NLM_F_DUMP, first);
    writer.nfgen(2);
    writer.closeMessage();
  });

  expect(await channel.request(dump)).toEqual(nothing);
});
