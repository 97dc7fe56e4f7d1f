import type { Group } from '../../cluster/groups.ts';
import type { Warning } from '../../cluster/warning.ts';
import type { ClusterConfig } from '../../config/types.ts';
import type { ConfBlock } from './conf-file.ts';
import { fifoPath, RLIMIT_RTTIME, RT_PRIORITY } from './render.ts';

const FRAGMENT = 'conntrack-ha render keepalived --fragment';

/**
 * What is missing in a keepalived.conf that is the site's: the groups' instances, what tells the agent of them, and real time. What
 * stands there as a variable is taken for right.
 */
export const confFaults = (
  blocks: readonly ConfBlock[],
  config: Pick<ClusterConfig, 'paths' | 'keepalived'>,
  groups: readonly Group[],
): readonly Warning[] => {
  const path = config.paths.keepalivedConf;
  const instances = groups.map(({ name }) => ({
    name,
    block: blocks.find(({ keyword, argument }) => keyword === 'vrrp_instance' && argument === name),
  }));
  const absent = instances.filter(({ block }) => block === undefined).map(({ name }) => name);
  const there = instances.flatMap(({ name, block }) => (block === undefined ? [] : [{ name, block }]));
  return [
    ...(absent.length === 0
      ? []
      : [
          {
            code: 'keepalived-instance',
            object: absent.join(', '),
            text: `${path} has no vrrp_instance ${absent.join(', ')}, nor has what it includes: keepalived doesn't decide who owns ${absent.length === 1 ? 'it' : 'them'}; include what "${FRAGMENT}" prints, and reload keepalived`,
          } as const,
        ]),
    ...others(there, config, groups),
    ...unheard(blocks, config, there),
    ...(there.length === 0 ? [] : untimely(blocks, path)),
  ];
};

/** VRIDs that aren't the configuration's, as after its name was changed, or after an update from a version with other defaults. */
const others = (
  instances: readonly { readonly name: string; readonly block: ConfBlock }[],
  { keepalived: { vrid }, paths }: Pick<ClusterConfig, 'paths' | 'keepalived'>,
  groups: readonly Group[],
): readonly Warning[] => {
  const wrong = instances.flatMap(({ name, block }) => {
    const id = block.lines.find(([keyword]) => keyword === 'virtual_router_id')?.[1];
    const right = vrid + groups.findIndex((group) => group.name === name);
    return id === undefined || id.includes('$') || Number(id) === right ? [] : [{ name, id, right }];
  });
  const [first] = wrong;
  if (first === undefined) return [];
  const all = wrong.map(({ name, id }) => `${id} (${name})`).join(' and ');
  return [
    {
      code: 'keepalived-vrid',
      object: wrong.map(({ name }) => name).join(', '),
      text: `${paths.keepalivedConf} has the VRID ${all}, and this cluster's configuration says ${first.right} for ${first.name}: nodes with other VRIDs don't hear each other and may own a group together, and the agent goes by the lines of keepalived alone; render keepalived's configuration anew on all nodes, or have keepalived.vrid be the first group's`,
    },
  ];
};

/** The FIFO's words or a hook's: without either the agent goes by the addresses, twice a second. */
const unheard = (
  blocks: readonly ConfBlock[],
  config: Pick<ClusterConfig, 'paths'>,
  instances: readonly { readonly name: string; readonly block: ConfBlock }[],
): readonly Warning[] => {
  const fifo = globalOf(blocks, 'vrrp_notify_fifo');
  const ours = fifoPath(config);
  if (fifo === ours || fifo?.includes('$')) {
    return [];
  }
  const mute = instances
    .filter(({ block }) => !block.lines.some(([keyword = '', command = '']) => isHook(keyword, command)))
    .map(({ name }) => name);
  return mute.length === 0
    ? []
    : [
        {
          code: 'keepalived-notify',
          object: mute.join(', '),
          text: `keepalived tells the agent nothing of ${mute.join(', ')} (vrrp_notify_fifo is ${fifo ?? 'not set'} in ${config.paths.keepalivedConf}): it takes half a second to see that it is MASTER; put "notify .../hooks/keepalived-notify" into each instance, as "${FRAGMENT}" prints it`,
        },
      ];
};

const isHook = (keyword: string, command: string): boolean =>
  keyword.startsWith('notify') && (command.includes('keepalived-notify') || command.includes('$'));

const untimely = (blocks: readonly ConfBlock[], path: string): readonly Warning[] => {
  const priority = globalOf(blocks, 'vrrp_rt_priority');
  if (priority === undefined) {
    return [
      {
        code: 'keepalived-priority',
        object: path,
        text: `keepalived has no realtime priority: while conntrackd works, which has, advertisements may be late and groups move for nothing; put "vrrp_rt_priority ${RT_PRIORITY}" and "vrrp_rlimit_rttime ${RLIMIT_RTTIME}" into global_defs of ${path}, and restart keepalived`,
      },
    ];
  }
  const limit = globalOf(blocks, 'vrrp_rlimit_rttime');
  return limit?.includes('$') || Number(limit ?? 0) >= RLIMIT_RTTIME
    ? []
    : [
        {
          code: 'keepalived-rttime',
          object: path,
          text: `vrrp_rlimit_rttime is ${limit ?? 'not set'} in ${path}: a realtime keepalived that is busy for longer (10000 microseconds by default) is killed by the kernel; put "vrrp_rlimit_rttime ${RLIMIT_RTTIME}" into global_defs, and restart keepalived`,
        },
      ];
};

/** The first counts: keepalived ignores a second one. */
const globalOf = (blocks: readonly ConfBlock[], keyword: string): string | undefined =>
  blocks
    .filter((block) => block.keyword === 'global_defs')
    .flatMap(({ lines }) => lines)
    .find(([name]) => name === keyword)?.[1];
