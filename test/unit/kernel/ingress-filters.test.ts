import { constants } from 'node:os';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Channel } from '../../../src/kernel/channel.ts';
import { ingressRedirects } from '../../../src/kernel/ingress-filters.ts';
import { openLinkChannel } from '../../../src/kernel/links.ts';

let channel: Channel;
beforeEach(() => {
  channel = openLinkChannel();
});
afterEach(() => channel.close());

const refused = (errno: number) =>
  vi.spyOn(channel, 'request').mockResolvedValue({ refusals: [{ index: 0, errno }], interrupted: false });

it('are none in a kernel that has no filters', async () => {
  refused(constants.errno.EOPNOTSUPP);
  expect(await ingressRedirects(channel, 1)).toEqual([]);
});

it('aren’t known if the kernel refuses to list them', async () => {
  refused(constants.errno.EPERM);
  await expect(ingressRedirects(channel, 1)).rejects.toThrow(/ingress filters of interface 1: EPERM/);
});
