import type { Group } from '../../cluster/groups.ts';
import type { ClusterConfig } from '../../config/types.ts';
import { renderCib } from './cib.ts';
import { renderCrmsh } from './crmsh.ts';
import { renderPcs } from './pcs.ts';
import { type Resource, resourcesOf, type Settings } from './resource.ts';

export const FORMS = ['crmsh', 'pcs', 'cib'] as const;

/** What reads it: `crm configure load update`, a shell with pcs, or cibadmin. */
export type Form = (typeof FORMS)[number];

/**
 * The groups as Pacemaker's resources, for the whole cluster: Pacemaker 2.1.5, crmsh 4.4.1 and pcs 0.11.5 (Debian 12), and
 * Pacemaker 3.
 *
 * @param parameters what the resource agent has to be told beside the group: paths of letters, digits and `. _ / @ + -`
 */
export const renderPacemaker = (
  config: ClusterConfig,
  groups: readonly Group[],
  form: Form,
  parameters: Settings = [],
): string => {
  const { begin, end, apply, render } = WRITERS[form];
  const head = [
    `Pacemaker's resources for cluster ${config.cluster}.`,
    apply,
    BESIDE,
    config.nodes.length === 2 ? TWO_NODES : MORE_NODES,
  ];
  return [
    ...head.map((line) => `${begin}${line}${end}`),
    ...render(resourcesOf(config, groups, parameters)),
    '',
  ].join('\n');
};

interface Writer {
  /** Around each line of a comment. */
  readonly begin: string;
  readonly end: string;
  /** How it gets to the cluster. */
  readonly apply: string;
  readonly render: (resources: readonly Resource[]) => readonly string[];
}

// crmsh keeps comments in the CIB, and there they can't hold two hyphens in a row nor end with one.
const WRITERS: Readonly<Record<Form, Writer>> = {
  crmsh: {
    begin: '# ',
    end: '',
    apply:
      "'conntrack-ha render pacemaker | crm configure load update -' on one node gives it to the cluster.",
    render: renderCrmsh,
  },
  pcs: {
    begin: '# ',
    end: '',
    apply: "'conntrack-ha render pacemaker --form pcs | sh -e' on one node gives it to the cluster, once.",
    render: renderPcs,
  },
  cib: {
    begin: '<!-- ',
    end: ' -->',
    apply: "On one node, 'cibadmin -M -c -o resources -p' gives it to the cluster.",
    render: renderCib,
  },
};

const BESIDE =
  'Beside it: a fence device for each node and stonith-enabled=true; without any, stonith-enabled=false.';
/** The survivor of two must serve, and a node that boots alone must not, since its peer may. */
const TWO_NODES = 'In the quorum section of corosync.conf two_node: 1, which implies wait_for_all: 1.';
/** Nodes that are cut off from most others give up; demoted, they stay replicas. The others would leave two owners. */
const MORE_NODES = 'no-quorum-policy=demote (or stop), not freeze nor ignore; in corosync.conf no two_node.';
