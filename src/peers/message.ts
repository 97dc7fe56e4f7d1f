import * as z from 'zod';

const name = z.string().min(1).max(255);
const names = z.array(name).max(4096);

/** Nothing but the envelope: so that two agents learn each other's session. */
const hello = z.object({ type: z.literal('hello') });

/** By leg and node: milliseconds since the sender last heard it there. A leg that isn't in it: the sender doesn't send there. */
const legs = z.object({
  /** Of its frames on the legs. */
  session: z.string().length(16),
  heard: z.record(name, z.record(name, z.number().nonnegative())),
});
/** By what a node's frames are known: MACs of its interfaces, and its own addresses of IPv4. */
const identity = z.object({ macs: names.readonly(), addresses: names.readonly() });

/** What a node tells of itself, several times a second. */
const status = z.object({
  type: z.literal('status'),
  /** Milliseconds since the sender's agent began; none: an agent of an older version. */
  clock: z.number().nonnegative().optional(),
  managerAlive: z.boolean(),
  owns: names,
  wants: names,
  /** Groups that its operator has taken against its manager. */
  forced: names.default([]),
  synced: names,
  /** Data interfaces that carry nothing. */
  lost: names.default([]),
  /** What it hears on the legs; none: an agent of an older version, or one that can't listen. */
  legs: legs.optional(),
  /** None: the sender hasn't looked yet, doesn't stay, or is of an older version. */
  identity: identity.optional(),
  /** Its conntrackd runs with a configuration that isn't the cluster's: what it tracks reaches nobody. */
  unfit: z.boolean().optional(),
  /** By leg: packets of IP that have come in to the shared MAC; none: an agent of an older version, or it doesn't count. */
  arrived: z.record(name, z.number().int().nonnegative()).optional(),
  /** Its operator wants it to own nothing. */
  drained: z.boolean().default(false),
  /** Its connection table (TableUse); none: an agent of an older version, or it doesn't know. */
  table: z
    .object({
      used: z.number().int().nonnegative(),
      max: z.number().int().nonnegative(),
      own: z.number().int().nonnegative().optional(),
    })
    .optional(),
});

/** The hand-over word: the sender's manager has chosen it for `group`; please deactivate. */
const ask = z.object({ type: z.literal('ask'), group: name, synced: z.boolean(), id: z.number().int() });

/** The answer to `ask` number `id`. `granted`: the sender has no bucket of the group active any more. */
const answer = z.object({
  type: z.literal('answer'),
  group: name,
  id: z.number().int(),
  granted: z.boolean(),
  reason: z.string().max(300),
});

/** Please send all states of your buckets again. */
const bulk = z.object({ type: z.literal('bulk') });

const body = z.discriminatedUnion('type', [hello, status, ask, answer, bulk]);

/**
 * Envelope of every datagram. `session` is drawn anew by each agent at its start, `sequence` grows with each datagram,
 * and `echo` is the receiver's session as the sender knows it: together they make a recorded datagram worthless.
 */
const envelope = z.object({
  version: z.literal(1),
  cluster: name,
  from: name,
  to: name,
  session: z.string().length(16),
  echo: z.string().max(16),
  sequence: z.number().int().nonnegative(),
  body,
});

export type Envelope = z.infer<typeof envelope>;
export type Body = z.infer<typeof body>;
export type StatusMessage = z.infer<typeof status>;
export type LegsReport = z.infer<typeof legs>;

/** The envelope in `payload`, or undefined if it is none of this version. */
export const decodeEnvelope = (payload: Buffer): Envelope | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = envelope.safeParse(json);
  return parsed.success ? parsed.data : undefined;
};

export const encodeEnvelope = (value: Envelope): Buffer => Buffer.from(JSON.stringify(value));
