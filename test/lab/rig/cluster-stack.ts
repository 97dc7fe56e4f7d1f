import { fileURLToPath } from 'node:url';
import type { Daemon } from './daemon.ts';
import type { Machine } from './machine.ts';
import type { NodePlan } from './plan.ts';
import { until } from './wait.ts';

const PREPARE = fileURLToPath(new URL('cluster-stack.sh', import.meta.url));
const HOOKS = fileURLToPath(new URL('../../../hooks', import.meta.url));

/** Milliseconds after which a silent node has left the cluster, about: corosync.conf(5), token. */
const TOKEN_MS = 400;

/** corosync.conf of a cluster: two links, the sync network and the inside, so that a cut of one divides nobody. */
export const corosyncConf = (nodes: readonly NodePlan[]): string => `totem {
  version: 2
  cluster_name: lab
  transport: knet
  crypto_cipher: none
  crypto_hash: none
  token: ${TOKEN_MS}
  token_coefficient: 0
}
system {
  sched_rr: no
  move_to_root_cgroup: no
}
logging {
  to_stderr: no
  to_syslog: no
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
}
quorum {
  provider: corosync_votequorum
  ${nodes.length === 2 ? 'two_node: 1\n  wait_for_all: 0' : 'wait_for_all: 0'}
}
nodelist {
${nodes.map(nodeEntry).join('\n')}
}
`;

const nodeEntry = ({ name, id, links }: NodePlan): string =>
  [
    '  node {',
    `    ring0_addr: ${links.sync.address.replace(/\/.*/, '')}`,
    `    ring1_addr: ${links.inside.address.replace(/\/.*/, '')}`,
    `    name: ${name}`,
    `    nodeid: ${id}`,
    '  }',
  ].join('\n');

/** The CIB that a node begins with: without fencing, and with less waiting for others at the start (20 s by default). */
export const FIRST_CIB = `<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="first-1" name="stonith-enabled" value="false"/>
<nvpair id="first-2" name="dc-deadtime" value="2s"/>
</cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration><status/></cib>
`;

/** Starts corosync and Pacemaker on a machine that has just booted. */
export const startClusterStack = async (
  machine: Machine,
  tree: string,
): Promise<{ readonly corosync: Daemon; readonly pacemaker: Daemon }> => {
  await machine.run(['bash', PREPARE, tree, HOOKS]);
  return startDaemons(machine);
};

/** Starts corosync and Pacemaker again, on a machine where they ran since its boot. */
export const startDaemons = async (
  machine: Machine,
): Promise<{ readonly corosync: Daemon; readonly pacemaker: Daemon }> => {
  const corosync = await machine.spawn('corosync', ['corosync', '-f'], ENVIRONMENT);
  await until(
    `corosync of ${machine.name}`,
    () => machine.run(['corosync-cfgtool', '-s']).then(() => true),
    10_000,
  );
  return { corosync, pacemaker: await startPacemaker(machine) };
};

/** Starts Pacemaker on a machine where corosync runs. */
export const startPacemaker = (machine: Machine): Promise<Daemon> =>
  machine.spawn('pacemaker', ['pacemakerd'], ENVIRONMENT);

const ENVIRONMENT = {
  PCMK_logfile: '/var/log/pacemaker/pacemaker.log',
  PCMK_logfacility: 'none',
  HA_LOGFACILITY: 'none',
  PCMK_node_start_state: 'default',
  LC_ALL: 'C',
  HOME: '/root',
};
