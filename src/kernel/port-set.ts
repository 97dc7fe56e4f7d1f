import { attributeEnd, attributeType, HEADER, nextAttribute, readNet16 } from './attributes.ts';
import type { Channel } from './channel.ts';
import { dump } from './dump.ts';
import { KernelError, NetlinkReplyError } from './error.ts';
import { MessageWriter } from './message.ts';
import { mapElements, type SetRef, setText, writeGetElements } from './set-message.ts';

const NFTA_SET_ELEM_KEY = 1;
const NFTA_DATA_VALUE = 1;

/**
 * The elements of a set of ports (`type inet_service`), in host order; empty if there is no such set. It may change meanwhile. Throws
 * KernelError, NetlinkReplyError for a set of another kind, and what `Channel.request` throws.
 *
 * @param channel of `openRulesetChannel`
 */
export const portsIn = async (channel: Channel, set: SetRef): Promise<ReadonlySet<number>> => {
  const found = new Set<number>();
  const request = {
    operation: 'read',
    subject: setText(set),
    encode: (sequence: number) => {
      const writer = new MessageWriter();
      writeGetElements(writer, set, sequence);
      return writer.written;
    },
    parse: (view: DataView, at: number, end: number) => mapElements(view, at, end, parsePort),
  };
  try {
    for await (const some of dump(channel, request)) {
      for (const port of some.flat()) found.add(port);
    }
  } catch (error) {
    if (!(error instanceof KernelError && error.code === 'ENOENT')) throw error;
  }
  return found;
};

const parsePort = (view: DataView, element: number): number => {
  const key = inner(view, element, NFTA_SET_ELEM_KEY);
  const value = key === undefined ? undefined : inner(view, key, NFTA_DATA_VALUE);
  if (value === undefined || attributeEnd(view, value) - value !== HEADER + 2) {
    throw new NetlinkReplyError('a key that is not one port', element);
  }
  return readNet16(view, value);
};

const inner = (view: DataView, nest: number, wanted: number): number | undefined => {
  const end = attributeEnd(view, nest);
  for (let attribute = nest + HEADER, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    if (attributeType(view, attribute) === wanted) return attribute;
  }
  return undefined;
};
