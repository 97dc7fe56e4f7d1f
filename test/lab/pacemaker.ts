import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import type { NodePlan } from './rig/plan.ts';
import { until } from './rig/wait.ts';

/** How long a cluster may take to form, from nothing: milliseconds. */
const FORM_MS = 40_000;

export const plansOf = (lab: Lab): readonly NodePlan[] => lab.nodes.map(({ plan }) => plan);

/** Waits until all nodes of the lab are one cluster, and gives Pacemaker the groups, as an administrator would. */
export const formCluster = async (lab: Lab): Promise<void> => {
  const [first] = lab.nodes;
  if (first === undefined) {
    throw new RangeError('a cluster without nodes');
  }
  await untilOnline(
    first,
    lab.nodes.map(({ name }) => name),
  );
  const resources = await first.product(['render', 'pacemaker', '--form', 'cib']);
  await giveToCluster(first, 'resources', resources);
};

/** Adds to a section of the cluster's configuration, or changes what is there. */
export const giveToCluster = async (
  node: FirewallNode,
  section: 'resources' | 'constraints',
  xml: string,
): Promise<void> => {
  await node.run(['cibadmin', '-M', '-c', '-o', section, '-p'], { input: xml });
};

/** Puts a node into standby, as told on another or itself, or takes it out of it. */
export const setStandby = async (on: FirewallNode, name: string, standby: boolean): Promise<void> => {
  await on.run(['crm_standby', '-N', name, ...(standby ? ['-v', 'on'] : ['-D'])]);
};

/** Waits until Pacemaker has nothing left to do. */
export const untilAtRest = (node: FirewallNode): Promise<unknown> =>
  node.run(['crm_resource', '--wait', '--timeout', '30s'], { boundMs: 40_000 });

/** Waits until a node sees exactly these online. */
export const untilOnline = async (node: FirewallNode, names: readonly string[]): Promise<void> => {
  const wanted = [...names].sort().join(' ');
  await until(
    `${wanted} to be online`,
    async () => onlineIn(await node.run(['crm_mon', '--as-xml'])),
    FORM_MS,
    (online) => online === wanted,
  );
};

const onlineIn = (xml: string): string =>
  [...xml.matchAll(/<node name="([^"]+)"[^>]*? online="true"[^>]*? pending="false"/g)]
    .map(([, name = '']) => name)
    .sort()
    .join(' ');

/** What failed according to Pacemaker: `fw1_fw2 promote on fw1: reason`. */
export const failuresOf = async (node: FirewallNode): Promise<readonly string[]> =>
  [
    ...(await node.run(['crm_mon', '--as-xml'])).matchAll(
      /<failure op_key="([^"]+)" node="([^"]+)"[^>]*? exitreason="([^"]*)"/g,
    ),
  ].map(([, operation, name, reason = '']) => `${operation} on ${name}: ${unescaped(reason)}`);

/** Pacemaker escapes what it has escaped already. */
const unescaped = (text: string): string =>
  ['&amp;', '&apos;', '&quot;'].reduce(
    (result, entity, index) => result.replaceAll(entity, ['&', "'", '"'][index] ?? ''),
    text,
  );

/** knet's ports, one for each link: corosync.conf(5), mcastport. */
const COROSYNC_PORTS = '5405-5412';

/** Nothing that corosync says leaves or reaches a node from now on; the nodes' own link is not touched. */
export const cutClusterLinks = async (node: FirewallNode): Promise<void> => {
  const rules = `table ip lab_cluster {
    chain in { type filter hook input priority -500; udp dport ${COROSYNC_PORTS} counter drop; }
    chain out { type filter hook output priority -500; udp dport ${COROSYNC_PORTS} counter drop; }
  }`;
  await node.run(['nft', '-f', '-'], { input: rules });
};

export const healClusterLinks = async (node: FirewallNode): Promise<void> => {
  await node.run(['nft', 'delete', 'table', 'ip', 'lab_cluster']);
};

/** Sets a property of the cluster. */
export const setProperty = async (node: FirewallNode, name: string, value: string): Promise<void> => {
  await node.run(['crm_attribute', '--type', 'crm_config', '--name', name, '--update', value]);
};
