import { AGENT, type Operation, type Resource, type Settings } from './resource.ts';

/**
 * Commands of pcs 0.11. The clone gets its options by a command of its own: in the same one, 0.11.5 takes what follows
 * `meta` for the primitive's, and later versions want it.
 */
export const renderPcs = (resources: readonly Resource[]): readonly string[] =>
  resources.flatMap(({ id, clone, parameters, operations, meta }) => [
    [
      `pcs resource create ${id} ${AGENT.class}:${AGENT.provider}:${AGENT.type}`,
      ...(parameters.length === 0 ? [] : [pairs(parameters)]),
      `op ${operations.map(operationText).join(' \\\n    ')}`,
      `promotable ${clone}`,
    ].join(' \\\n  '),
    `pcs resource meta ${clone} ${pairs(meta)}`,
  ]);

const operationText = ({ name, interval, role, timeout }: Operation): string =>
  `${name} interval=${interval}${role === undefined ? '' : ` role=${role}`} timeout=${timeout}`;

/** No value needs quotes: parameters are paths of letters, digits and `. _ / @ + -`. */
const pairs = (settings: Settings): string => settings.map(([name, value]) => `${name}=${value}`).join(' ');
