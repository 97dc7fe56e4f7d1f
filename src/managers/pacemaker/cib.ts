import { AGENT, type Operation, type Resource, type Settings } from './resource.ts';

/** The `resources` section of a CIB whose schema is pacemaker-3.7 or later: earlier ones don't know the roles' names. */
export const renderCib = (resources: readonly Resource[]): readonly string[] => [
  '<resources>',
  ...resources.flatMap(cloneOf).map((line) => `  ${line}`),
  '</resources>',
];

const cloneOf = ({ id, clone, parameters, operations, meta }: Resource): readonly string[] => [
  `<clone id="${clone}">`,
  ...attributesOf('meta_attributes', `${clone}-meta_attributes`, meta),
  `  <primitive id="${id}" class="${AGENT.class}" provider="${AGENT.provider}" type="${AGENT.type}">`,
  ...attributesOf('instance_attributes', `${id}-instance_attributes`, parameters).map((line) => `  ${line}`),
  '    <operations>',
  ...operations.map((operation) => `      ${operationOf(id, operation)}`),
  '    </operations>',
  '  </primitive>',
  '</clone>',
];

const attributesOf = (element: string, id: string, settings: Settings): readonly string[] =>
  settings.length === 0
    ? []
    : [
        `  <${element} id="${id}">`,
        ...settings.map(
          ([name, value]) => `    <nvpair id="${id}-${name}" name="${name}" value="${value}"/>`,
        ),
        `  </${element}>`,
      ];

const operationOf = (id: string, { name, interval, role, timeout }: Operation): string =>
  `<op id="${id}-${name}-interval-${interval}" name="${name}" interval="${interval}"${
    role === undefined ? '' : ` role="${role}"`
  } timeout="${timeout}"/>`;
