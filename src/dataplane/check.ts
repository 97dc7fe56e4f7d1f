import { warningText } from '../cluster/warning.ts';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { openLinkChannel } from '../kernel/links.ts';
import { type Link, listLinks } from './links.ts';
import { findingsOf, judgeSurroundings } from './surroundings/judge.ts';
import { warned } from './surroundings/judgement.ts';
import { lookAround } from './surroundings/look.ts';
import { needsOf } from './surroundings/needs.ts';

/** This machine can't carry the data plane that the configuration describes. Nothing was changed. */
export class DataPlaneError extends Error {
  override readonly name = 'DataPlaneError';
}

/**
 * Whether this machine has what the data plane stands on.
 *
 * @returns what is odd about it but no reason to refuse, a line each
 * @throws DataPlaneError that names all problems, ProgramError when `ip` is missing or fails, and what `lookAround` throws
 */
export const checkMachine = async (config: ClusterConfig, node: NodeConfig): Promise<readonly string[]> => {
  if (process.geteuid?.() !== 0) {
    throw new DataPlaneError('the data plane can only be loaded by root: run it with sudo');
  }
  const links = await listLinks();
  const problems = [
    ...config.interfaces.flatMap(({ name }) => {
      const key = `interfaces.${name}`;
      const link = links.find((one) => one.name === deviceOf(node, name));
      return link === undefined ? [] : dataLinkProblems(key, link);
    }),
  ];
  if (problems.length > 0) throw new DataPlaneError(problems.join('\n'));
  return [...absent(config, node, links), ...(await warningsOf(config, node, links))];
};

/** An interface may come later: a driver loads slowly, another program makes it. */
const absent = (config: ClusterConfig, node: NodeConfig, links: readonly Link[]): readonly string[] =>
  [
    ...config.interfaces.map(({ name }) => [`interfaces.${name}`, name] as const),
    ['sync.interface', config.sync.interface] as const,
  ]
    .filter(([, name]) => !links.some((link) => link.name === deviceOf(node, name)))
    .map(([key, name]) => missing(key, name, node, links));

const missing = (key: string, name: string, node: NodeConfig, links: readonly Link[]): string => {
  const device = deviceOf(node, name);
  const there = links.map((link) => link.name).join(', ');
  const override =
    device === name
      ? `if it has another name on this node, say so with nodes.${node.name}.devices: { ${name}: NAME }`
      : `correct nodes.${node.name}.devices.${name}`;
  return `${key}: waiting for ${device}: there is no such interface on ${node.name} (there are ${there}); ${override}`;
};

/** Frames of a bridge's or a bond's port are sorted before their master sees them: the master is what to name. */
const dataLinkProblems = (key: string, link: Link): readonly string[] => [
  ...(link.ethernet ? [] : [`${key}: ${link.name} is no Ethernet interface, so it has no MAC to share`]),
  ...(link.master === undefined || link.master.kind === 'vrf'
    ? []
    : [`${key}: ${link.name} is a port of ${link.master.name}; name ${link.master.name} instead`]),
];

const warningsOf = async (
  config: ClusterConfig,
  node: NodeConfig,
  links: readonly Link[],
): Promise<readonly string[]> => {
  const channel = openLinkChannel();
  try {
    const needs = needsOf(config, node);
    const findings = findingsOf(judgeSurroundings(needs, await lookAround(needs, channel)));
    return [...findings.map((finding) => warningText(warned(finding))), ...downProblems(config, node, links)];
  } finally {
    channel.close();
  }
};

/** The agent's watch over lost interfaces says it while it runs. */
const downProblems = (config: ClusterConfig, node: NodeConfig, links: readonly Link[]): readonly string[] =>
  config.interfaces
    .map(({ name }) => deviceOf(node, name))
    .filter((device) => links.some(({ name, up }) => name === device && !up))
    .map((device) => `${device} is down; bring it up with "ip link set ${device} up"`);
