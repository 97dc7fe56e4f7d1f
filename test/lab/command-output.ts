import { expect } from 'vitest';
import * as z from 'zod';
import { WARNING_CODES } from '../../src/cluster/warning.ts';
import { attempt } from './attempt.ts';
import type { FirewallNode } from './rig/node.ts';

/** What `status --json` prints, with nothing left out and nothing added: as docs/commands.md has it. */
const statusJson = z.strictObject({
  node: z.string(),
  manager: z.strictObject({ kind: z.enum(['keepalived', 'pacemaker', 'none']), alive: z.boolean() }),
  drained: z.boolean(),
  groups: z.array(
    z.strictObject({
      name: z.string(),
      home: z.string(),
      buckets: z.int(),
      owner: z.string().nullable(),
      role: z.enum(['owner', 'replica']),
      synced: z.boolean(),
      since: z.iso.datetime().nullable(),
      reason: z.string(),
    }),
  ),
  peers: z.array(z.strictObject({ name: z.string(), reachable: z.boolean() })),
  conntrackd: z.enum(['starting', 'ok', 'absent', 'stuck', 'unfit']),
  verified: z.array(
    z.strictObject({
      peer: z.string(),
      synced: z.boolean(),
      flows: z.int(),
      missing: z.int(),
      at: z.iso.datetime(),
    }),
  ),
  comparing: z
    .strictObject({
      peer: z.string(),
      round: z.int().min(1),
      percent: z.int().min(0).max(99),
      flows: z.int().nullable(),
      missing: z.int().nullable(),
    })
    .nullable(),
  commit: z
    .strictObject({
      at: z.iso.datetime(),
      groups: z.array(z.string()),
      committed: z.int().nullable(),
      refused: z.int().nullable(),
      ms: z.number(),
      failure: z.string().nullable(),
    })
    .nullable(),
  refused: z.int(),
  legs: z.array(
    z.strictObject({
      name: z.string(),
      hearing: z.enum(['heard', 'deaf', 'unheard', 'unknown']),
      heard: z.record(z.string(), z.int().min(0).nullable()),
    }),
  ),
  warnings: z.array(
    z.strictObject({ code: z.enum(WARNING_CODES), object: z.string().min(1), text: z.string() }),
  ),
});

/** What `takeover`, `release`, `drain` and `resume` print with `--json`. */
export const moveJson = z.strictObject({
  command: z.enum(['takeover', 'release', 'drain', 'resume']),
  groups: z.array(
    z.strictObject({
      group: z.string(),
      outcome: z.enum(['done', 'nothing to do', 'refused', 'failed']),
      reason: z.string(),
    }),
  ),
});

/** What `where --json` prints. */
export const whereJson = z.strictObject({
  address: z.string(),
  bucket: z.int(),
  group: z.string(),
  home: z.string(),
  owner: z.string().nullable(),
});

/** The status that a node's agent gives. */
export const statusOf = async (node: FirewallNode) =>
  statusJson.parse(JSON.parse(await node.product(['status', '--json'])));

/** Runs a command that is expected to end with `status` and nothing on standard output but `stdout`, one line of errors. */
export const expectEnd = async (
  node: FirewallNode,
  args: readonly string[],
  status: number,
  { stdout, stderr }: { readonly stdout: RegExp; readonly stderr: RegExp },
): Promise<void> => {
  const result = await attempt(node, args);
  expect(result.stdout).toMatch(stdout);
  expect(result.stderr).toMatch(stderr);
  expect(result.stderr.split('\n')).toHaveLength(1);
  expect(result.status).toBe(status);
};

export const NOTHING = /^$/;
