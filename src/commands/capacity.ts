import { capacitiesOf, capacityText, shortageText } from '../cluster/capacity.ts';
import type { ClusterConfig } from '../config/types.ts';

/** Says how many connections SNAT can hold, each by `info` or, where that is few, by `warn`. */
export const reportCapacity = (
  config: ClusterConfig,
  info: (line: string) => void,
  warn: (line: string) => void,
): void => {
  for (const capacity of capacitiesOf(config)) {
    const shortage = shortageText(capacity);
    if (shortage === undefined) {
      info(capacityText(capacity));
    } else {
      warn(shortage);
    }
  }
};
