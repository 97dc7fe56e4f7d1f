import { listLinks } from './links.ts';

/** The MACs of this machine's interfaces, by name. Throws ProgramError, LinkListError. */
export const macsOf = async (): Promise<ReadonlyMap<string, string>> =>
  new Map((await listLinks()).map(({ name, mac }) => [name, mac]));
