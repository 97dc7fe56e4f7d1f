import { AGENT, type Operation, type Resource, type Settings } from './resource.ts';

/** Lines for `crm configure load update`, as crmsh 4.4 reads them. */
export const renderCrmsh = (resources: readonly Resource[]): readonly string[] =>
  resources.flatMap(({ id, clone, parameters, operations, meta }) => [
    [
      `primitive ${id} ${AGENT.class}:${AGENT.provider}:${AGENT.type}`,
      ...(parameters.length === 0 ? [] : [`params ${pairs(parameters)}`]),
      ...operations.map(operationLine),
    ].join(' \\\n  '),
    [`clone ${clone} ${id}`, `meta ${pairs(meta)}`].join(' \\\n  '),
  ]);

const operationLine = ({ name, interval, role, timeout }: Operation): string =>
  `op ${name} interval=${interval}${role === undefined ? '' : ` role=${role}`} timeout=${timeout}`;

/** No value needs quotes: parameters are paths of letters, digits and `. _ / @ + -`. */
const pairs = (settings: Settings): string => settings.map(([name, value]) => `${name}=${value}`).join(' ');
