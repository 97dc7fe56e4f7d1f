import { attributeEnd, attributeType, HEADER, nextAttribute, readText } from './attributes.ts';
import type { Channel } from './channel.ts';
import { dump } from './dump.ts';
import { KernelError } from './error.ts';
import { MessageWriter, NLM_F_DUMP, NLM_F_REQUEST } from './message.ts';

/** A filter of traffic control that sends what comes in by an interface elsewhere, tc-mirred(8). */
export interface IngressRedirect {
  /** Index of the interface that packets are sent to. */
  readonly to: number;
  /** Its `pref`, from 1 to 65535; smaller ones are asked first. */
  readonly priority: number;
  /** u32, matchall, flower, ... */
  readonly kind: string;
}

/** include/uapi/linux/rtnetlink.h, pkt_sched.h, pkt_cls.h, tc_act/tc_mirred.h. */
const RTM_GETTFILTER = 46;
const TCMSG_BYTES = 20;
const TCM_INFO = 16;
/** TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS): of the qdisc ingress as well as of clsact. */
const INGRESS = 0xffff_fff2;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
/** Where each kind of filter has its actions among its options. */
const ACTIONS: Readonly<Record<string, number>> = {
  basic: 3,
  bpf: 1,
  cgroup: 1,
  flow: 9,
  flower: 3,
  fw: 4,
  matchall: 2,
  route: 6,
  u32: 7,
};
const TCA_ACT_KIND = 1;
const TCA_ACT_OPTIONS = 2;
const TCA_MIRRED_PARMS = 2;
/** struct tc_mirred: behind five words that all actions have. */
const MIRRED_ACTION = 20;
const MIRRED_INDEX = 24;
const TCA_EGRESS_REDIR = 1;
const TCA_INGRESS_REDIR = 3;

/**
 * The filters of an interface that redirect what comes in; a mirror lets it go on and is none. What a program of eBPF redirects can't be
 * told. None where there is no such qdisc, nor in a kernel without CONFIG_NET_CLS, which can't have filters. Throws KernelError, NetlinkReplyError and what `Channel.request` throws.
 *
 * @param channel of `openLinkChannel`
 * @param index of the interface
 */
export const ingressRedirects = async (
  channel: Channel,
  index: number,
): Promise<readonly IngressRedirect[]> => {
  const found: (readonly IngressRedirect[])[] = [];
  const request = {
    operation: 'list',
    subject: `the ingress filters of interface ${index}`,
    encode: (sequence: number) => {
      const writer = new MessageWriter();
      writer.openMessage(RTM_GETTFILTER, NLM_F_REQUEST | NLM_F_DUMP, sequence);
      writer.tc({ index, handle: 0, parent: INGRESS, info: 0 });
      writer.closeMessage();
      return writer.written;
    },
    parse: parseRedirects,
  };
  try {
    for await (const some of dump(channel, request)) found.push(...some);
  } catch (error) {
    // rtnetlink_rcv_msg() in net/core/rtnetlink.c: nobody has registered for the message.
    if (!(error instanceof KernelError && error.code === 'EOPNOTSUPP')) throw error;
  }
  return found.flat();
};

const parseRedirects = (view: DataView, at: number, end: number): readonly IngressRedirect[] => {
  const priority = view.getUint32(at + TCM_INFO, true) >>> 16;
  let kind = '';
  let options: number | undefined;
  for (const attribute of attributes(view, at + TCMSG_BYTES, end)) {
    const type = attributeType(view, attribute);
    if (type === TCA_KIND) kind = readText(view, attribute);
    if (type === TCA_OPTIONS) options = attribute;
  }
  const wanted = ACTIONS[kind];
  return options === undefined
    ? []
    : nested(view, options)
        .filter((option) => attributeType(view, option) === wanted)
        .flatMap((actions) => nested(view, actions))
        .flatMap((action) => redirectedTo(view, action).map((to) => ({ to, priority, kind })));
};

const redirectedTo = (view: DataView, action: number): readonly number[] => {
  let kind = '';
  let found: readonly number[] = [];
  for (const attribute of nested(view, action)) {
    const type = attributeType(view, attribute);
    if (type === TCA_ACT_KIND) kind = readText(view, attribute);
    if (type === TCA_ACT_OPTIONS) found = nested(view, attribute).flatMap((one) => mirredOf(view, one));
  }
  return kind === 'mirred' ? found : [];
};

const mirredOf = (view: DataView, option: number): readonly number[] => {
  const at = option + HEADER;
  if (
    attributeType(view, option) !== TCA_MIRRED_PARMS ||
    attributeEnd(view, option) < at + MIRRED_INDEX + 4
  ) {
    return [];
  }
  const action = view.getUint32(at + MIRRED_ACTION, true);
  return action === TCA_EGRESS_REDIR || action === TCA_INGRESS_REDIR
    ? [view.getUint32(at + MIRRED_INDEX, true)]
    : [];
};

const nested = (view: DataView, nest: number): readonly number[] =>
  attributes(view, nest + HEADER, attributeEnd(view, nest));

const attributes = (view: DataView, from: number, end: number): readonly number[] => {
  const found: number[] = [];
  for (let attribute = from, next = 0; attribute < end; attribute = next) {
    next = nextAttribute(view, attribute, end);
    found.push(attribute);
  }
  return found;
};
