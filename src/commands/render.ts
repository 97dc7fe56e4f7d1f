import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderConntrackd } from '../conntrackd/render.ts';
import { listLinks } from '../dataplane/links.ts';
import { ownAddresses } from '../dataplane/own-addresses.ts';
import { renderNftables } from '../dataplane/render.ts';
import { renderXtables } from '../dataplane/xtables/render.ts';
import { type KeepalivedForm, type KeepalivedHook, renderKeepalived } from '../managers/keepalived/render.ts';
import { type Form, renderPacemaker } from '../managers/pacemaker/render.ts';
import { type Context, DEFAULT_CONFIG, RefusedError, UsageError } from './context.ts';

/** Which form of it, of those that have several. */
export interface RenderOptions {
  /** Pacemaker's; crmsh by default. */
  readonly form?: Form | undefined;
  /** keepalived's: what another configuration includes. */
  readonly fragment?: boolean | undefined;
}

interface Forms {
  readonly pacemaker: Form;
  readonly keepalived: KeepalivedForm;
}

const RENDERERS: Readonly<Record<string, (context: Context, forms: Forms) => string | Promise<string>>> = {
  keepalived: (context, { keepalived }) =>
    renderKeepalived(context.config, context.node, context.groups, hooksOf(context), keepalived),
  pacemaker: (context, { pacemaker: form }) =>
    renderPacemaker(context.config, context.groups, form, parametersOf(context)),
  conntrackd: async ({ config, node }) => renderConntrackd(config, node, await ownAddresses(node)),
  nftables: async ({ config, node }) => {
    // Another node's interfaces have other MACs.
    const here = (await ownAddresses(node)).length > 0;
    return renderNftables(config, node, here ? await listLinks() : undefined);
  },
  xtables: ({ config, node }) => renderXtables(config, node),
};

/** What can be rendered. */
export const RENDERED: readonly string[] = Object.keys(RENDERERS);

/** `render WHAT`: prints a configuration for this node (or --node). */
export const renderFor = async (
  context: Context,
  what: string,
  { form, fragment }: RenderOptions,
): Promise<string> => {
  const render = RENDERERS[what];
  if (render === undefined) {
    throw new UsageError(`nothing renders "${what}"; known are ${RENDERED.join(', ')}`);
  }
  if (form !== undefined && what !== 'pacemaker') {
    throw new UsageError(`${what} has one form only; leave --form out`);
  }
  if (fragment && what !== 'keepalived') {
    throw new UsageError(`there is no fragment of ${what}; leave --fragment out`);
  }
  const forms: Forms = { pacemaker: form ?? 'crmsh', keepalived: fragment ? 'fragment' : 'whole' };
  return (await render(context, forms)).trimEnd();
};

const DEFAULT_RUN = '/run/conntrack-ha';
/** From the bundle, and from this file. */
const HOOKS = ['../hooks', '../../hooks'] as const;

/** The command line of each hook, which stand beside the program; what isn't where they look is passed to them. */
const hooksOf =
  ({ config, file }: Context) =>
  (name: KeepalivedHook): string => {
    const places = HOOKS.map((place) => fileURLToPath(new URL(`${place}/${name}`, import.meta.url)));
    const program = places.find((place) => existsSync(place));
    if (program === undefined) {
      throw new RefusedError(`${places[0]} is missing; install conntrack-ha as a whole`);
    }
    return [
      program,
      ...(config.paths.run === DEFAULT_RUN ? [] : ['-r', config.paths.run]),
      ...(file === DEFAULT_CONFIG ? [] : ['-c', file]),
    ].join(' ');
  };

/** What the resource agent can't know by itself, as its parameters. */
const parametersOf = ({ config, file }: Context): readonly (readonly [string, string])[] => {
  if (!/^[A-Za-z0-9._/@+-]+$/.test(file)) {
    throw new RefusedError(
      `${file} holds what crmsh or a shell reads otherwise; give the file a plainer path`,
    );
  }
  return [
    ...(config.paths.run === DEFAULT_RUN ? [] : [['run', config.paths.run] as const]),
    ...(file === DEFAULT_CONFIG ? [] : [['config', file] as const]),
  ];
};
