import type { AgentParts } from '../../src/agent/parts.ts';

/** Nobody looks whether connection tables have room. */
export const NO_ROOM_WATCH: AgentParts['room'] = {
  begin: () => {},
  own: undefined,
  heard: () => {},
  counted: () => {},
  gaveUp: () => {},
  warnings: [],
  close: () => {},
};
