import * as z from 'zod';
import type { Ports } from '../../config/types.ts';
import { type Destinations, type Match, type NatRule, reachable, type Target } from './destination-nat.ts';

/**
 * What a table of nftables does to the destinations of packets that come in.
 *
 * @param listing of `nft -j list table`, libnftables-json(5)
 * @throws SyntaxError, ZodError if it is none
 */
export const destinationsOfNft = (listing: string): Destinations => {
  const objects = LISTING.parse(JSON.parse(listing)).nftables;
  const table = objects.flatMap((one) => one.table ?? [])[0];
  const maps = new Map(objects.flatMap(({ map }) => (map ? [[map.name, map.elem] as const] : [])));
  const bases = objects.flatMap(({ chain }) =>
    chain?.type === 'nat' && chain.hook === 'prerouting' ? [chain.name] : [],
  );
  const rules = objects.flatMap(({ rule }) => (rule ? [natRule(rule.chain, rule.expr, maps)] : []));
  return reachable(bases, rules, (chain) => `table ${table?.family} ${table?.name}, chain ${chain}`);
};

const PAIRS = z.array(z.tuple([z.unknown(), z.unknown()]));
type Maps = ReadonlyMap<string, z.infer<typeof PAIRS>>;

const LISTING = z.object({
  nftables: z.array(
    z.object({
      table: z.object({ family: z.string(), name: z.string() }).optional(),
      chain: z
        .object({ name: z.string(), type: z.string().optional(), hook: z.string().optional() })
        .optional(),
      map: z.object({ name: z.string(), elem: PAIRS.catch([]) }).optional(),
      rule: z.object({ chain: z.string(), expr: z.array(z.unknown()).catch([]) }).optional(),
    }),
  ),
});

const natRule = (chain: string, expressions: readonly unknown[], maps: Maps): NatRule => ({
  chain,
  match: Object.assign({}, ...expressions.map(matchOf)),
  targets: expressions.flatMap((one) => targetsOf(one, maps)),
  jumps: expressions.flatMap((one) => jumpsOf(one, maps)),
});

const MATCH = z.object({
  match: z.object({ op: z.enum(['==', 'in']), left: z.unknown(), right: z.unknown() }),
});
const PAYLOAD = z.object({ payload: z.object({ protocol: z.string(), field: z.string() }) });
const META = z.object({ meta: z.object({ key: z.string() }) });

const matchOf = (expression: unknown): Match => {
  const { data } = MATCH.safeParse(expression);
  if (data === undefined) return {};
  const values = SET.safeParse(data.match.right).data?.set ?? [data.match.right];
  const key = META.safeParse(data.match.left).data?.meta.key;
  const payload = PAYLOAD.safeParse(data.match.left).data?.payload;
  if (key === 'iifname' || key === 'iif') return { devices: textsOf(values) };
  if (key === 'l4proto') return { protocols: textsOf(values) };
  if (payload?.field === 'daddr') return { addresses: textsOf(values) };
  if (payload?.field !== 'dport') return {};
  return { ...protocolOf(payload.protocol), ports: portsOf(values) };
};

const SET = z.object({ set: z.array(z.unknown()) });
const RANGE = z.object({ range: z.tuple([z.number(), z.number()]) });

/** th: of any protocol. */
const protocolOf = (protocol: string): Match => (protocol === 'th' ? {} : { protocols: [protocol] });

/** undefined where any of them isn't understood, as a named set isn't. */
const textsOf = (values: readonly unknown[]): readonly string[] | undefined => {
  const texts = values.filter((value) => typeof value === 'string' && !value.startsWith('@'));
  return texts.length === values.length ? z.array(z.string()).parse(texts) : undefined;
};

const portsOf = (values: readonly unknown[]): readonly Ports[] | undefined => {
  const found = values.flatMap((value) => {
    const range = RANGE.safeParse(value).data?.range;
    if (range !== undefined) return [{ first: range[0], last: range[1] }];
    return typeof value === 'number' ? [{ first: value, last: value }] : [];
  });
  return found.length === values.length ? found : undefined;
};

const DNAT = z.object({ dnat: z.object({ addr: z.unknown(), port: z.unknown().optional() }) });
const DATA = z.union([z.string(), z.object({ set: PAIRS })]);
const MAPPED = z.object({ map: z.object({ key: z.unknown(), data: DATA }) });
const CONCATENATED = z.object({ concat: z.array(z.unknown()) });

const targetsOf = (expression: unknown, maps: Maps): readonly Target[] => {
  const { data } = DNAT.safeParse(expression);
  if (data === undefined) return [];
  const { addr, port } = data.dnat;
  const toPort = typeof port === 'number' ? port : undefined;
  const map = MAPPED.safeParse(addr).data?.map;
  if (map === undefined) return endsOf(addr).map((to) => ({ to, toPort }));
  const byPort = PAYLOAD.safeParse(map.key).data?.payload.field === 'dport';
  return pairsOf(map.data, maps).flatMap(([key, value]) => {
    const [to, mapped] = CONCATENATED.safeParse(value).data?.concat ?? [value];
    return endsOf(to).map((one) => ({
      to: one,
      toPort: typeof mapped === 'number' ? mapped : toPort,
      ports: byPort ? portsOf([key]) : undefined,
    }));
  });
};

const ENDS = z.object({ range: z.array(z.string()) });

/** An address, or the first and the last one of a range. */
const endsOf = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : (ENDS.safeParse(value).data?.range ?? []);

/** Of a map that is named `@so`, or written in the rule. */
const pairsOf = (data: z.infer<typeof DATA>, maps: Maps): z.infer<typeof PAIRS> =>
  typeof data === 'string' ? (maps.get(data.slice(1)) ?? []) : data.set;

const TO_CHAIN = z.object({ target: z.string() });
const JUMP = z.object({ jump: TO_CHAIN.optional(), goto: TO_CHAIN.optional() });
const VERDICTS = z.object({ vmap: z.object({ data: DATA }) });

const jumpsOf = (expression: unknown, maps: Maps): readonly string[] => {
  const data = VERDICTS.safeParse(expression).data?.vmap.data ?? { set: [] };
  const verdicts = pairsOf(data, maps).map(([, verdict]) => verdict);
  return [expression, ...verdicts].flatMap((one) => {
    const { data } = JUMP.safeParse(one);
    return [data?.jump, data?.goto].flatMap((to) => to?.target ?? []);
  });
};
