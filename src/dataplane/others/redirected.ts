import type { Warning } from '../../cluster/warning.ts';
import type { IngressRedirect } from '../../kernel/ingress-filters.ts';

/**
 * What a leg's packets are redirected by before our rules see them. What comes back from there has passed by the ingress hook for good
 * (skb_skip_tc_classify() in net/core/dev.c), so it isn't sorted.
 *
 * @param device the leg's
 * @param nameOf an interface, by its index
 */
export const redirected = (
  device: string,
  redirects: readonly IngressRedirect[],
  nameOf: (index: number) => string,
): readonly Warning[] => {
  const [first] = redirects;
  if (first === undefined) return [];
  const { priority, kind } = first;
  const to = [...new Set(redirects.map((one) => nameOf(one.to)))].join(', ');
  return [
    {
      code: 'ingress-redirect',
      object: device,
      text: `a filter of tc (${kind}, pref ${priority}) redirects what comes in by ${device} to ${to}: what comes back from there isn't sorted, so this node drops it, and those clients are dead that it serves; remove it with "tc filter del dev ${device} ingress pref ${priority}", and shape what leaves by the other interface instead (docs/coexistence.md)`,
    },
  ];
};
