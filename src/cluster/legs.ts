import type { ClusterConfig, InterfaceConfig } from '../config/types.ts';

/**
 * The interfaces whose networks are known, in the order that decides whose address is hashed: of the two that a flow is
 * between, that behind the earlier one. First the inside ones as the configuration lists them, then the outside ones that
 * have `networks`. What is in nobody's networks, the rest of the world, comes last.
 */
export const rankedLegs = (config: ClusterConfig): readonly InterfaceConfig[] => {
  const known = config.interfaces.filter(({ networks }) => networks.length > 0);
  return (['inside', 'outside'] as const).flatMap((side) => known.filter((one) => one.side === side));
};
