import { renderConntrackd } from '../conntrackd/render.ts';
import { renderNftables } from '../dataplane/render.ts';
import { renderKeepalived } from '../managers/keepalived/render.ts';
import { type Context, UsageError } from './context.ts';

const RENDERERS: Readonly<Record<string, (context: Context) => string>> = {
  keepalived: ({ config, node, groups }) => renderKeepalived(config, node, groups),
  conntrackd: ({ config, node }) => renderConntrackd(config, node),
  nftables: ({ config, node }) => renderNftables(config, node),
};

/** `render WHAT`: prints a configuration for this node (or --node). */
export const renderFor = (context: Context, what: string): string => {
  const render = RENDERERS[what];
  if (render === undefined) {
    throw new UsageError(`nothing renders "${what}"; known are ${Object.keys(RENDERERS).join(', ')}`);
  }
  return render(context).trimEnd();
};
