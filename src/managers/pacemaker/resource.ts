import type { Group } from '../../cluster/groups.ts';
import type { ClusterConfig } from '../../config/types.ts';

/** Names and values in the order in which they are written. */
export type Settings = readonly (readonly [name: string, value: string])[];

/** One group as Pacemaker's resource: a primitive, and the promotable clone that puts it on every node. */
export interface Resource {
  readonly id: string;
  readonly clone: string;
  readonly parameters: Settings;
  readonly operations: readonly Operation[];
  readonly meta: Settings;
}

export interface Operation {
  readonly name: string;
  /** With its unit; 0s: it isn't repeated. */
  readonly interval: string;
  readonly role?: 'Promoted' | 'Unpromoted';
  readonly timeout: string;
}

/** hooks/ocf/group, where Pacemaker looks for agents: `/usr/lib/ocf/resource.d/conntrack-ha/group`. */
export const AGENT = { class: 'ocf', provider: 'conntrack-ha', type: 'group' } as const;

/**
 * The resources of all groups. There is no location rule: each node's agent publishes its promotion score, and a node that
 * has none yet, since it misses states, is started and nothing more.
 *
 * @param parameters what the resource agent has to be told beside the group
 */
export const resourcesOf = (
  { nodes }: Pick<ClusterConfig, 'nodes'>,
  groups: readonly Group[],
  parameters: Settings,
): readonly Resource[] =>
  groups.map(({ name }) => {
    const id = idOf(name);
    return {
      id,
      clone: `${id}-clone`,
      parameters: id === name ? parameters : [['group', name], ...parameters],
      operations: OPERATIONS,
      meta: metaOf(nodes.length),
    };
  });

/** A host name may begin with a digit, an id of XML may not. */
const idOf = (group: string): string => (/^\d/.test(group) ? `group-${group}` : group);

/**
 * Two monitors of one resource need different intervals. All else is quick: the resource agent writes a word and waits for
 * the conntrack-ha agent.
 */
const OPERATIONS: readonly Operation[] = [
  ...['start', 'stop', 'promote', 'demote'].map((name) => ({ name, interval: '0s', timeout: '20s' })),
  { name: 'monitor', interval: '10s', role: 'Promoted', timeout: '20s' },
  { name: 'monitor', interval: '11s', role: 'Unpromoted', timeout: '20s' },
];

const metaOf = (nodes: number): Settings => [
  ['promotable', 'true'],
  ['promoted-max', '1'],
  ['promoted-node-max', '1'],
  ['clone-max', String(nodes)],
  ['clone-node-max', '1'],
  ['interleave', 'true'],
  ['notify', 'false'],
  // Without fencing, a healed split finds two promoted ones: by default both would be stopped, and then one started.
  ['multiple-active', 'stop_unexpected'],
  // A node that is ready again wins its groups back by any higher score. Stickiness keeps instances on their nodes, where
  // each has one anyway; it isn't added to promotion scores (2.1.5's pcmk_sched_promotable.c adds those to the clone's node
  // scores, stickiness is in the instances'), and of equal ones the promoted one stays.
  ['resource-stickiness', '0'],
];
