import * as z from 'zod';
import type { Status } from './status.ts';

/** An agent of a later version may have other codes, one of an earlier version has sentences alone. */
const warning = z.union([
  z.object({ code: z.string(), object: z.string(), text: z.string() }),
  z.string().transform((text) => ({ code: 'other-version', object: '', text })),
]);

/** What a status that came over the control socket must look like. */
export const statusSchema: z.ZodType<Status> = z.object({
  node: z.string(),
  manager: z.object({ kind: z.string(), alive: z.boolean() }),
  drained: z.boolean(),
  groups: z.array(
    z.object({
      name: z.string(),
      home: z.string(),
      buckets: z.number(),
      owner: z.string().nullable(),
      role: z.enum(['owner', 'replica']),
      synced: z.boolean(),
      since: z.string().nullable(),
      reason: z.string(),
    }),
  ),
  peers: z.array(z.object({ name: z.string(), reachable: z.boolean() })),
  conntrackd: z.enum(['starting', 'ok', 'absent', 'stuck', 'unfit']),
  verified: z.array(
    z.object({
      peer: z.string(),
      synced: z.boolean(),
      flows: z.number(),
      missing: z.number(),
      at: z.string(),
    }),
  ),
  comparing: z
    .object({
      peer: z.string(),
      round: z.number(),
      percent: z.number(),
      flows: z.number().nullable(),
      missing: z.number().nullable(),
    })
    .nullable(),
  commit: z
    .object({
      at: z.string(),
      groups: z.array(z.string()),
      committed: z.number().nullable(),
      refused: z.number().nullable(),
      ms: z.number(),
      failure: z.string().nullable(),
    })
    .nullable(),
  refused: z.number(),
  legs: z
    .array(
      z.object({
        name: z.string(),
        hearing: z.enum(['heard', 'deaf', 'unheard', 'unknown']),
        heard: z.record(z.string(), z.number().nullable()),
      }),
    )
    // An agent of an older version has none.
    .default([]),
  warnings: z.array(warning),
});
