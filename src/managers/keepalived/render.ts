import type { Group } from '../../cluster/groups.ts';
import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import { deviceOf } from '../../config/types.ts';

/** Priorities: a home that isn't ready (its track file says -100) stands behind a backup that is. */
const HOME_PRIORITY = 150;
const BACKUP_PRIORITY = 100;
/** What the track file says of a group that this node isn't ready for. */
export const UNREADY = -100;

/** Above conntrackd's 1: a bulk of states must not hold up an advertisement. */
export const RT_PRIORITY = 2;
/** Microseconds. By default a realtime keepalived that is busy for two ticks of the clock is killed. */
export const RLIMIT_RTTIME = 1_000_000;

/** Where keepalived writes its states and the agent reads them. */
export const fifoPath = (config: Pick<ClusterConfig, 'paths'>): string =>
  `${config.paths.run}/keepalived.fifo`;

/** The file by which the agent tells keepalived whether this node is ready for a group. */
export const readyPath = (config: ClusterConfig, group: string): string =>
  `${config.paths.run}/ready/${group}`;

/** The hooks that the configuration calls. */
export type KeepalivedHook = 'keepalived-check' | 'keepalived-notify' | 'keepalived-stop';

/** `whole`: a keepalived.conf. `fragment`: what another one includes, which changes nothing for its own instances and scripts. */
export type KeepalivedForm = 'whole' | 'fragment';

/**
 * keepalived.conf for `node`: one vrrp_instance a group, all starting as BACKUP. For 2.2.7 (Debian 12): VRRPv3 wants an
 * address there, so each instance has one of 127.0.0.0/8 that nobody uses, and it serves as a witness; later versions
 * take it as well.
 *
 * @param hook the command line of a hook, by its name
 */
export const renderKeepalived = (
  config: ClusterConfig,
  node: NodeConfig,
  groups: readonly Group[],
  hook: (name: KeepalivedHook) => string,
  form: KeepalivedForm = 'whole',
): string =>
  [
    `# keepalived for ${node.name} of cluster ${config.cluster}: conntrack-ha render keepalived${form === 'fragment' ? ' --fragment' : ''}`,
    '# Every group of buckets is one VRRP instance. The addresses that users see are not here: every node has them',
    `# all the time; the conntrack-ha agent, told by ${form === 'fragment' ? 'a hook' : 'the FIFO'}, decides by buckets who answers.`,
    ...(form === 'fragment' ? [] : renderGlobals(config, node)),
    '',
    "# A node whose agent is dead or hung stands behind one whose agent is well, whatever the agent's last word was.",
    'vrrp_script conntrack_ha {',
    `  script "${hook('keepalived-check')}"`,
    ...(form === 'fragment' ? ['  user root'] : []),
    '  interval 1',
    `  weight ${UNREADY}`,
    '}',
    '',
    ...groups.flatMap((group) => renderTrackFile(config, group)),
    ...groups.flatMap((group, index) => [
      ...renderInstance(config, node, group, index, form),
      ...(form === 'fragment' ? [`  notify "${hook('keepalived-notify')}" root`] : []),
      ...(index === 0 ? renderStop(hook('keepalived-stop'), form) : []),
      '}',
      '',
    ]),
  ].join('\n');

const renderGlobals = (config: ClusterConfig, node: NodeConfig): readonly string[] => [
  'global_defs {',
  `  router_id ${node.name}`,
  '  enable_script_security',
  '  script_user root',
  '  vrrp_version 3',
  "  # Above conntrackd's 1: a bulk of states must not hold up an advertisement.",
  `  vrrp_rt_priority ${RT_PRIORITY}`,
  '  # Microseconds. By default a realtime keepalived that is busy for two ticks of the clock is killed.',
  `  vrrp_rlimit_rttime ${RLIMIT_RTTIME}`,
  '  # The agent reads it. After a reload keepalived tells it again which instances are not MASTER.',
  `  vrrp_notify_fifo ${fifoPath(config)}`,
  '  fifo_write_vrrp_states_on_reload',
  '}',
];

const renderTrackFile = (config: ClusterConfig, group: Group): readonly string[] => [
  `# ${UNREADY} until the agent has seen that this node holds the states of ${group.name}.`,
  `track_file ready_${group.name} {`,
  `  file "${readyPath(config, group.name)}"`,
  '  weight 1',
  `  init_file ${UNREADY} overwrite`,
  '}',
  '',
];

/** Without its end. */
const renderInstance = (
  config: ClusterConfig,
  node: NodeConfig,
  group: Group,
  index: number,
  form: KeepalivedForm,
): readonly string[] => [
  `vrrp_instance ${group.name} {`,
  ...(form === 'fragment' ? ['  version 3'] : []),
  '  state BACKUP',
  `  interface ${deviceOf(node, config.keepalived.interface)}`,
  `  virtual_router_id ${config.keepalived.vrid + index}`,
  `  priority ${priorityOf(group.order.indexOf(node.name))}`,
  `  advert_int ${config.keepalived.advert}`,
  '  virtual_ipaddress {',
  `    127.84.0.${config.keepalived.vrid + index}/32 dev lo no_track`,
  '  }',
  '  track_file {',
  `    ready_${group.name}`,
  '  }',
  '  track_script {',
  '    conntrack_ha',
  '  }',
];

const renderStop = (stop: string, form: KeepalivedForm): readonly string[] => [
  '  # All stop together. Where no agent reads it, this gives up what the node owns.',
  `  notify_stop "${stop}"${form === 'fragment' ? ' root' : ''}`,
];

/** 150 for the home, 100 for the first backup, then downwards by three: the sixteenth's 58 is above a home's that isn't ready. */
const priorityOf = (rank: number): number => (rank === 0 ? HOME_PRIORITY : BACKUP_PRIORITY - 3 * (rank - 1));
